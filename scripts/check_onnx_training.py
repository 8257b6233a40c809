#!/usr/bin/env python3
"""A resnet8 trained in PyTorch on CIFAR-10, through ONNX into integers: quantized after training, and trained on.

usage: check_onnx_training.py PROGRAMS DATA WORK [--epochs N] [--steps N]

DATA holds cifar10-images.tar.gz (train/CLASS/*.jpg, test/CLASS/*.jpg). The network is exported with its batch normalizations apart;
qat-convert compares it with PyTorch (--verify) and quantizes it with 500 training examples, qat-train trains it on with fake
quantization. Prints the accuracies on the test set; exit code 1 where one lies more than 0.2 points below PyTorch's.
What PyTorch and qat-train made is kept in WORK and used again.
"""
import argparse
import json
import os
import pathlib
import sys

from check_onnx import ensure_venv

POINTS_LIMIT = 0.2  # largest loss of accuracy, in points
MEAN, STD = 120.7, 64.2


def float_network(work, pictures, epochs):
    import torch
    from check_weights import ResNet8, train

    model, path = ResNet8(), work / f"resnet8-{epochs}.pt"
    if path.exists():
        model.load_state_dict(torch.load(path))
    else:
        train(model, *pictures, epochs, MEAN, STD, flips=True)
        torch.save(model.state_dict(), path)
    return model.eval()


def export(model, work, examples):
    """network.onnx, with x.npy and y.npy of what PyTorch itself answers."""
    import numpy as np
    import torch
    from check_weights import real
    from torch.onnx import TrainingMode

    x = real(examples, MEAN, STD)
    path = work / "network.onnx"
    torch.onnx.export(model, (x[:1],), path, input_names=["x"], dynamo=False, dynamic_axes={"x": {0: "batch"}},
                      training=TrainingMode.PRESERVE, do_constant_folding=False)
    np.save(work / "x.npy", x.numpy())
    with torch.no_grad():
        np.save(work / "y.npy", model(x).numpy())
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=8, help="of PyTorch's training")
    parser.add_argument("--steps", type=int, default=2000, help="of training with fake quantization")
    arguments = parser.parse_args()
    ensure_venv()
    import torch
    from check_weights import accuracy, call, cifar

    torch.set_num_threads(1)
    work, programs = arguments.work.resolve(), arguments.programs.resolve()
    work.mkdir(parents=True, exist_ok=True)
    train_set, test_set = cifar(arguments.data, work)
    model = float_network(work, train_set, arguments.epochs)
    network = export(model, work, test_set[0][:20])
    rows = [("PyTorch, float", accuracy(model, *test_set, MEAN, STD))]
    print(f"{rows[0][0]}: {rows[0][1]:.2f} %", flush=True)

    pixels = ["--mean", MEAN, "--std", STD]
    models = {"int8, quantized after training": work / "ptq.tflite", "int8, trained on": work / "qat.tflite"}
    said = call(programs, "qat-convert", network, "--verify", work / "x.npy", work / "y.npy", "--calibrate", work / "cifar", *pixels, "--type",
                "int8", "-o", work / "ptq.tflite")
    run = work / f"run-{arguments.epochs}-{arguments.steps}"
    if not run.exists():
        said += call(programs, "qat-train", "--network", network, "--data", work / "cifar", *pixels, "--scheme", "int8", "--steps",
                     arguments.steps, "-o", run, "--threads", 1, "--progress", "none")
    print("\n".join(line for line in said.splitlines() if "batch norm" in line or line.startswith("verified")))
    call(programs, "qat-freeze", run, "-o", work / "network.qgraph")
    call(programs, "qat-convert", work / "network.qgraph", "-o", work / "qat.tflite")
    for name, path in models.items():
        call(programs, "qat-eval", "--data", work / "cifar", path, "--repeat", 0, "--json", work / "report.json")
        rows.append((name, json.loads((work / "report.json").read_text())["models"][0]["accuracy"]["top1"]))
    print("\n| resnet8, CIFAR-10 | accuracy |\n| --- | --- |")
    for name, top1 in rows:
        print(f"| {name} | {top1:.2f} % |")
    return 0 if all(rows[0][1] - top1 <= POINTS_LIMIT for _, top1 in rows) else 1


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
