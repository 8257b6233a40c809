#!/usr/bin/env python3
"""Trained networks of PyTorch through qat-train --init and back through qat-freeze --weights: docs/tutorials/from-pytorch.md.

usage: check_weights.py FOLDER_OF_PROGRAMS DATA WORK [--networks lenet,resnet8] [--epochs N] [--steps N]

DATA holds mnist/ (IDX files) and cifar10-images.tar.gz (train/CLASS/*.jpg, test/CLASS/*.jpg). Needs torch, safetensors and numpy:
  python3 -m venv venv && venv/bin/pip install torch safetensors numpy pillow --extra-index-url https://download.pytorch.org/whl/cpu
For each network: trains it in PyTorch, writes .safetensors, takes it in unchanged (one step at a learning rate too small to change a float), compares the logits of
the float model with PyTorch's, fine-tunes with fake quantization, compares accuracies, writes the weights back into the names of the
first file and compares PyTorch's logits with ours. Prints a table; exit code 1 where a figure is beyond its limit.
"""

import argparse
import gzip
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

LOGITS_LIMIT = 1e-4  # largest difference of float logits
POINTS_LIMIT = 0.2  # largest loss of accuracy after fine-tuning, in points


class LeNet(nn.Module):
    """As in PyTorch's tutorials, on 28x28 pixels: flattened in the order C, H, W."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNet8(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2))
        self.layer3 = nn.Sequential(Block(32, 64, 2))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


CIFAR_CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()
LENET_SPEC = """name = "lenet-pytorch"
classes = 10
[input]
height = 28
width = 28
channels = 1
"""
LENET_LAYERS = [
    ("conv1", "conv_2d", {"filters": 6, "kernel": 5, "activation": "relu"}),
    ("pool1", "max_pool_2d", {}),
    ("conv2", "conv_2d", {"filters": 16, "kernel": 5, "padding": "valid", "activation": "relu"}),
    ("pool2", "max_pool_2d", {}),
    ("flatten", "reshape", {}),
    ("fc1", "fully_connected", {"units": 120, "activation": "relu"}),
    ("fc2", "fully_connected", {"units": 84, "activation": "relu"}),
    ("fc3", "fully_connected", {"units": "classes"}),
]
RESNET_SPEC = """name = "resnet8-pytorch"
classes = 10
[input]
height = 32
width = 32
channels = 3
"""


def toml_value(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def spec_text(head, layers):
    text = head
    for name, op, keys in layers:
        text += f'[[layer]]\nname = "{name}"\nop = "{op}"\n'
        text += "".join(f"{key} = {toml_value(value)}\n" for key, value in keys.items())
    return text


def resnet_layers():
    norm = {"batch_norm": {"epsilon": 1e-5, "momentum": 0.9}}

    def conv(name, reads, filters, stride, **keys):
        padding = {"padding": [1, 1, 1, 1], "kernel": 3} if "kernel" not in keys else {}
        return (name, "conv_2d", {"inputs": [reads], "filters": filters, "stride": stride, **padding, **norm, **keys})

    layers = [conv("conv1", "input", 16, 1, activation="relu")]
    reads = "conv1"
    for i, filters in enumerate((16, 32, 64), 1):
        at, stride = f"layer{i}.0", 1 if i == 1 else 2
        layers.append(conv(f"{at}.conv1", reads, filters, stride, activation="relu"))
        layers.append(conv(f"{at}.conv2", f"{at}.conv1", filters, 1))
        if stride == 2:
            layers.append(conv(f"{at}.downsample", reads, filters, 2, kernel=1))
            reads = f"{at}.downsample"
        layers.append((f"{at}.sum", "add", {"inputs": [f"{at}.conv2", reads], "activation": "relu"}))
        reads = f"{at}.sum"
    return layers + [("mean", "mean", {}), ("fc", "fully_connected", {"units": "classes"})]


def read_idx(path):
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    sizes = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(sizes)


def mnist(data):
    def load(name):
        return read_idx(next(data.glob(f"mnist/{name}*")))

    train = load("train-images")[:, None], load("train-labels")
    return train, (load("t10k-images")[:, None], load("t10k-labels"))


def cifar(data, work):
    """Arrays of all pictures, kept beside the archive as .npy for qat-train."""
    from PIL import Image

    folder = work / "cifar"
    if not (folder / "test_labels.npy").exists():
        folder.mkdir(parents=True, exist_ok=True)
        found = {"train": ([], []), "test": ([], [])}
        with tarfile.open(data / "cifar10-images.tar.gz") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                split, label, _ = member.name.split("/")[-3:]
                picture = Image.open(io.BytesIO(archive.extractfile(member).read()))
                found[split][0].append(np.asarray(picture.convert("RGB")))
                found[split][1].append(CIFAR_CLASSES.index(label))
        for split, (images, labels) in found.items():
            np.save(folder / f"{split}_images.npy", np.stack(images))
            np.save(folder / f"{split}_labels.npy", np.array(labels, np.uint8))
    parts = []
    for split in ("train", "test"):
        parts.append((np.load(folder / f"{split}_images.npy").transpose(0, 3, 1, 2), np.load(folder / f"{split}_labels.npy")))
    return parts


def real(images, mean, std):
    return (torch.tensor(np.ascontiguousarray(images)).float() - mean) / std


def accuracy(model, images, labels, mean, std):
    model.eval()
    with torch.no_grad():
        answers = [model(real(images[i : i + 500], mean, std)).argmax(1).numpy() for i in range(0, len(images), 500)]
    return 100 * float((np.concatenate(answers) == labels).mean())


def train(model, images, labels, epochs, mean, std, flips):
    torch.manual_seed(1)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    batches = len(images) // 64
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
    targets = torch.from_numpy(labels.astype(np.int64))
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for i in range(batches):
            picked = order[64 * i : 64 * i + 64]
            batch = real(images[picked.numpy()], mean, std)
            if flips and torch.rand(()) < 0.5:
                batch = batch.flip(3)
            optimizer.zero_grad()
            F.cross_entropy(model(batch), targets[picked]).backward()
            optimizer.step()
            schedule.step()


def call(programs, program, *arguments):
    done = subprocess.run([str(programs / program), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{program} {' '.join(map(str, arguments))}\nexit code {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout + done.stderr


def our_logits(programs, work, run, inputs):
    """Of the float model that a run freezes to, on real images [N, C, H, W]."""
    graph, model = work / f"{run.name}.qgraph", work / f"{run.name}.float.tflite"
    call(programs, "qat-freeze", run, "--select", "last", "-o", graph)
    call(programs, "qat-convert", graph, "--type", "float32", "-o", model)
    rows = []
    for image in inputs:
        np.save(work / "x.npy", image[None].transpose(0, 2, 3, 1).copy())
        call(programs, "qat-eval", "run", model, "--input", work / "x.npy", "-o", work / "y.npy")
        rows.append(np.load(work / "y.npy").reshape(-1))
    return np.stack(rows)


def check(name, programs, data, work, epochs, steps):
    if name == "lenet":
        model, spec, mean, std = LeNet(), spec_text(LENET_SPEC, LENET_LAYERS), 33.3, 78.6
        (images, labels), (test_images, test_labels) = mnist(data)
        source = data / "mnist"
    else:
        model, spec, mean, std = ResNet8(), spec_text(RESNET_SPEC, resnet_layers()), 120.7, 64.2
        (images, labels), (test_images, test_labels) = cifar(data, work)
        source = work / "cifar"
    weights = work / f"{name}.safetensors"
    if weights.exists():
        model.load_state_dict(load_file(weights))
    else:
        train(model, images, labels, epochs, mean, std, flips=name != "lenet")
        save_file(model.state_dict(), weights)
    float_accuracy = accuracy(model, test_images, test_labels, mean, std)
    (work / f"{name}.toml").write_text(spec)
    common = ["--network", work / f"{name}.toml", "--data", source, "--mean", mean, "--std", std, "--init", weights]
    shutil.rmtree(work / f"{name}-start", ignore_errors=True)
    started = call(programs, "qat-train", *common, "--steps", 1, "--learning-rate", 1e-30, "--bn-freeze-fraction", 0,
                   "-o", work / f"{name}-start")
    notes = [line for line in started.splitlines() if "--init" in line]
    inputs = real(test_images[:20], mean, std)
    model.eval()
    with torch.no_grad():
        theirs = model(inputs).numpy()
    came_in = float(np.abs(our_logits(programs, work, work / f"{name}-start", inputs.numpy()) - theirs).max())

    tuned = work / f"{name}-tuned"
    if not tuned.exists():
        call(programs, "qat-train", *common, "--steps", steps, "--learning-rate", 2e-4, "-o", tuned)
    call(programs, "qat-freeze", tuned, "-o", work / f"{name}.qgraph")
    call(programs, "qat-convert", work / f"{name}.qgraph", "-o", work / f"{name}.tflite")
    call(programs, "qat-eval", "--data", source, work / f"{name}.tflite", "--json", work / f"{name}.json")
    report = json.loads((work / f"{name}.json").read_text())
    integer_accuracy = report["models"][0]["accuracy"]["top1"]

    back = work / f"{name}-back.safetensors"
    call(programs, "qat-freeze", tuned, "--select", "last", "--weights", back, "--weights-like", weights)
    model.load_state_dict(load_file(back))
    model.eval()
    with torch.no_grad():
        returned = model(inputs).numpy()
    went_out = float(np.abs(our_logits(programs, work, tuned, inputs.numpy()) - returned).max())
    same = work / f"{name}-same.safetensors"
    call(programs, "qat-freeze", work / f"{name}-start", "--weights", same, "--weights-like", weights)
    before, after = load_file(weights), load_file(same)
    exact = before.keys() == after.keys() and all(torch.equal(before[key], after[key]) for key in before)
    return {
        "network": name, "notes": notes, "float": float_accuracy, "integer": integer_accuracy, "in": came_in, "out": went_out,
        "exact": exact, "ok": came_in <= LOGITS_LIMIT and went_out <= LOGITS_LIMIT and exact
        and float_accuracy - integer_accuracy <= POINTS_LIMIT,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--networks", default="lenet,resnet8")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000, help="of fine-tuning")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    results = []
    for name in arguments.networks.split(","):
        results.append(check(name, arguments.programs, arguments.data, arguments.work, arguments.epochs, arguments.steps))
        print("\n".join(re.sub(r"\S*/", "", note) for note in results[-1]["notes"]))
    print("\n| network | PyTorch, float | uint8, fine-tuned | logits in, largest difference | logits out | round trip |")
    print("| --- | --- | --- | --- | --- | --- |")
    for each in results:
        print(f"| {each['network']} | {each['float']:.2f} % | {each['integer']:.2f} % | {each['in']:.1e} | {each['out']:.1e} | "
              f"{'exact' if each['exact'] else 'differs'} |")
    return 0 if all(each["ok"] for each in results) else 1


if __name__ == "__main__":
    sys.exit(main())
