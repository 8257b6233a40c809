#!/usr/bin/env python3
"""Writes models of the networks in tests/specs: untrained, those of integers calibrated with noise.

  make_precisions.py BIN TYPES OUT SPEC.toml ...

Each SPEC becomes OUT/NAME.TYPE.tflite for every one of TYPES (separated by commas), by qat_random_checkpoint, qat-freeze and
qat-convert of BIN. The type "mixed" is int8 with 16-bit activations in every layer whose name has an odd number of letters and that
has a kernel for them.
"""
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

IMAGES = 16
REALS = ("float32", "float16", "dynamic", "dynamic4")


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}: {result.stderr}")


def run_mixed(*command):
    odd = "(?:..)*."
    result = subprocess.run([*command, "--type", "int8", "--int16", odd], capture_output=True, text=True, check=False)
    without_kernel = re.findall(r"'([^']+)' \(", result.stderr) if result.returncode == 4 else []
    if without_kernel:
        run(*command, "--type", "int8", "--int16", f"(?!(?:{'|'.join(map(re.escape, without_kernel))})$){odd}")
    elif result.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}: {result.stderr}")


def write_noise(model, directory):
    """Images of the shape that a model takes, of few grey values each, so that ranges differ."""
    shape = Interpreter(model_path=model).get_input_details()[0]["shape"][1:]
    random = np.random.default_rng(1)
    top = random.integers(1, 256, (IMAGES, *[1] * len(shape)))
    os.makedirs(directory, exist_ok=True)
    np.save(os.path.join(directory, "x_train.npy"), random.integers(0, top + 1, (IMAGES, *shape)).astype(np.uint8))


def make(binaries, types, out, spec):
    def tool(name):
        return os.path.join(binaries, name)

    name = os.path.join(out, pathlib.Path(spec).stem)
    run(tool("qat_random_checkpoint"), spec, name + ".ckpt")
    run(tool("qat-freeze"), name + ".ckpt", "-o", name + ".qgraph")
    run(tool("qat-convert"), name + ".qgraph", "--type", "float32", "-o", name + ".float.tflite")
    write_noise(name + ".float.tflite", name + ".data")
    for kind in types:
        calibrate = () if kind in REALS else ("--calibrate", name + ".data")
        command = (tool("qat-convert"), name + ".qgraph", *calibrate, "--progress", "none", "-o", f"{name}.{kind}.tflite")
        if kind == "mixed":
            run_mixed(*command)
        else:
            run(*command, "--type", kind)


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    for spec in sys.argv[4:]:
        make(sys.argv[1], sys.argv[2].split(","), sys.argv[3], spec)


if __name__ == "__main__":
    main()
