#!/usr/bin/env python3
"""Runs any .tflite models in qat-eval and in the TFLite interpreter (ai-edge-litert) with its reference kernels.

  build/litert-venv/bin/python scripts/compare_foreign_models.py [--examples N] [--isa NAME,...] [--threads N,...]
      [-o TABLE.md] QAT_EVAL MODEL.tflite ...

Inputs are random; sizes that a model leaves open are 1 for the batch and 12 otherwise. Every model runs under each
instruction set of this machine (QAT_FORCE_ISA), or the given ones, on 1 and 2 threads. Integers must be equal byte for byte, floats within
1e-5 of the largest value of their output; where TFLite's own optimized kernels lie further from its reference kernels than that, within that
distance. Writes a row per model; ends with what was refused, and why.
Exit status: 0 all that ran was equal, 1 something differed.
"""
import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

INSTRUCTION_SETS = ["portable", "avx2", "avxvnni", "avx512vnni"]
TOLERANCE = 1e-5


def values_of(detail, shape, random):
    kind = np.dtype(detail["dtype"])
    if kind == np.float32:
        return random.uniform(-1, 1, shape).astype(np.float32)
    if kind == np.bool_:
        return random.integers(0, 2, shape).astype(np.bool_)
    if kind.itemsize <= 2:
        limits = np.iinfo(kind)
        return random.integers(limits.min, limits.max, shape, endpoint=True).astype(kind)
    return random.integers(0, 16, shape).astype(kind)


def open_interpreter(path, kernels):
    interpreter = Interpreter(model_path=path, experimental_op_resolver_type=kernels)
    for detail in interpreter.get_input_details():
        signature = list(detail["shape_signature"])
        if -1 in signature[1:]:
            shape = [(12 if i else 1) if size == -1 else int(size) for i, size in enumerate(signature)]
            interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()
    return interpreter


def run_interpreter(interpreter, examples):
    """The list of outputs for each example."""
    results = []
    for example in examples:
        for detail, value in zip(interpreter.get_input_details(), example):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        results.append([interpreter.get_tensor(d["index"]).copy() for d in interpreter.get_output_details()])
    return results


def stacked(values):
    """Examples in the form of qat-eval: [1, ...] becomes [N, ...]; any other shape gets N in front."""
    first = values[0]
    batch = np.stack(values)
    return batch.reshape(len(values), *first.shape[1:]) if first.ndim and first.shape[0] == 1 else batch


def run_ours(qat_eval, model, inputs, outputs, directory, isa, threads):
    """Exit code, message, arrays; None if this machine lacks the instruction set."""
    saved = os.path.join(directory, "y.npy")
    command = [qat_eval, "--model", model, "--save-outputs", saved, "--threads", str(threads), "--progress", "none"]
    for path in inputs:
        command += ["--input", path]
    result = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, QAT_FORCE_ISA=isa), check=False,
                            timeout=600)
    if result.returncode == 2 and "QAT_FORCE_ISA" in result.stderr:
        return None
    arrays = []
    if result.returncode == 0:
        arrays = [np.load(os.path.join(directory, "y.npy" if i == 0 else f"y.{i}.npy")) for i in range(outputs)]
    return result.returncode, result.stderr.strip(), arrays


