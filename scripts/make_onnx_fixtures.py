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


class TwoHeads(nn.Module):
    """A picture and a row of numbers in, a class and two numbers out: tests/support/two_inputs.h has such examples."""

    def __init__(self):
        super().__init__()
        self.camera = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.sensor = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
        self.kind, self.level = nn.Linear(8, 4), nn.Linear(8, 2)

    def forward(self, camera, sensor):
        both = torch.cat([self.camera(camera).mean((2, 3)), self.sensor(sensor)], 1)
        return self.kind(both), self.level(both)


class Maps(nn.Module):
    """A network of convolutions alone, which takes pictures of any size."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(4, 2, 2, stride=2)

    def forward(self, x):
        return self.up(torch.relu(self.down(x)))


class Recurrent(nn.Module):
    """A series through a convolution, a GRU both ways and an LSTM."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, stride=2)
        self.gru = nn.GRU(4, 5, bidirectional=True, batch_first=True)
        self.lstm = nn.LSTM(10, 6, batch_first=True)
        self.out = nn.Linear(6, 3)

    def forward(self, x):
        steps = torch.relu(self.conv(x)).transpose(1, 2)
        return self.out(self.lstm(self.gru(steps)[0])[0][:, -1])


class Encoder(nn.Module):
    """PyTorch's own layer of a transformer: its exporter puts the steps first and counts heads along the batch."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 8, dropout=0.0, batch_first=True)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        return self.out(self.layer(x).mean(1))


def at(name):
    return os.path.join(FOLDER, name)


def write_two_heads():
    torch.manual_seed(2)
    model = TwoHeads().eval()
    inputs = {"camera": torch.randn(3, 1, 6, 6), "sensor": torch.randn(3, 3)}
    names = ["kind", "level"]
    outputs = {name: y.detach().numpy() for name, y in zip(names, model(*inputs.values()))}
    np.savez(at("two_x.npz"), **{name: x.numpy() for name, x in inputs.items()})
    np.savez(at("two_y.npz"), **outputs)
    torch.onnx.export(model, tuple(x[:1] for x in inputs.values()), at("two.onnx"), dynamo=False, input_names=list(inputs), output_names=names,
                      dynamic_axes={name: {0: "batch"} for name in [*inputs, *names]}, training=TrainingMode.PRESERVE,
                      do_constant_folding=False)


def write_maps():
    torch.manual_seed(3)
    model = Maps().eval()
    x = torch.randn(2, 3, 8, 6)
    np.save(at("maps_x.npy"), x.numpy())
    np.save(at("maps_y.npy"), model(x).detach().numpy())
    sizes = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(model, (x[:1],), at("maps.onnx"), dynamo=False, input_names=["x"], output_names=["y"],
                      dynamic_axes={"x": sizes, "y": sizes})


def write_recurrent():
    torch.manual_seed(4)
    model = Recurrent().eval()
    x = torch.randn(16, 3, 11)
    np.save(at("recurrent_x.npy"), x.numpy())
    np.save(at("recurrent_y.npy"), model(x).detach().numpy())
    torch.onnx.export(model, (x[:1],), at("recurrent.onnx"), dynamo=False, input_names=["x"], output_names=["y"])


def write_encoder():
    torch.manual_seed(5)
    model = Encoder().train()  # eval mode exports one operator of PyTorch's own
    x = torch.randn(4, 5, 8)
    np.save(at("encoder_x.npy"), x.numpy())
    np.save(at("encoder_y.npy"), model(x).detach().numpy())
    torch.onnx.export(model, (x[:1],), at("encoder.onnx"), opset_version=13, input_names=["x"], output_names=["y"],
                      training=TrainingMode.PRESERVE, do_constant_folding=False)


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
    np.save(at("x.npy"), x.numpy())
    np.save(at("y.npy"), model(x).detach().numpy())
    one = (x[:1],)
    torch.onnx.export(model, one, at("script.onnx"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    torch.onnx.export(model, one, at("batch_norms.onnx"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}},
                      training=TrainingMode.PRESERVE, do_constant_folding=False)
    torch.onnx.export(model, one, at("dynamo.onnx"), dynamo=True, verbose=False, external_data=False, input_names=["x"])
    import onnx
    exported = onnx.load(at("dynamo.onnx"))
    del exported.metadata_props[:]
    for node in exported.graph.node:
        del node.metadata_props[:]  # names of source files
        node.doc_string = ""
    del exported.graph.value_info[:]
    onnx.save(exported, at("dynamo.onnx"))
    write_two_heads()
    write_maps()
    write_encoder()
    write_recurrent()


if __name__ == "__main__":
    main()
