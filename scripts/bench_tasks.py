#!/usr/bin/env python3
"""Trains each task with qat-train and the same network with PyTorch, and prints a table as in docs/benchmarks.md.

  bench_tasks.py PROGRAMS [--seeds N] [--steps N] [--task NAME]...

PROGRAMS is the folder of qat-train and its like; the Python needs numpy and torch. Data are drawn from formulas. Both train with Adam, a
cosine from 0.003 and batches of 64, without weight decay and holdout. Two columns of ours: without quantization, and as int8, whose
figures are those of the .tflite. "loss" is that on the test examples at the end, of int8 with fake quantization.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import torch
from torch import nn
from torch.nn import functional

EXAMPLES, FEATURES, HIDDEN, RATE, BATCH = 4000, 8, 32, 3e-3, 64
SIDE, IGNORED = 16, 255


def features(generator):
    return generator.uniform(-1, 1, (EXAMPLES, FEATURES)).astype("float32")


def yes_no(generator, _train):
    x = features(generator)
    return {"x": x, "y": (x[:, 0] * x[:, 1] + 0.3 * generator.normal(0, 1, EXAMPLES) > 0.2).astype("int64")}


def multi_label(generator, _train):
    x = features(generator)
    noise = 0.2 * generator.normal(0, 1, (EXAMPLES, 3))
    signal = np.stack([x[:, 0] + x[:, 1], x[:, 2] * x[:, 3] * 2 - 0.3, np.abs(x[:, 4]) - 0.7], 1)
    return {"x": x, "y": (signal + noise > 0).astype("int64")}


def numbers(generator, _train):
    x = features(generator)
    kelvin = 300 + 5 * np.sin(3 * x[:, 0]) + 2 * x[:, 1]
    small = 0.01 * x[:, 2] * x[:, 3] - 0.5
    noise = generator.normal(0, 1, (EXAMPLES, 2)) * (0.5, 0.0005)
    return {"x": x, "y": (np.stack([kelvin, small], 1) + noise).astype("float32")}


def anomalies(generator, train):
    place = generator.uniform(-1, 1, (EXAMPLES, 2, 1))
    columns = np.arange(24)
    x = np.sin(3 * place[:, 0] + 0.3 * columns) + 0.5 * np.cos(2 * place[:, 1] + 0.5 * columns)
    x += 0.1 * generator.normal(0, 1, x.shape)
    odd = np.zeros(EXAMPLES, "int64") if train else np.arange(EXAMPLES) % 2
    x[odd == 1] += 0.25 * generator.normal(0, 1, (int(odd.sum()), 24))
    return {"x": x.astype("float32"), "y": odd}


def rare(generator, _train):
    x = features(generator)
    return {"x": x, "y": ((x[:, 0] + x[:, 1] > 0.9) & (generator.uniform(0, 1, EXAMPLES) < 0.5)).astype("int64")}


def maps(generator, train):
    """Bright discs and dark rectangles on noise: three classes, and no label at the edge of a shape."""
    count = EXAMPLES // 4
    rows, columns = np.mgrid[:SIDE, :SIDE]
    x, y = generator.normal(120, 25, (count, SIDE, SIDE)), np.zeros((count, SIDE, SIDE), "int64")
    for n in range(count):
        row, column, radius = generator.uniform(3, SIDE - 3, 2).tolist() + [generator.uniform(2, 5)]
        distance = np.hypot(rows - row, columns - column) - radius
        top, left = generator.integers(0, SIDE - 6, 2)
        box = (rows >= top) & (rows < top + 5) & (columns >= left) & (columns < left + 6)
        x[n] += 45 * (distance < 0) - 45 * box
        y[n][box] = 2
        y[n][distance < 0] = 1
        y[n][np.abs(distance) < 0.5] = IGNORED
    return {"x": x.round().clip(0, 255).astype("uint8")[..., None], "y": y}


def two_outputs(generator, _train):
    x = features(generator)
    kind = (x[:, 0] + x[:, 1] + 0.3 * generator.normal(0, 1, EXAMPLES) > 0).astype("int64") + (x[:, 2] * x[:, 3] > 0.1)
    place = np.stack([300 + 20 * x[:, 0] * x[:, 4], 0.01 * np.sin(3 * x[:, 1])], 1)
    place += generator.normal(0, 1, place.shape) * (1, 0.0005)
    return {"x": x, "y_kind": kind, "y_place": place.astype("float32")}


class Heads(nn.Module):
    def __init__(self, body, heads):
        super().__init__()
        self.body, self.heads = body, nn.ModuleList(heads)

    def forward(self, x):
        shared = self.body(x)
        return [head(shared) for head in self.heads]


def dense(inputs, layers):
    """The layers by PyTorch and as a spec; a tuple at the end is several outputs, by name."""
    text, modules, before = f'name = "bench"\n\n[input]\nheight = 1\nwidth = 1\nchannels = {inputs}\n', [], inputs
    outputs = layers[-1] if isinstance(layers[-1], dict) else {}
    for i, units in enumerate(layers[:-1] if outputs else layers):
        last = not outputs and i + 1 == len(layers)
        text += f'\n[[layer]]\nname = "dense{i}"\nop = "fully_connected"\nunits = {units}\n' + ("" if last else 'activation = "relu"\n')
        modules += [nn.Linear(before, units)] + ([] if last else [nn.ReLU()])
        before = units
    if not outputs:
        return text, nn.Sequential(*modules)
    shared = f'dense{len(layers) - 2}'
    for name, units in outputs.items():
        text += f'\n[[layer]]\nname = "{name}"\nop = "fully_connected"\ninputs = ["{shared}"]\nunits = {units}\n'
    text = text.replace("\n\n[input]", f"\noutputs = {json.dumps(list(outputs))}\n\n[input]", 1)
    return text, Heads(nn.Sequential(*modules), [nn.Linear(before, units) for units in outputs.values()])


def convolutions(_inputs, layers):
    text = f'name = "bench"\n\n[input]\nheight = {SIDE}\nwidth = {SIDE}\nchannels = 1\n'
    modules, before = [], 1
    for i, (filters, kernel) in enumerate(layers):
        last = i + 1 == len(layers)
        text += (f'\n[[layer]]\nname = "conv{i}"\nop = "conv_2d"\nfilters = {filters}\nkernel = {kernel}\npadding = "same"\n'
                 + ("" if last else 'activation = "relu"\n'))
        modules += [nn.Conv2d(before, filters, kernel, padding=kernel // 2)] + ([] if last else [nn.ReLU()])
        before = filters
    return text, nn.Sequential(*modules)


def auc(scores, labels):
    order = np.argsort(np.argsort(scores, kind="stable"))
    positive = labels == 1
    return (order[positive].sum() - positive.sum() * (positive.sum() - 1) / 2) / (positive.sum() * (~positive).sum())


def average_precision(scores, labels):
    ranked = labels[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(ranked) / (np.arange(len(ranked)) + 1))[ranked == 1].mean())


def mean_iou(answers, labels):
    known = labels != IGNORED
    answers, labels = answers[known], labels[known]
    shares = [((answers == c) & (labels == c)).sum() / ((answers == c) | (labels == c)).sum() for c in range(3)]
    return float(np.mean(shares))


def normalized(target, of):
    return torch.from_numpy(((target - of.mean(0)) / of.std(0)).astype("float32"))


def rmse(answers, target, of, column):
    return float(np.sqrt(((answers * of.std(0) + of.mean(0) - target)[:, column] ** 2).mean()))


class Task:
    """What is learned. `loss(outputs, split, rows)` and `figures(outputs)` are PyTorch's side, `read(model, report)` reads ours."""

    def __init__(self, make, network, layers, flags, names, read):
        self.make, self.network, self.layers, self.flags, self.names, self.read = make, network, layers, flags, names, read
        self.data = {name: make(np.random.default_rng(seed), name == "train") for seed, name in ((1, "train"), (2, "test"))}
        train, test = self.data["train"], self.data["test"]
        self.inputs = {}
        for name, split in self.data.items():
            x = split["x"].astype("float32")
            centred = (x - 120) / 40 if x.ndim == 4 else (x - train["x"].mean(0)) / train["x"].std(0)
            self.inputs[name] = torch.from_numpy(np.moveaxis(centred, -1, 1).copy() if x.ndim == 4 else centred)
        self.train, self.test = train, test

    def save(self, path):
        np.savez(path, **{f"{name}_{split}": array for split, arrays in self.data.items() for name, array in arrays.items()})

    def target(self, split, key="y"):
        return self.data[split][key]