def yardsticks(path, examples, theirs):
    """For each output how far TFLite's optimized kernels lie from the reference, relative to the largest value; 0 for integers."""
    if not any(output.dtype == np.float32 for output in theirs):
        return [0.0] * len(theirs)
    try:
        optimized = open_interpreter(path, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        results = run_interpreter(optimized, examples)
    except (RuntimeError, ValueError, KeyError):
        return [0.0] * len(theirs)
    apart = []
    for i, reference in enumerate(theirs):
        other = stacked([result[i] for result in results])
        if reference.dtype != np.float32 or other.shape != reference.shape:
            apart.append(0.0)
            continue
        largest = max(float(np.abs(reference[np.isfinite(reference)]).max(initial=0)), 1e-30)
        with np.errstate(invalid="ignore"):
            distance = np.abs(other - reference)
        apart.append(float(distance[np.isfinite(distance)].max(initial=0)) / largest)
    return apart


def differing(ours, theirs, tolerance):
    """The number of values that differ, and the largest difference (for floats, relative to the largest value)."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return theirs.size, f"ours {ours.dtype} {list(ours.shape)}, theirs {theirs.dtype} {list(theirs.shape)}"
    if theirs.dtype != np.float32:
        wrong = int(np.sum(ours != theirs))
        return wrong, f"{int(np.max(np.abs(ours.astype(np.int64) - theirs.astype(np.int64))))} steps" if wrong else ""
    finite = np.abs(theirs[np.isfinite(theirs)])
    limit = tolerance * max(float(finite.max(initial=0)), 1e-30)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        wrong = int(np.sum(~(same | (np.abs(ours - theirs) <= limit))))
        return wrong, f"{np.nanmax(np.abs(ours - theirs)) / limit * tolerance:.2g} of the largest" if wrong else ""


def compare(qat_eval, path, count, variants, directory):
    """(status, text, operators): equal, different, refused or skipped."""
    try:
        reference = open_interpreter(path, OpResolverType.BUILTIN_REF)
        random = np.random.default_rng(7)
        details = reference.get_input_details()
        examples = [[values_of(d, d["shape"], random) for d in details] for _ in range(count)]
        expected = run_interpreter(reference, examples)
    except (RuntimeError, ValueError, KeyError) as error:
        return "skipped", f"TFLite: {str(error).splitlines()[0][:100]}", 0
    operators = len(reference._get_ops_details())
    inputs = []
    for i in range(len(details)):
        inputs.append(os.path.join(directory, f"x{i}.npy"))
        np.save(inputs[-1], stacked([example[i] for example in examples]))
    theirs = [stacked([result[i] for result in expected]) for i in range(len(expected[0]))]
    tolerances = [max(TOLERANCE, apart) for apart in yardsticks(path, examples, theirs)]
    runs, problems, values = 0, [], sum(t.size for t in theirs)
    for isa, threads in variants:
        ours = run_ours(qat_eval, path, inputs, len(theirs), directory, isa, threads)
        if ours is None:
            continue
        if ours[0] != 0:
            return "refused", f"exit code {ours[0]}: {ours[1]}", operators
        runs += 1
        for i, (mine, other, tolerance) in enumerate(zip(ours[2], theirs, tolerances)):
            wrong, how = differing(mine, other, tolerance)
            if wrong:
                problems.append(f"{isa}, {threads} threads, output {i}: {wrong} of {other.size}, {how}")
    if problems:
        return "different", "; ".join(problems[:3]), operators
    return "equal", f"{runs} runs, {values} values", operators


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("qat_eval")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--examples", type=int, default=5)
    parser.add_argument("--isa", default=",".join(INSTRUCTION_SETS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("-o", "--output")
    flags = parser.parse_args()
    lines = ["| model | operators | examples | outcome |", "| --- | --- | --- | --- |"]
    counts, reasons = collections.Counter(), collections.Counter()
    variants = [(isa, int(threads)) for isa in flags.isa.split(",") for threads in flags.threads.split(",")]
    with tempfile.TemporaryDirectory() as directory:
        for path in flags.models:
            status, text, operators = compare(flags.qat_eval, path, flags.examples, variants, directory)
            counts[status] += 1
            if status == "refused":
                for reason in set(re.findall(r"[A-Z_0-9]{3,} version \d+[^;,(]*|exit code [^4][^\n]*", text)):
                    reasons[reason.strip()] += 1
            lines.append(f"| {pathlib.Path(path).stem} | {operators} | {flags.examples} | {status}: {text} |")
            print(lines[-1], flush=True)
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    print(f"{len(flags.models)} models: {summary}")
    for reason, count in reasons.most_common():
        print(f"  {count} x {reason}")
    if flags.output:
        pathlib.Path(flags.output).write_text("\n".join(lines) + f"\n\n{summary}\n", encoding="utf-8")
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
