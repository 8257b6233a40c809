#!/usr/bin/env python3
"""Makes the tables of docs/benchmarks.md on other converters: the same float .tflite, quantized by each, on the whole test set.

  compare_converters.py [--bin build/bin] [--data DIR] [--work build/precisions] [--packages build/ptq] [--network NAME]... [--seeds N]
                        [--finished] [--into PAGE]

Takes WORK/NETWORK/seedN/float32.tflite of seeds 1 to --seeds (default 1), which bench_precisions.py trains and writes, and quantizes each to
every kind of model by
  ours        qat-convert MODEL --calibrate IMAGES --type KIND, as it comes
  repaired    the same with --repair auto, of kinds that have ranges
  calibrator  TensorFlow's lite.python.optimize.calibrator
  converter   the quantizer of TensorFlow's TFLiteConverter (MLIR) after that calibration: int8 alone
  ai-edge     ai-edge-quantizer, by its recipes; its float_casting for float16; where it has 4 bits for no depthwise filter, these have 8
all from the same 1,000 training images. Every file answers the 10,000 test images in one interpreter (ai-edge-litert, its default kernels, one
thread), fed with the same real numbers. In the kind dynamic4, the filters of depthwise convolutions have 8 bits from both.

Accuracies are means over the seeds. Held to: the better of ours and repaired at least the best of the others - 0.1 points, and ours at most
the smallest of the others + 2 % or + 2 KiB, whichever is more.
What is measured is not measured again. --into replaces the text between "<!-- converters NETWORK -->" and "<!-- end -->" of PAGE; without
it the tables are printed. --finished measures nothing and shows what is there. PACKAGES/venv is made where it is missing (2 GB).
Exit status: 0 all hold, 1 not.
"""
import argparse
import contextlib
import io
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

from compare_ptq import cifar10_bytes, ensure_packages, mnist_bytes
from page_places import put_into_page

ROOT = pathlib.Path(__file__).resolve().parents[1]
DATA_OF = {"lenet": mnist_bytes, "resnet8": cifar10_bytes, "resnet20": cifar10_bytes, "mobilenet_v1": cifar10_bytes}
EXAMPLES = 1000
MAX_LOSS, MAX_GROWTH, MAX_MORE_BYTES = 0.1, 1.02, 2048
OURS, OTHERS = ("ours", "repaired"), ("calibrator", "converter", "ai-edge")
# Of each kind: who makes it besides us.
KINDS = {
    "int8": OTHERS,
    "int16x8": ("calibrator", "ai-edge"),
    "w4a8": ("ai-edge",),
    "dynamic": ("ai-edge",),
    "dynamic4": ("ai-edge",),
    "float16": ("ai-edge",),
}
WITH_RANGES = ("int8", "int16x8", "w4a8")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path(os.environ.get("QAT_TEST_DATA", ROOT / "../shared/data")))
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/precisions")
    parser.add_argument("--packages", type=pathlib.Path, default=ROOT / "build/ptq")
    parser.add_argument("--network", action="append", choices=list(DATA_OF), dest="networks")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--finished", action="store_true")
    parser.add_argument("--into", type=pathlib.Path)
    return parser.parse_args()


# ---- the converters ------------------------------------------------------------------------------------------------------------

def by_calibrator(content, images, kind):
    from tensorflow import dtypes
    from tensorflow.lite.python.optimize import calibrator
    integers, biases = (dtypes.int8, dtypes.int32) if kind == "int8" else (dtypes.int16, dtypes.int64)
    tool = calibrator.Calibrator(calibrator.add_intermediate_tensors(content))
    return tool.calibrate_and_quantize(lambda: ([x[None]] for x in images), integers, integers, False, integers, biases)


def by_converter(content, images, _kind):
    from tensorflow import dtypes
    from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.python.optimize import calibrator
    tool = calibrator.Calibrator(calibrator.add_intermediate_tensors(content))
    return mlir_quantize(tool.calibrate(lambda: ([x[None]] for x in images)), input_data_type=dtypes.int8, output_data_type=dtypes.int8)


