#!/usr/bin/env python3
"""Holds models of others against the real TFLite interpreter (ai-edge-litert) with its reference kernels.

  compare_models.py [--bytes-only] QAT_EVAL INPUTS MODEL.tflite ...

Each model and a copy of it without quantization runs on INPUTS random inputs in qat-eval --input, under every instruction set (QAT_FORCE_ISA) and on 1 and 2 threads;
outputs must be equal byte for byte, of float models no more than twice as far from the reference kernels as TFLite's own other kernels are on these inputs, within 8 units in
the last place of the largest output where those agree (float_limits in scripts/compare_litert.py). The memory of our activations must be
no more than TFLite's: the span of the addresses of its tensors that are computed. --bytes-only: neither copies nor memory, but models with an open batch also
run on all inputs at once. Exit status: 0 equal, 1 different.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from compare_litert import Litert, difference, example_inputs, float_limits, is_hybrid, variants  # noqa: E402

INSTRUCTION_SETS = ["portable", "avx2", "avxvnni", "avx512vnni", "neon", "neondot"]


def activation_span(interpreter):
    """Bytes from the first to the last of what TFLite's tensors take, constants left out."""
    computed = {detail["index"] for detail in interpreter.get_input_details()}
    for operator in interpreter._get_ops_details():
        computed.update(int(index) for index in operator["outputs"])
    begin, end = None, None
    for detail in interpreter.get_tensor_details():
        if detail["index"] not in computed:
            continue
        address = interpreter.tensor(detail["index"])().__array_interface__["data"][0]
        size = int(np.prod(detail["shape"])) * np.dtype(detail["dtype"]).itemsize
        begin = address if begin is None else min(begin, address)
        end = address + size if end is None else max(end, address + size)
    return end - begin


def run_ours(qat_eval, model, source, directory, isa, threads):
    """Bytes of the first output and the report; None where this machine lacks the instruction set."""
    output, report = os.path.join(directory, "y.npy"), os.path.join(directory, "r.json")
    result = subprocess.run([qat_eval, "run", model, "--input", source, "--save-outputs", output, "--threads",
                             str(threads), "--json", report, "--progress", "none"], capture_output=True, text=True,
                            env=dict(os.environ, QAT_FORCE_ISA=isa), check=False)
    if result.returncode == 2 and "QAT_FORCE_ISA" in result.stderr:
        return None
    if result.returncode != 0:
        sys.exit(f"qat-eval ended with {result.returncode}: {result.stderr}")
    return np.load(output), json.loads(pathlib.Path(report).read_text(encoding="utf-8"))


def open_batch_problem(model, examples, expected):
    """A sentence where the model says that its batch is open and does not give for all examples at once what it gives for each; else None."""
    interpreter = Interpreter(model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if len(source["shape_signature"]) == 0 or source["shape_signature"][0] != -1 or len(interpreter.get_input_details()) > 1:
        return None
    batch = examples.reshape(len(examples), *source["shape"][1:])
    try:
        interpreter.resize_tensor_input(source["index"], batch.shape, strict=True)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], batch)
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        return f"its batch is not open: {error}"
    together = interpreter.get_tensor(target["index"])
    alone = np.concatenate([outputs[0] for outputs in expected])
    if together.shape != alone.shape:
        return f"a batch of {len(examples)} gives {together.shape}, one by one {alone.shape}"
    equal = np.allclose(together, alone, rtol=1e-5, atol=1e-5) if alone.dtype == np.float32 else np.array_equal(together, alone)
    return None if equal else f"a batch of {len(examples)} gives other values than one by one"


def compare(qat_eval, inputs, label, model, directory, memory=True):
    reference = Litert(model, "reference")
    span = activation_span(reference.interpreter)
    examples = example_inputs(reference.detail, inputs)
    expected = [reference.outputs(example)[:1] for example in examples]
    limits = float_limits(model, examples, expected)
    # Sums in another order move a rounded input of a later layer by a whole step now and then: with vectors only as near as TFLite's own vectors.
    vector_limits = float_limits(model, examples, expected, all_kernels=True) if is_hybrid(reference.interpreter) else limits
    source = os.path.join(directory, "x.npy")
    np.save(source, examples.reshape(inputs, *examples.shape[2:]))
    problems, runs = [], 0
    for isa in INSTRUCTION_SETS:
        for threads in (1, 2):
            ours = run_ours(qat_eval, model, source, directory, isa, threads)
            if ours is None:
                continue
            runs += 1
            outputs, report = ours
            wrong = difference(outputs.tobytes(), expected, limits if isa == "portable" else vector_limits)
            if wrong:
                problems.append(f"{isa}, {threads} threads: {wrong} values differ")
            if memory and threads == 1 and report["metrics"]["activation_bytes"] > span:
                problems.append(f"{isa}: activations take {report['metrics']['activation_bytes']:.0f} bytes, TFLite's {span}")
    if not memory:
        problem = open_batch_problem(model, examples, expected)
        problems += [problem] if problem else []
    print(f"{label}: {runs} runs, inputs: {inputs}, {'; '.join(problems) or 'all equal'}")
    return runs > 0 and not problems


def main():
    arguments = sys.argv[1:]
    everything = arguments[:1] != ["--bytes-only"]
    if not everything:
        arguments.pop(0)
    if len(arguments) < 3:
        sys.exit(__doc__)
    equal = True
    with tempfile.TemporaryDirectory() as directory:
        for path in arguments[2:]:
            for label, model in variants(path, everything, directory):
                equal = compare(arguments[0], int(arguments[1]), label, model, directory, everything) and equal
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
