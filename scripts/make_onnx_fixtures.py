#!/usr/bin/env python3
"""Writes tests/import/onnx: small networks as PyTorch's exporters write them, with an input and PyTorch's own output.

To be run where PyTorch is installed (scripts/check_onnx.py makes such an environment); the files are committed.
"""
import os
import warnings

import numpy as np
import torch
from torch import nn
from torch.onnx import TrainingMode

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "import", "onnx")


class Small(nn.Module):
    """What most classifiers are made of: strides, a batch norm, a depthwise layer, a gate, a flatten before a dense layer."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6), nn.Hardswish(),
                                  nn.MaxPool2d(3, 2, 1))
        self.depth = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False), nn.BatchNorm2d(6), nn.ReLU6())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 6, 1), nn.Sigmoid())
        self.drop = nn.Dropout(0.2)
        self.dense = nn.Linear(6 * 3 * 3, 4)

    def forward(self, x):
        x = self.stem(x)
        x = self.depth(x) + x
        x = x * self.gate(x)
        return self.dense(self.drop(torch.flatten(x, 1)))


def main():
    warnings.filterwarnings("ignore")
    torch.manual_seed(1)
    os.makedirs(FOLDER, exist_ok=True)
    model = Small().train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, 3, 12, 12))
    model.eval()
    x = torch.randn(2, 3, 12, 12)
    np.save(os.path.join(FOLDER, "x.npy"), x.numpy())
    np.save(os.path.join(FOLDER, "y.npy"), model(x).detach().numpy())
    one = (x[:1],)
    at = lambda name: os.path.join(FOLDER, name + ".onnx")  # noqa: E731
    torch.onnx.export(model, one, at("script"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    torch.onnx.export(model, one, at("batch_norms"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}},
                      training=TrainingMode.PRESERVE, do_constant_folding=False)
    torch.onnx.export(model, one, at("dynamo"), dynamo=True, verbose=False, external_data=False, input_names=["x"])
    import onnx
    exported = onnx.load(at("dynamo"))
    del exported.metadata_props[:]
    for node in exported.graph.node:
        del node.metadata_props[:]  # names of source files
        node.doc_string = ""
    del exported.graph.value_info[:]
    onnx.save(exported, at("dynamo"))


if __name__ == "__main__":
    main()