def recipe_of(kind):
    from ai_edge_quantizer import qtyping, recipe, recipe_manager
    names, keys = qtyping.TFLOperationName, recipe.AlgorithmName
    if kind in ("int8", "int16x8"):
        return recipe.static_wi8_ai8() if kind == "int8" else recipe.static_wi8_ai16()
    if kind == "dynamic":
        return recipe.dynamic_wi8_afp32()
    rules = recipe_manager.RecipeManager()
    if kind == "float16":
        half = qtyping.OpQuantizationConfig(weight_tensor_config=qtyping.TensorQuantizationConfig(16, dtype=qtyping.TensorDataType.FLOAT),
                                            compute_precision=qtyping.ComputePrecision.FLOAT, explicit_dequantize=True)
        rules.add_quantization_config(".*", names.ALL_SUPPORTED, half, keys.FLOAT_CASTING)
    elif kind == "w4a8":
        rules.add_static_config(".*", names.ALL_SUPPORTED, 8, 8)
        for name in (names.CONV_2D, names.FULLY_CONNECTED):
            rules.add_static_config(".*", name, 8, 4)
    else:
        rules.add_dynamic_config(".*", names.ALL_SUPPORTED, 8)
        for name in (names.CONV_2D, names.FULLY_CONNECTED):
            rules.add_dynamic_config(".*", name, 4)
    return rules.get_quantization_recipe()


def by_ai_edge(content, images, kind):
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer
    tool = quantizer.Quantizer(content, recipe_of(kind))
    if kind not in WITH_RANGES:
        return tool.quantize().quantized_model
    signature, entry = next(iter(Interpreter(model_content=content).get_signature_list().items()))
    return tool.quantize(tool.calibrate({signature: [{entry["inputs"][0]: x[None]} for x in images]})).quantized_model


PEERS = {"calibrator": by_calibrator, "converter": by_converter, "ai-edge": by_ai_edge}


def by_us(arguments, model, images, kind, repaired, output):
    flags = ["--calibrate", str(images), "--calibration-limit", "0"] if kind in WITH_RANGES else []
    flags += ["--repair", "auto"] if repaired else []
    command = [str(arguments.bin / "qat-convert"), str(model), "--type", kind, *flags, "-o", str(output), "--progress", "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")


# ---- what comes out ------------------------------------------------------------------------------------------------------------

