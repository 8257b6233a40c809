#!/usr/bin/env python3
"""Trains each task with qat-train and the same network with PyTorch, and prints a table as in docs/benchmarks.md.

  bench_tasks.py PROGRAMS [--seeds N] [--steps N]

PROGRAMS is the folder of qat-train and its like; the Python needs numpy and torch. Data are drawn from formulas, 4,000 examples to
train on and 4,000 to test on. Both train with Adam, a cosine from 0.003 and batches of 64, without weight decay and holdout. Two rows
of ours: without quantization, and as int8, whose figures are those of the .tflite.
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

EXAMPLES, FEATURES, HIDDEN, RATE, BATCH = 4000, 8, 32, 3e-3, 64


def features(generator):
    return generator.uniform(-1, 1, (EXAMPLES, FEATURES)).astype("float32")


def yes_no(generator, _train):
    x = features(generator)
    return x, (x[:, 0] * x[:, 1] + 0.3 * generator.normal(0, 1, EXAMPLES) > 0.2).astype("int64")


def multi_label(generator, _train):
    x = features(generator)
    noise = 0.2 * generator.normal(0, 1, (EXAMPLES, 3))
    signal = np.stack([x[:, 0] + x[:, 1], x[:, 2] * x[:, 3] * 2 - 0.3, np.abs(x[:, 4]) - 0.7], 1)
    return x, (signal + noise > 0).astype("int64")


def numbers(generator, _train):
    x = features(generator)
    kelvin = 300 + 5 * np.sin(3 * x[:, 0]) + 2 * x[:, 1]
    small = 0.01 * x[:, 2] * x[:, 3] - 0.5
    noise = generator.normal(0, 1, (EXAMPLES, 2)) * (0.5, 0.0005)
    return x, (np.stack([kelvin, small], 1) + noise).astype("float32")


def anomalies(generator, train):
    place = generator.uniform(-1, 1, (EXAMPLES, 2, 1))
    columns = np.arange(24)
    x = np.sin(3 * place[:, 0] + 0.3 * columns) + 0.5 * np.cos(2 * place[:, 1] + 0.5 * columns)
    x += 0.1 * generator.normal(0, 1, x.shape)
    odd = np.zeros(EXAMPLES, "int64") if train else np.arange(EXAMPLES) % 2
    x[odd == 1] += 0.25 * generator.normal(0, 1, (int(odd.sum()), 24))
    return x.astype("float32"), odd


def rare(generator, _train):
    x = features(generator)
    return x, ((x[:, 0] + x[:, 1] > 0.9) & (generator.uniform(0, 1, EXAMPLES) < 0.5)).astype("int64")


# name: data, layers, flags, what is read from a model's row of the report, and of it what is compared.
TASKS = {
    "yes-no": (yes_no, [HIDDEN, HIDDEN, 1], [], "AUC", lambda row: row["labels"]["labels"][0]["auc"]),
    "multi-label": (multi_label, [HIDDEN, HIDDEN, 3], [], "mAP", lambda row: row["labels"]["mean_average_precision"]),
    "numbers": (numbers, [HIDDEN, HIDDEN, 2], [], "RMSE of 300 K", lambda row: row["regression"]["targets"][0]["rmse"]),
    "reconstruction": (anomalies, [HIDDEN, 4, HIDDEN, 24], ["--task", "reconstruction"], "anomaly AUC", lambda row: row["anomaly"]["auc"]),
    "classes, weighted": (rare, [HIDDEN, HIDDEN, 2], ["--class-weights", "balanced"], "balanced accuracy",
                          lambda row: row["classification"]["balanced_accuracy"] / 100),
}


def auc(scores, labels):
    order = np.argsort(np.argsort(scores, kind="stable"))
    positive = labels == 1
    return (order[positive].sum() - positive.sum() * (positive.sum() - 1) / 2) / (positive.sum() * (~positive).sum())


def average_precision(scores, labels):
    ranked = labels[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(ranked) / (np.arange(len(ranked)) + 1))[ranked == 1].mean())


def torch_figure(task, data, layers, seed, steps):
    torch.manual_seed(seed)
    (x, y), (x_test, y_test) = data
    mean, std = x.mean(0), x.std(0)
    normal, test = torch.from_numpy((x - mean) / std), torch.from_numpy((x_test - mean) / std)
    sizes = [x.shape[1], *layers]
    modules = []
    for before, after in zip(sizes, sizes[1:]):
        modules += [nn.Linear(before, after), nn.ReLU()]
    network = nn.Sequential(*modules[:-1])
    for module in network:
        if isinstance(module, nn.Linear):  # as ours start
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    loss = {"yes-no": nn.BCEWithLogitsLoss(), "multi-label": nn.BCEWithLogitsLoss(), "numbers": nn.MSELoss(),
            "reconstruction": nn.MSELoss()}.get(task)
    target = torch.from_numpy(y.astype("float32").reshape(len(y), -1))
    if task == "numbers":
        target_mean, target_std = y.mean(0), y.std(0)
        target = torch.from_numpy((y - target_mean) / target_std)
    if task == "reconstruction":
        target = normal
    if task == "classes, weighted":
        counts = np.bincount(y)
        loss, target = nn.CrossEntropyLoss(torch.from_numpy((len(y) / (2 * counts)).astype("float32"))), torch.from_numpy(y)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    order = torch.randperm(len(x))
    for step in range(steps):
        first = step * BATCH % len(x)
        if first + BATCH > len(x):
            order = torch.randperm(len(x))
        batch = order[first:first + BATCH]
        optimizer.zero_grad()
        loss(network(normal[batch]), target[batch]).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        answers = network(test).numpy()
    if task == "yes-no":
        return auc(answers[:, 0], y_test)
    if task == "multi-label":
        return np.mean([average_precision(answers[:, k], y_test[:, k]) for k in range(3)])
    if task == "numbers":
        return float(np.sqrt(((answers * target_std + target_mean - y_test)[:, 0] ** 2).mean()))
    if task == "reconstruction":
        return auc(((answers - test.numpy()) ** 2).mean(1), y_test)
    return np.mean([(answers.argmax(1)[y_test == c] == c).mean() for c in (0, 1)])


def spec(folder, inputs, layers):
    text = f'name = "bench"\n\n[input]\nheight = 1\nwidth = 1\nchannels = {inputs}\n'
    for i, units in enumerate(layers):
        activation = 'activation = "relu"\n' if i + 1 < len(layers) else ""
        text += f'\n[[layer]]\nname = "dense{i}"\nop = "fully_connected"\nunits = {units}\n{activation}'
    (folder / "bench.toml").write_text(text)
    return folder / "bench.toml"


def our_figure(programs, folder, layers, flags, figure, scheme, seed, steps):
    def run(program, *arguments):
        done = subprocess.run([programs / program, *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{program}: {done.stderr}")

    data, run_folder = folder / "data.npz", folder / f"run-{scheme}-{seed}"
    network = spec(folder, np.load(data)["x_train"].shape[1], layers)
    run("qat-train", "--data", data, "--network", network, "--scheme", scheme, "--steps", steps, "--batch-size", BATCH,
        "--learning-rate", RATE, "--weight-decay", 0, "--warmup-fraction", 0, "--weight-average-decay", 0, "--holdout", 0,
        "--eval-every", steps, "--seed", seed, "--threads", 1, "--progress", "none", "-o", run_folder, *flags)
    run("qat-freeze", run_folder, "-o", folder / "g.qgraph")
    run("qat-convert", folder / "g.qgraph", "--type", scheme, "-o", folder / "m.tflite")
    run("qat-eval", "--data", data, "--model", folder / "m.tflite", "--repeat", 0, "--litert", "off", "--progress", "none",
        "--json", folder / "r.json")
    return figure(json.loads((folder / "r.json").read_text())["models"][0])


def shown(values):
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| task | figure | PyTorch | ours, float32 | ours, int8 |\n| --- | --- | --- | --- | --- |")
    for task, (make, layers, flags, name, figure) in TASKS.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            data = [make(np.random.default_rng(seed), train) for seed, train in ((1, True), (2, False))]
            np.savez(folder / "data.npz", x_train=data[0][0], y_train=data[0][1], x_test=data[1][0], y_test=data[1][1])
            columns = [[torch_figure(task, data, layers, seed, arguments.steps) for seed in range(1, arguments.seeds + 1)]]
            for scheme in ("float32", "int8"):
                columns.append([our_figure(arguments.programs, folder, layers, flags, figure, scheme, seed, arguments.steps)
                                for seed in range(1, arguments.seeds + 1)])
        print(f"| {task} | {name} | {' | '.join(map(shown, columns))} |", flush=True)


if __name__ == "__main__":
    main()
