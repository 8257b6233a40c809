#!/usr/bin/env python3
"""Prints the table of docs/benchmarks.md from what scripts/marks_cifar10.sh leaves.

  scripts/marks_table.py SCHEME DIR

One row per finished seed of each network, and one with the mean where there are several.
"""
import json
import pathlib
import re
import statistics
import sys

HEAD = ("network", "seed", "epochs", "float32, %", "{}, %", "drop, points", "right to wrong, wrong to right", "bytes of the {} model")


def cells(values):
    return "| " + " | ".join(values) + " |"


def epochs_of(run):
    config = (run / "config.toml").read_text(encoding="utf-8")
    return f"{float(re.search(r'^epochs = (.*)$', config, re.MULTILINE)[1]):g}"


def read(report):
    """What one report says: accuracies of the float32 model and of the integers, what they answer differently, bytes."""
    content = json.loads(report.read_text(encoding="utf-8"))
    reference, model = content["models"]
    return {"float": reference["accuracy"]["top1"], "model": model["accuracy"]["top1"], "flips": content["pairs"][0]["flips"],
            "bytes": model["bytes"], "epochs": f"{epochs_of(report.parent / 'float32')} + {epochs_of(report.with_suffix(''))}", "seed": report.parent.name.removeprefix("seed")}


def row(name, seed, epochs, floats, models, rest):
    return cells([name, seed, epochs, f"{floats:.2f}", f"{models:.2f}", f"{floats - models:+.2f}", *rest])


def in_order(network):
    """resnet8 comes before resnet20."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", network.name)]


def rows_of(network, results):
    for each in results:
        flips = each["flips"]
        yield row(network, each["seed"], each["epochs"], each["float"], each["model"],
                  (f"{flips['right_to_wrong']}, {flips['wrong_to_right']}", f"{each['bytes']:,}"))
    if len(results) > 1:
        mean = [statistics.mean(each[key] for each in results) for key in ("float", "model")]
        yield row(network, f"mean of {len(results)}", "", *mean, ("", ""))


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    scheme, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    lines = [cells(text.format(scheme) for text in HEAD), "| --- |" + " --- |" * (len(HEAD) - 1)]
    for network in sorted({report.parent.parent for report in folder.glob(f"*/seed*/{scheme}.json")}, key=in_order):
        reports = sorted(network.glob(f"seed*/{scheme}.json"), key=lambda path: int(path.parent.name.removeprefix("seed")))
        lines += rows_of(network.name, [read(report) for report in reports])
    if len(lines) == 2:
        print(f"marks_table.py: {folder}: no finished {scheme} model", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