def accuracy(model, reals, labels):
    """In percent. `reals`: float32, as the float network takes them."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter
    interpreter = Interpreter(model_path=str(model), num_threads=1)
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if taken["dtype"] != np.float32:
        (scale, zero_point), limits = taken["quantization"], np.iinfo(taken["dtype"])
        steps = reals / np.float32(scale)
        # Halves away from zero, as TFLite's QUANTIZE.
        steps = np.trunc(steps + np.copysign(np.float32(0.5), steps)) + zero_point
        reals = np.clip(steps, limits.min, limits.max).astype(taken["dtype"])
    right = 0
    for x, label in zip(reals, labels):
        interpreter.set_tensor(taken["index"], x[None])
        interpreter.invoke()
        right += int(interpreter.get_tensor(given["index"])[0].argmax() == label)
    return 100 * right / len(labels)


class Comparison:
    """One network with one seed."""

    def __init__(self, arguments, network, seed):
        self.arguments, self.network, self.seed = arguments, network, seed
        self.folder = arguments.work / network / f"seed{seed}"
        self.model = self.folder / "float32.tflite"
        self.made = self.folder / "converters"
        self.data = None

    def open_data(self):
        """Images as bytes; of the training images the sample that all get."""
        if self.data is None:
            import numpy as np
            read = DATA_OF[self.network]
            kept = self.arguments.work / f"{read.__name__}.npz"
            if not kept.exists():
                (x, _), (x_test, y_test) = read(self.arguments.data)
                np.savez(kept, sample=x[np.random.default_rng(2).permutation(len(x))[:EXAMPLES]], images=x_test, labels=y_test)
            arrays = np.load(kept)
            self.data = arrays["sample"], arrays["images"], arrays["labels"]
            self.made.mkdir(exist_ok=True)
            np.save(self.made / "calibrate.npy", self.data[0])
        return self.data

    def reals(self, images):
        """As the network takes them: the model says itself what a byte means."""
        import numpy as np
        told = subprocess.run([self.arguments.bin / "qat-eval", "inspect", self.model, "--json", "-"], capture_output=True, text=True, check=True)
        said = re.fullmatch(r"mean ([^a-z]*), std ([^a-z]*)(, .*)?", json.loads(told.stdout)["facts"]["input says"])
        mean, std = (np.array(re.split(r"[, ]+", part), np.float32) for part in said.groups()[:2])
        return ((images - mean) / std).astype(np.float32)

    def convert(self, kind, which, output):
        """A sentence where it cannot be made."""
        calibration, _, _ = self.open_data()
        if which in OURS:
            return by_us(self.arguments, self.model, self.made / "calibrate.npy", kind, which == "repaired", output)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):  # progress and sizes
                made = PEERS[which](self.model.read_bytes(), self.reals(calibration), kind)
            output.write_bytes(made)
        except (RuntimeError, ValueError) as error:
            return str(error).strip().splitlines()[-1]
        return None

    def judge(self, model):
        _, images, labels = self.open_data()
        return {"accuracy": accuracy(model, self.reals(images), labels), "bytes": model.stat().st_size}

    def measure(self, kind, which):
        """{"accuracy", "bytes"} or {"refused"}; None: not measured."""
        report = self.made / f"{kind}.{which}.json"
        if report.exists():
            return json.loads(report.read_text(encoding="utf-8"))
        if self.arguments.finished:
            return None
        self.open_data()
        if which == "float":
            result = self.judge(self.model)
        else:
            output = report.with_suffix(".tflite")
            refused = self.convert(kind, which, output)
            result = {"refused": refused} if refused else self.judge(output)
        report.write_text(json.dumps(result), encoding="utf-8")
        print(f"{self.network} seed {self.seed} {kind} {which}: {result}", file=sys.stderr, flush=True)
        return result

    def rows(self):
        """Of each kind what every converter made; "float": the file they all begin with."""
        rows = {"float32": {"float": self.measure("float32", "float")}}
        for kind, others in KINDS.items():
            names = [name for name in (*OURS, *others) if name != "repaired" or kind in WITH_RANGES]
            rows[kind] = {name: self.measure(kind, name) for name in names}
        return rows


def mean_of(results):
    """Of one converter and kind, over the seeds; None unless every seed is measured."""
    if not all(results):
        return None
    refused = [result for result in results if "refused" in result]
    if refused:
        return refused[0]
    return {"accuracy": statistics.mean(result["accuracy"] for result in results), "bytes": results[0]["bytes"]}


def mean_rows(rows_of_seeds):
    first = rows_of_seeds[0]
    return {kind: {name: mean_of([rows[kind][name] for rows in rows_of_seeds]) for name in row} for kind, row in first.items()}


def problems(rows):
    """What of the promises does not hold."""
    found = []
    for kind, row in rows.items():
        others = [row[name] for name in OTHERS if row.get(name) and "accuracy" in row[name]]
        ours = row.get("ours")
        if not ours or not others:
            continue
        behind = max(other["accuracy"] for other in others) - max(row[name]["accuracy"] for name in OURS if row.get(name))
        if behind > MAX_LOSS + 1e-9:
            found.append(f"{kind}: {behind:.2f} points behind the best of the others")
        least = min(other["bytes"] for other in others)
        if ours["bytes"] > max(MAX_GROWTH * least, least + MAX_MORE_BYTES):
            found.append(f"{kind}: {ours['bytes'] - least:,} bytes more than the smallest of the others")
    return found


def cell(row, which, key):
    if not row.get(which):
        return "–"
    if "refused" in row[which]:
        return "refused"
    return f"{row[which][key]:.2f}" if key == "accuracy" else f"{row[which][key]:,}"


def table(network, seeds, rows):
    start = rows["float32"]["float"]
    columns = (*OURS, *OTHERS)
    seeds = f", mean of {seeds} seeds" if seeds > 1 else ""
    lines = [f"{network}{seeds}: float32 {start['accuracy']:.2f} %, {start['bytes']:,} bytes.", "",
             "| kind | " + " | ".join(f"{which}, %" for which in columns) + " | bytes: ours | " + " | ".join(OTHERS) + " |",
             "| --- |" + " --- |" * (len(columns) + 1 + len(OTHERS))]
    for kind in KINDS:
        cells = [cell(rows[kind], which, "accuracy") for which in columns]
        cells += [cell(rows[kind], which, "bytes") for which in ("ours", *OTHERS)]
        lines.append(f"| `{kind}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    arguments = parse_arguments()
    arguments.packages = arguments.packages.resolve()
    if not arguments.finished:
        ensure_packages(arguments.packages)
    failed = False
    for network in arguments.networks or DATA_OF:
        comparisons = [Comparison(arguments, network, seed) for seed in range(1, arguments.seeds + 1)]
        missing = [comparison.model for comparison in comparisons if not comparison.model.exists()]
        if missing:
            print(f"{missing[0]}: is not there yet; bench_precisions.py --network {network} --seeds {arguments.seeds} makes it", file=sys.stderr)
            failed = True
            continue
        rows = mean_rows([comparison.rows() for comparison in comparisons])
        if not rows["float32"]["float"]:
            print(f"{network}: nothing is measured yet", file=sys.stderr)
            continue
        if arguments.into:
            put_into_page(arguments.into, f"converters {network}", table(network, arguments.seeds, rows))
        else:
            print(table(network, arguments.seeds, rows))
        for problem in problems(rows):
            print(f"{network}: {problem}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