class YesNo(Task):
    def loss(self, outputs, split, rows):
        return functional.binary_cross_entropy_with_logits(outputs[:, 0], torch.from_numpy(self.target(split)[rows].astype("float32")))

    def figures(self, outputs):
        return [auc(outputs[:, 0].numpy(), self.test["y"])]


class MultiLabel(Task):
    def loss(self, outputs, split, rows):
        return functional.binary_cross_entropy_with_logits(outputs, torch.from_numpy(self.target(split)[rows].astype("float32")))

    def figures(self, outputs):
        return [float(np.mean([average_precision(outputs[:, k].numpy(), self.test["y"][:, k]) for k in range(3)]))]


class Numbers(Task):
    def loss(self, outputs, split, rows):
        return functional.mse_loss(outputs, normalized(self.target(split)[rows], self.train["y"]))

    def figures(self, outputs):
        return [rmse(outputs.numpy(), self.test["y"], self.train["y"], column) for column in (0, 1)]


class Reconstruction(Task):
    def loss(self, outputs, split, rows):
        return functional.mse_loss(outputs, self.inputs[split][rows])

    def figures(self, outputs):
        return [auc(((outputs - self.inputs["test"]) ** 2).mean(1).numpy(), self.test["y"])]


class Weighted(Task):
    def loss(self, outputs, split, rows):
        counts = np.bincount(self.train["y"])
        weights = torch.from_numpy((len(self.train["y"]) / (2 * counts)).astype("float32"))
        return functional.cross_entropy(outputs, torch.from_numpy(self.target(split)[rows]), weights if split == "train" else None)

    def figures(self, outputs):
        answers = outputs.argmax(1).numpy()
        return [float(np.mean([(answers[self.test["y"] == c] == c).mean() for c in (0, 1)]))]


