#!/usr/bin/env python3
"""Prints the table of docs/benchmarks.md from the reports that scripts/bench_lenet.sh leaves.

  scripts/lenet_table.py SEED1/eval.json SEED2/eval.json ...

One column per report, then mean and spread (largest minus least) of the accuracies. A row that the reports lack is left out.
"""
import json
import pathlib
import statistics
import sys

ACCURACIES = {
    "float": "float",
    "checkpoint": "trained weights, fake quantization off (row `checkpoint`)",
    "simulated": "simulated in exact integers",
    "uint8.tflite": "uint8 model",
}
# Labels that differ between two rows.
FLIPS = {
    ("simulated", "uint8.tflite"): "labels that differ: simulated and uint8 model",
    ("checkpoint", "graph"): "labels that differ: LibTorch float and the frozen float graph",
    ("fake-quantized", "simulated"): "labels that differ: training's float fake quantization and simulated",
}


def short(name):
    return name.rsplit("/", 1)[-1]


def read(path):
    """({row: accuracy}, {(a, b): pair}) of one report."""
    report = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    models = {short(model["name"]): model["accuracy"]["top1"] for model in report["models"]}
    return models, {(short(pair["a"]), short(pair["b"])): pair for pair in report["pairs"]}


def row(title, values, text, summary=("", "")):
    return "| " + " | ".join([title, *map(text, values), *summary]) + " |"


def table(reports):
    columns = [f"seed {i + 1}" for i in range(len(reports))]
    lines = [row("accuracy on the test images, %", columns, str, ("mean", "spread")), "| --- |" + " --- |" * (len(columns) + 2)]
    for name, title in ACCURACIES.items():
        if all(name in models for models, _ in reports):
            values = [models[name] for models, _ in reports]
            summary = (f"{statistics.mean(values):.2f}", f"{max(values) - min(values):.2f}")
            lines.append(row(title, values, "{:.2f}".format, summary))
    reference = "float" if all("float" in models for models, _ in reports) else "checkpoint"
    drops = [models[reference] - models["uint8.tflite"] for models, _ in reports]
    lines.append(row("drop of the uint8 model, points", drops, "{:+.2f}".format, (f"{statistics.mean(drops):+.2f}", "")))
    for (a, b), title in FLIPS.items():
        pairs = [pairs[a, b] for _, pairs in reports if (a, b) in pairs]
        if len(pairs) != len(reports):
            continue
        lines.append(row(title, [pair["flips"]["total"] for pair in pairs], str))
        if b == "uint8.tflite":
            lines.append(row("largest difference of their outputs, steps", [pair["max_abs_lsb"] for pair in pairs], "{:g}".format))
    return "\n".join(lines) + "\n"


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    print(table([read(path) for path in sys.argv[1:]]), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
