#!/usr/bin/env python3
"""Holds outputs of our runtime against the real TFLite interpreter (ai-edge-litert) with its reference kernels.

  compare_with_litert.py DIR
      runs every case that qat_conformance_cases wrote there; all kernels of ours must agree with it
  compare_with_litert.py --model M.tflite --input X.npy --output Y.npy [--default-kernels]
      runs one model on X, one example at a time, and compares with Y (qat-eval run M.tflite --input X.npy --save-outputs Y.npy);
      --default-kernels also counts labels that differ under the default kernels (XNNPACK)

Integers must be equal byte for byte, and floats of the layers with 8-bit filters. Other floats must lie within
1e-6 * max(1, largest output), or 4e-6 where the kernels fuse products with sums: those of an instruction set. These bounds
are for single layers. Exit status: 0 equal, 1 different.
"""
import argparse
import collections
import glob
import os
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

MAX_DETAILS = 10
TOLERANCE, FUSED_TOLERANCE = 1e-6, 4e-6


def open_model(path, reference=True):
    kind = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    interpreter = Interpreter(model_path=path, experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    return interpreter


def run(interpreter, value):
    """Outputs for one input."""
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def difference(ours, theirs, tolerance=FUSED_TOLERANCE):
    """None if equal, else what differs, in words."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"ours {ours.dtype} {list(ours.shape)}, theirs {theirs.dtype} {list(theirs.shape)}"
    if ours.dtype != np.float32:
        wrong = np.flatnonzero(ours.ravel() != theirs.ravel())
        limit = 0.0
    else:
        finite = theirs[np.isfinite(theirs)]
        limit = tolerance * max(1.0, float(np.max(np.abs(finite), initial=0)))
        equal = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        with np.errstate(invalid="ignore"):
            wrong = np.flatnonzero(~(equal | (np.abs(ours - theirs) <= limit)).ravel())
    if wrong.size == 0:
        return None
    first = wrong[0]
    return (f"{wrong.size} of {ours.size} values differ, first at {first}: "
            f"ours {ours.ravel()[first]}, theirs {theirs.ravel()[first]}, limit {limit}")


def compare_case(prefix, paths, exact):
    try:
        interpreter = open_model(prefix + ".tflite")
    except (RuntimeError, ValueError) as error:
        return [f"TFLite refuses it: {error}"]
    detail = interpreter.get_input_details()[0]
    value = np.fromfile(prefix + ".input", detail["dtype"]).reshape(detail["shape"])
    theirs = run(interpreter, value)
    problems = []
    if len(paths) < 2:
        problems.append("no outputs of ours")
    for path in paths:
        kernels = os.path.basename(path).split(".")[1]
        with open(path, "rb") as file:
            data = file.read()
        for index, output in enumerate(theirs):
            ours = np.frombuffer(data[:output.nbytes], output.dtype)
            data = data[output.nbytes:]
            if ours.size != output.size:
                problems.append(f"{kernels} kernels, output {index}: {ours.size} values, theirs {output.size}")
                continue
            tolerance = TOLERANCE if kernels in ("reference", "portable") else FUSED_TOLERANCE
            tolerance = 0.0 if exact else tolerance
            problem = difference(ours.reshape(output.shape), output, tolerance)
            if problem is not None:
                problems.append(f"{kernels} kernels, output {index}: {problem}")
        if data:
            problems.append(f"{kernels} kernels: {len(data)} bytes too many")
    return problems


def compare_cases(directory):
    with open(os.path.join(directory, "cases.txt"), encoding="utf-8") as file:
        cases = [line.rstrip("\n").split(" ", 2) for line in file]
    outputs = collections.defaultdict(list)  # listed once: the folder has tens of thousands of files
    for path in sorted(glob.glob(os.path.join(directory, "*.output"))):
        outputs[os.path.basename(path).split(".")[0]].append(path)
    different = 0
    for number, precision, description in cases:
        problems = compare_case(os.path.join(directory, number), outputs[number], precision == "exact")
        if not problems:
            continue
        different += 1
        if different <= MAX_DETAILS:
            print(f"case {number}: {description}")
            for problem in problems:
                print(f"  {problem}")
    print(f"{len(cases)} cases, {different} differ")
    return different == 0 and len(cases) > 0


def label(output):
    return int(output.ravel()[0]) if output.size == 1 else int(np.argmax(output.ravel()))


def compare_model(model, inputs, outputs, default_kernels):
    values, ours = np.load(inputs), np.load(outputs)
    if len(values) != len(ours):
        print(f"{inputs} has {len(values)} examples, {outputs} {len(ours)}")
        return False
    reference = open_model(model)
    default = open_model(model, reference=False) if default_kernels else None
    shape = reference.get_input_details()[0]["shape"]
    different, flips = 0, 0
    for i, value in enumerate(values):
        value = value.reshape(shape)
        theirs = run(reference, value)[0]
        mine = ours[i]
        problem = difference(mine.reshape(theirs.shape) if mine.size == theirs.size else mine, theirs)
        if problem is not None:
            different += 1
            if different <= MAX_DETAILS:
                print(f"example {i}: {problem}")
        if default is not None:
            flips += label(mine) != label(run(default, value)[0])
    print(f"{len(values)} examples, {different} differ")
    if default is not None:
        print(f"{len(values)} examples, {flips} labels differ under the default kernels")
    return different == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", help="what qat_conformance_cases wrote")
    parser.add_argument("--model")
    parser.add_argument("--input")
    parser.add_argument("--output")
    parser.add_argument("--default-kernels", action="store_true")
    flags = parser.parse_args()
    if flags.model is not None:
        if flags.input is None or flags.output is None:
            parser.error("--model needs --input and --output")
        equal = compare_model(flags.model, flags.input, flags.output, flags.default_kernels)
    elif flags.directory is not None:
        equal = compare_cases(flags.directory)
    else:
        parser.error("expected DIR or --model")
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