class Maps(Task):
    def loss(self, outputs, split, rows):
        return functional.cross_entropy(outputs, torch.from_numpy(self.target(split)[rows]), ignore_index=IGNORED)

    def figures(self, outputs):
        return [mean_iou(outputs.argmax(1).numpy(), self.test["y"])]


class TwoOutputs(Task):
    def loss(self, outputs, split, rows):
        kind = functional.cross_entropy(outputs[0], torch.from_numpy(self.target(split, "y_kind")[rows]))
        return kind + functional.mse_loss(outputs[1], normalized(self.target(split, "y_place")[rows], self.train["y_place"]))

    def figures(self, outputs):
        right = float((outputs[0].argmax(1).numpy() == self.test["y_kind"]).mean())
        return [right] + [rmse(outputs[1].numpy(), self.test["y_place"], self.train["y_place"], column) for column in (0, 1)]


def targets_rmse(model):
    return [each["rmse"] for each in model["regression"]["targets"]]


# By name: how it is made, and how its figures are read from the row of a model and the report.
TASKS = {
    "yes-no": lambda: YesNo(yes_no, dense, [HIDDEN, HIDDEN, 1], [], ["AUC"], lambda row, _: [row["labels"]["labels"][0]["auc"]]),
    "multi-label": lambda: MultiLabel(multi_label, dense, [HIDDEN, HIDDEN, 3], [], ["mAP"],
                                      lambda row, _: [row["labels"]["mean_average_precision"]]),
    "numbers": lambda: Numbers(numbers, dense, [HIDDEN, HIDDEN, 2], [], ["RMSE of 300 K", "RMSE of -0.5"],
                               lambda row, _: targets_rmse(row)),
    "reconstruction": lambda: Reconstruction(anomalies, dense, [HIDDEN, 8, HIDDEN, 24], ["--task", "reconstruction"],
                                             ["anomaly AUC"], lambda row, _: [row["anomaly"]["auc"]]),
    "classes, weighted": lambda: Weighted(rare, dense, [HIDDEN, HIDDEN, 2], ["--class-weights", "balanced"], ["balanced accuracy"],
                                          lambda row, _: [row["classification"]["balanced_accuracy"] / 100]),
    "maps": lambda: Maps(maps, convolutions, [(16, 3), (16, 3), (3, 1)], ["--mean", "120", "--std", "40"], ["mean IoU"],
                         lambda row, _: [row["classification"]["mean_iou"] / 100]),
    "two outputs": lambda: TwoOutputs(
        two_outputs, dense, [HIDDEN, HIDDEN, {"kind": 3, "place": 2}], [],
        ["accuracy of the first", "RMSE of 300", "RMSE of 0.01"],
        lambda row, report: [row["accuracy"]["top1"] / 100] + targets_rmse(report["other_outputs"][0]["models"][0])),
}


