#!/usr/bin/env python3
"""Makes the table of docs/benchmarks.md on precisions: what every type of qat-convert costs, with every repair and with training.

  bench_precisions.py [--bin build/bin] [--data DIR] [--work build/precisions] [--network NAME]... [--seeds N] [--threads N]
                      [--trained RUN]... [--litert PYTHON] [--litert-limit N] [--finished] [--into PAGE]

For each network and seed: one float run; from it, with the same number of further steps, one run in float32 (the reference), uint8, int8,
w4a8, and w4a8 with learned ranges of filters each. The float32 run is quantized without training to every type, by 1,000 training images, with no repair, with each alone, with all,
and with those that --repair auto keeps. All models answer the whole test set beside the reference; drops are paired, p is that of McNemar's
exact test over the answers of all seeds. Each file also runs in the TFLite interpreter with reference kernels (--litert: a Python with
ai-edge-litert), on --litert-limit test images (default 500, 0: all): integers have to be equal byte for byte. Models of real numbers run on
10 random inputs there and have to be as near to the reference kernels as TFLite's other kernels are (tests/conformance/compare_models.py).

What is finished is not made again: a run that was cut off goes on. DIR holds mnist/ and cifar10-images.tar.gz. --finished makes nothing,
and what is not measured stands as "–". --trained makes and measures only float32 and the runs named (uint8, int8, w4a8, w4a8-learned), for
more seeds of these. --into replaces the text between "<!-- precisions NAME -->" and "<!-- end -->" of PAGE for every
network asked for; without it the tables are printed. Exit status: 0; 1 where a model differs from the interpreter; that of the program
that failed.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

from page_places import put_into_page

ROOT = pathlib.Path(__file__).resolve().parents[1]
FINE_TUNE = ["--warmup-steps", "0", "--quant-delay-fraction", "0.05"]
CIFAR = ["--config", str(ROOT / "scripts/cifar10_short.toml")]
CIFAR_FURTHER = ["--epochs", "6", "--learning-rate", "0.01", "--bn-freeze-fraction", "0.4"]
# Of each network: its data, flags of every run, of the float run, of the runs that follow, and seeds.
NETWORKS = {
    "lenet": ("mnist", ["--preset", "lenet"], ["--epochs", "24"], ["--epochs", "6", "--learning-rate", "5e-4"], 3),
    "resnet8": ("cifar10", [*CIFAR, "--network", "resnet8"], ["--epochs", "24"], CIFAR_FURTHER, 3),
    "resnet20": ("cifar10", [*CIFAR, "--network", "resnet20"], ["--epochs", "24"], CIFAR_FURTHER, 1),
    "mobilenet_v1": ("cifar10", [*CIFAR, "--network", "mobilenet_v1", "--width", "0.25", "--resolution", "32"], ["--epochs", "24"],
                     CIFAR_FURTHER, 1),
}
# What is trained: its name, the type, the column of the table, and further flags. With 4 bits, batch norms learn to the end.
LEARNING = ["--bn-freeze-fraction", "1"]
TRAINED = {"float32": ("float32", "", []), "uint8": ("uint8", "trained", []), "int8": ("int8", "trained", []),
           "w4a8": ("w4a8", "trained", LEARNING), "w4a8-learned": ("w4a8", "learned", [*LEARNING, "--filter-ranges", "learned"])}
INTEGERS = ["uint8", "int8", "int8-per-tensor", "int16x8", "w4a8"]
REALS = ["dynamic", "dynamic4", "float16"]
REPAIRS = {"none": [], "equalize": ["--repair", "equalize"], "adaround": ["--repair", "adaround"], "bias": ["--repair", "bias"],
           "all": ["--repair", "equalize,adaround,bias"], "auto": ["--repair", "auto"]}
RANDOM_INPUTS = 10


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path(os.environ.get("QAT_TEST_DATA", ROOT / "../shared/data")))
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/precisions")
    parser.add_argument("--network", action="append", choices=list(NETWORKS), dest="networks")
    parser.add_argument("--seeds", type=int, help="instead of three for lenet and resnet8 and one for the others")
    parser.add_argument("--trained", action="append", choices=list(TRAINED)[1:], help="only these runs, and no model without training")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--litert", default=sys.executable, help="default: the Python that runs this")
    parser.add_argument("--litert-limit", type=int, default=500)
    parser.add_argument("--finished", action="store_true")
    parser.add_argument("--into", type=pathlib.Path)
    return parser.parse_args()


class Bench:
    """One network with one seed."""

    def __init__(self, arguments, name, seed):
        self.arguments, self.name, self.seed = arguments, name, seed
        self.data_name, self.flags, self.base_flags, self.fine_flags, _ = NETWORKS[name]
        self.folder = arguments.work / name / f"seed{seed}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def tool(self, name, *flags):
        command = [str(self.arguments.bin / name), *map(str, flags)]
        result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if result.returncode != 0:
            print(f"{' '.join(command)}: {result.stderr.strip()}", file=sys.stderr)
            sys.exit(result.returncode)

    def data(self):
        if self.data_name == "mnist":
            return self.arguments.data / "mnist"
        unpacked = self.arguments.work / "cifar10"
        if not unpacked.exists():
            subprocess.run([ROOT / "scripts/unpack_cifar10.sh", self.arguments.data / "cifar10-images.tar.gz", unpacked], check=True)
        return unpacked

    def train(self, run, *flags):
        if self.arguments.finished or (run / "model.qgraph").exists():
            return
        self.tool("qat-train", *self.flags, "--data", self.data(), "--seed", self.seed, "--threads", self.arguments.threads, "--progress", "none",
                  "--resume-if-exists", *flags, "-o", run)
        self.tool("qat-freeze", run, "--select", "last", "-o", run / "model.qgraph")

    def train_all(self):
        self.train(self.folder / "base", "--scheme", "float32", *self.base_flags)
        for name, (scheme, _, flags) in self.runs().items():
            self.train(self.folder / name, "--init", self.folder / "base", "--select", "last", "--scheme", scheme, *self.fine_flags, *FINE_TUNE, *flags)

    def runs(self):
        only = self.arguments.trained
        return {name: run for name, run in TRAINED.items() if not only or name in ["float32", *only]}

    def convert(self, graph, model, *flags):
        if not model.exists() and not self.arguments.finished:
            self.tool("qat-convert", graph, *flags, "--progress", "none", "-o", model)

    def models(self):
        """Names of what was made, with the file of each: ("int8", "adaround"), ("int8", "trained"), …"""
        calibrate = ["--calibrate", self.data(), "--calibration-limit", "1000"]
        floats = self.folder / "float32/model.qgraph"
        self.convert(floats, self.folder / "float32.tflite", "--type", "float32")
        for kind in [] if self.arguments.trained else REALS:
            model = self.folder / f"{kind}.tflite"
            self.convert(floats, model, "--type", kind)
            yield (kind, "none"), model
        for kind in [] if self.arguments.trained else INTEGERS:
            for repair, flags in REPAIRS.items():
                model = self.folder / f"{kind}.{repair}.tflite"
                self.convert(floats, model, "--type", kind, *calibrate, *flags)
                yield (kind, repair), model
        for name, (scheme, column, _) in list(self.runs().items())[1:]:
            model = self.folder / f"{name}.trained.tflite"
            self.convert(self.folder / name / "model.qgraph", model, "--type", scheme)
            yield (scheme, column), model

    def evaluate(self, model):
        """Of the whole test set: the pair of the reference and the model, and both accuracies; None: not measured."""
        report = model.with_suffix(".json")
        if self.arguments.finished and not report.exists():
            return None
        if not report.exists():
            self.tool("qat-eval", "compare", self.folder / "float32.tflite", model, "--data", self.data(), "--repeat", "0", "--litert", "off",
                      "--threads", self.arguments.threads, "--progress", "none", "--json", report)
        content = json.loads(report.read_text(encoding="utf-8"))
        reference, row = content["models"]
        flips = content["pairs"][0]["flips"]
        return {"reference": reference["accuracy"]["top1"], "accuracy": row["accuracy"]["top1"], "bytes": row["bytes"],
                "lost": flips["right_to_wrong"], "won": flips["wrong_to_right"]}

    def as_tflite(self, model, real):
        """Whether the interpreter gives the same; None: not measured."""
        report = model.with_suffix(".litert.json")
        if self.arguments.finished and not report.exists():
            return None
        if not report.exists() and real:
            compare = ROOT / "tests/conformance/compare_models.py"
            result = subprocess.run([self.arguments.litert, compare, "--bytes-only", self.arguments.bin / "qat-eval", str(RANDOM_INPUTS), model],
                                    capture_output=True, text=True, check=False)
            if result.returncode != 0 and "differ" not in result.stdout:
                sys.exit(f"{model}: {result.stderr.strip()}")
            report.write_text(json.dumps({"pairs": [{"b": "litert", "max_abs_error": result.returncode}]}), encoding="utf-8")
        if not report.exists():
            limit = ["--limit", self.arguments.litert_limit] if self.arguments.litert_limit else []
            self.tool("qat-eval", "compare", model, "--data", self.data(), "--repeat", "0", *limit, "--litert", self.arguments.litert, "--max-steps",
                      "-1", "--threads", self.arguments.threads, "--progress", "none", "--json", report)
        pairs = json.loads(report.read_text(encoding="utf-8"))["pairs"]
        return all(pair["max_abs_error"] == 0 for pair in pairs if pair["b"].startswith("litert"))


def mcnemar(lost, won):
    """Two-sided, exact."""
    trials = lost + won
    if trials == 0:
        return 1.0
    log_half = trials * math.log(0.5)
    tail = sum(math.exp(math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + log_half)
               for k in range(min(lost, won) + 1))
    return min(1.0, 2 * tail)


def measure(arguments, name):
    """Results of each kind of model, one per seed, and sentences on models that differ from the interpreter."""
    seeds = arguments.seeds or NETWORKS[name][4]
    results, unequal = {}, []
    for seed in range(1, seeds + 1):
        bench = Bench(arguments, name, seed)
        bench.train_all()
        for what, model in bench.models():
            values, equal = bench.evaluate(model), bench.as_tflite(model, what[0] in REALS)
            if values is None or equal is None:
                continue
            results.setdefault(what, []).append(values)
            if not equal:
                unequal.append(f"{model}: answers differ from TFLite's")
            if not arguments.finished:
                print(f"{name} seed {seed} {what[0]} {what[1]}: {values['accuracy']:.2f} %", file=sys.stderr, flush=True)
    return results, unequal


def cell(values, seeds):
    if not values:
        return "–"
    accuracy = statistics.mean(value["accuracy"] for value in values)
    drop = statistics.mean(value["reference"] - value["accuracy"] for value in values)
    p = mcnemar(sum(value["lost"] for value in values), sum(value["won"] for value in values))
    sign = "" if abs(drop) < 0.005 else "−" if drop > 0 else "+"
    fewer = f"; {len(values)} of {seeds} seeds" if len(values) < seeds else ""
    return f"{accuracy:.2f} ({sign}{abs(drop):.2f}, p {'< 0.001' if p < 0.001 else f'{p:.2g}'}{fewer})"


def table(name, results):
    measured_columns = {column for _, column in results}
    columns = [column for column in [*REPAIRS, "trained", "learned"] if "none" in measured_columns or column in measured_columns]
    measured = max(results.values(), key=len)
    reference = statistics.mean(value["reference"] for value in measured)
    seeds = f"mean of {len(measured)} seeds" if len(measured) > 1 else "one seed"
    lines = [f"{name}, {seeds}: float32 {reference:.2f} %. In brackets: points against it, and p.", "",
             "| `--type` | " + " | ".join(f"`{column}`" if column in REPAIRS else column for column in columns) + " | bytes |",
             "| --- |" + " --- |" * (len(columns) + 1)]
    for kind in [*INTEGERS, *REALS]:
        if "none" not in measured_columns and not any(known == kind for known, _ in results):
            continue
        cells = [cell(results.get((kind, column)), len(measured)) for column in columns]
        sized = results.get((kind, "none")) or results.get((kind, "trained")) or []
        sizes = [f"{value['bytes']:,}" for value in sized[:1]] or ["–"]
        lines.append(f"| `{kind}` | " + " | ".join(cells + sizes) + " |")
    return "\n".join(lines) + "\n"


def main():
    arguments = parse_arguments()
    wrong = []
    for name in arguments.networks or NETWORKS:
        results, unequal = measure(arguments, name)
        wrong += unequal
        if not results:
            print(f"{name}: nothing is measured yet", file=sys.stderr)
            continue
        text = table(name, results)
        if arguments.into:
            put_into_page(arguments.into, f"precisions {name}", text)
        else:
            print(text)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
