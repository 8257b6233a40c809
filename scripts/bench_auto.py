"""Compares the automatic recipe of qat-train with the best point of a grid, and prints a Markdown table: see bench_auto.sh."""
import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys

# What varies in the grid; everything else is what the automatic recipe says, its number of steps too.
ADAM = [("adam", rate) for rate in ("0.0003", "0.001", "0.003", "0.01")]
SGD = [("sgd", rate) for rate in ("0.01", "0.03", "0.1")]
SENSORS = {"arrowhead": "ArrowHead", "basicmotions": "BasicMotions", "italypowerdemand": "ItalyPowerDemand", "tecator": "Tecator"}
SETS = {
    "mnist": {"title": "MNIST", "grid": ADAM[1:3] + SGD[:2], "flags": []},
    "cifar10": {"title": "CIFAR-10, 4 epochs", "grid": ADAM[1:3] + SGD[1:], "flags": ["--epochs", "4"]},
    "textures": {"title": "four folders of textures", "grid": ADAM[1:] + SGD[1:], "flags": []},
    "signal": {"title": "a byte signal", "grid": ADAM + SGD[1:], "flags": []},
    "regression": {"title": "a regression (RMSE)", "grid": ADAM + [("adam", "0.03")] + SGD[:2], "flags": []},
    **{name: {"title": title + (" (RMSE)" if title == "Tecator" else ""), "grid": ADAM + [("adam", "0.03")] + SGD[:2],
              "flags": ["--scheme", "int8"]} for name, title in SENSORS.items()},
}
NUMBERS = ("regression", "tecator")


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments

    def data_of(self, name):
        out, given = self.arguments.output, self.arguments.data
        if name == "mnist":
            return os.path.join(given, "mnist")
        if name in SENSORS:
            return os.path.join(given, "sensors", SENSORS[name] + ".npz")
        data = os.path.join(out, "data", name)
        if not os.path.exists(data + ".done"):
            if name == "cifar10":
                subprocess.run(["scripts/unpack_cifar10.sh", os.path.join(given, "cifar10-images.tar.gz"), data], check=True)
            else:
                subprocess.run([sys.executable, "scripts/make_bench_data.py", name, data], check=True)
            open(data + ".done", "w").close()
        return data

    def run(self, tool, *flags):
        done = subprocess.run([os.path.join(self.arguments.bin, tool), *flags], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{tool} {' '.join(flags)}: exit code {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def result(self, name, label, seed, flags):
        """Trains, converts and evaluates one run, unless its result is there: held-out and test figures, seconds."""
        folder = os.path.join(self.arguments.output, name, f"{label}-{seed}")
        path = os.path.join(folder, "result.json")
        if os.path.exists(path):
            with open(path) as file:
                return json.load(file)
        os.makedirs(folder, exist_ok=True)
        data, run, model = self.data_of(name), os.path.join(folder, "run"), os.path.join(folder, "model.tflite")
        print(f"{name} {label} seed {seed}", file=sys.stderr, flush=True)
        before = os.times()
        self.run("qat-train", "--data", data, "--seed", str(seed), "--threads", self.arguments.threads, "--progress",
                 "none", "--resume-if-exists", "--json", os.path.join(folder, "train.json"), "-o", run,
                 *SETS[name]["flags"], *flags)
        after = os.times()
        seconds = after.children_user + after.children_system - before.children_user - before.children_system
        self.run("qat-freeze", run, "-o", model + ".qgraph")
        self.run("qat-convert", model + ".qgraph", "-o", model)
        evaluated = json.loads(self.run("qat-eval", "--data", data, "--model", model, "--litert", "off", "--repeat", "0",
                                        "--progress", "none", "--json", "-"))
        with open(os.path.join(folder, "train.json")) as file:
            metrics = json.load(file)["metrics"]
        figures = evaluated["models"][0]
        if name in NUMBERS:
            held_out, test = metrics["best_rmse"], figures["regression"]["rmse"]
        else:
            held_out, test = metrics["best_accuracy"], figures["accuracy"]["top1"]
        result = {"held_out": held_out, "test": test, "seconds": seconds, "examples": evaluated["data"]["examples"]}
        with open(path + ".new", "w") as file:
            json.dump(result, file)
        os.rename(path + ".new", path)
        return result

    def steps_of(self, name):
        """Those of the automatic recipe, so that the grid trains as long."""
        with open(os.path.join(self.arguments.output, name, "auto-1", "run", "config.toml")) as file:
            found = re.search(r"^steps = (\d+)$", file.read(), re.M)
        return ["--steps", found.group(1)] if found.group(1) != "0" else []

    def row(self, name):
        seeds = range(1, self.arguments.seeds + 1)
        auto = [self.result(name, "auto", seed, []) for seed in seeds]
        better = min if name in NUMBERS else max
        points = {}
        for optimizer, rate in SETS[name]["grid"]:
            flags = ["--optimizer", optimizer, "--learning-rate", rate, *self.steps_of(name)]
            points[f"{optimizer} {rate}"] = flags
        tried = {label: self.result(name, label.replace(" ", "-"), 1, flags) for label, flags in points.items()}
        label = better(tried, key=lambda each: tried[each]["held_out"])
        best = [self.result(name, label.replace(" ", "-"), seed, points[label]) for seed in seeds]
        return self.format(name, label, auto, best)

    def format(self, name, label, auto, best):
        def cell(results):
            values = [each["test"] for each in results]
            spread = statistics.stdev(values) if len(values) > 1 else math.nan
            digits = 4 if name in NUMBERS else 2
            return f"{statistics.mean(values):.{digits}f} ± {spread:.{digits}f}"

        difference = statistics.mean(each["test"] for each in auto) - statistics.mean(each["test"] for each in best)
        unit = f"{difference:+.4f}" if name in NUMBERS else f"{difference:+.2f} points"
        seconds = statistics.mean(each["seconds"] for each in auto)
        return (f"| {SETS[name]['title']} | {len(auto)} | {cell(auto)} | {cell(best)} | {label} of "
                f"{len(SETS[name]['grid'])} | {unit} | {seconds:.0f} s |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--only", choices=list(SETS), action="append")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", default=os.environ.get("QAT_TEST_DATA", os.path.join(os.path.dirname(__file__), "../../shared/data")))
    parser.add_argument("--threads", default="1")
    parser.add_argument("--bin", default="build/bin")
    parser.add_argument("--called-from", default=".", help="the folder that relative paths start at")
    arguments = parser.parse_args()
    for path in ("output", "data"):
        setattr(arguments, path, os.path.abspath(os.path.join(arguments.called_from, getattr(arguments, path))))
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    bench = Bench(arguments)
    print("| data | seeds | auto | best of the grid | which | difference | processor time of a run |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in bench.arguments.only or SETS:
        print(bench.row(name), flush=True)


main()