def torch_figures(task, seed, steps):
    torch.manual_seed(seed)
    _, network = task.network(task.inputs["train"].shape[1], task.layers)
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):  # as ours start
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    count = len(task.inputs["train"])
    order, at = torch.randperm(count), 0
    for _ in range(steps):
        if at + BATCH > count:
            order, at = torch.randperm(count), 0
        rows = order[at:at + BATCH].numpy()
        at += BATCH
        optimizer.zero_grad()
        task.loss(network(task.inputs["train"][rows]), "train", rows).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        outputs = network(task.inputs["test"])
        every = np.arange(len(task.inputs["test"]))
        return [float(task.loss(outputs, "test", every)), *task.figures(outputs)]


def our_figures(programs, folder, task, scheme, seed, steps):
    def run(program, *arguments):
        done = subprocess.run([programs / program, *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{program}: {done.stderr}")

    data, run_folder = folder / "data.npz", folder / f"run-{scheme}-{seed}"
    text, _ = task.network(task.inputs["train"].shape[1], task.layers)
    (folder / "bench.toml").write_text(text)
    run("qat-train", "--data", data, "--network", folder / "bench.toml", "--scheme", scheme, "--steps", steps, "--batch-size", BATCH,
        "--learning-rate", RATE, "--weight-decay", 0, "--warmup-fraction", 0, "--weight-average-decay", 0, "--holdout", 0,
        "--eval-every", steps, "--seed", seed, "--threads", 1, "--progress", "none", "-o", run_folder, *task.flags)
    run("qat-freeze", run_folder, "-o", folder / "g.qgraph")
    run("qat-convert", folder / "g.qgraph", "--type", scheme, "-o", folder / "m.tflite")
    run("qat-eval", "--data", data, "--model", folder / "m.tflite", "--repeat", 0, "--litert", "off", "--progress", "none",
        "--json", folder / "r.json")
    events = [json.loads(line) for line in (run_folder / "metrics.ndjson").read_text().splitlines()]
    loss = [event["loss"] for event in events if event["event"] == "eval"][-1]
    report = json.loads((folder / "r.json").read_text())
    return [loss, *task.read(report["models"][0], report)]


def shown(values):
    mean = statistics.mean(values)
    decimals = 4 if abs(mean) >= 0.01 else 6
    spread = f" ± {statistics.stdev(values):.{decimals}f}" if len(values) > 1 else ""
    return f"{mean:.{decimals}f}{spread}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--task", action="append", choices=list(TASKS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seeds = range(1, arguments.seeds + 1)
    print("| task | figure | PyTorch | ours, float32 | ours, int8 |\n| --- | --- | --- | --- | --- |")
    for name in arguments.task or TASKS:
        task = TASKS[name]()
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            task.save(folder / "data.npz")
            columns = [[torch_figures(task, seed, arguments.steps) for seed in seeds]]
            for scheme in ("float32", "int8"):
                columns.append([our_figures(arguments.programs, folder, task, scheme, seed, arguments.steps) for seed in seeds])
        for i, figure in enumerate(["loss", *task.names]):
            print(f"| {name} | {figure} | {' | '.join(shown([run[i] for run in column]) for column in columns)} |", flush=True)


if __name__ == "__main__":
    main()
