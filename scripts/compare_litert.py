#!/usr/bin/env python3
"""Runs the same .tflite files on the same inputs in our runtime and in ai-edge-litert, and prints a table in Markdown.

The runtimes take turns within milliseconds, in an order that is reversed after every round; each ratio is the median over
the rounds of the ratios within one round, so that a machine that is busy with other work disturbs both sides alike. The
spread behind it is the middle half of those ratios. Every invocation of ours is compared with TFLite's reference kernels
(BUILTIN_REF) on several inputs, under every instruction set: integers must be equal byte for byte, floats within 1e-5 of
the largest output.

  build/litert-venv/bin/python scripts/compare_litert.py [--float] [--rounds N] [-o TABLE.md] MODEL.tflite ...

--float adds to each integer model a copy with all its quantization taken off, which has the same shape and other weights.
Times of ai-edge-litert include one call from Python, which an empty model measures; the table ends with it.
Exit status: 0, 1 where an output differs, 2 on wrong usage.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
import flatbuffers

KINDS = {
    "reference": OpResolverType.BUILTIN_REF,
    "built-in": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "XNNPACK": OpResolverType.AUTO,
}
NUMPY = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.UINT8: np.uint8, schema.TensorType.INT8: np.int8,
         schema.TensorType.INT32: np.int32}
BURST_SECONDS = 0.004
FLOAT_TOLERANCE = 1e-5


# --- models -----------------------------------------------------------------------------------------------------------


def read_model(path):
    data = bytearray(pathlib.Path(path).read_bytes())
    return schema.ModelT.InitFromPackedBuf(data, 0)


def write_model(model, path):
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    pathlib.Path(path).write_bytes(bytes(builder.Output()))


def repair(model):
    """Per-axis biases are vectors: an axis beyond them, as old converters wrote it, is refused by newer interpreters."""
    changed = False
    for tensor in model.subgraphs[0].tensors:
        q = tensor.quantization
        if q is not None and tensor.shape is not None and q.quantizedDimension >= max(1, len(tensor.shape)):
            q.quantizedDimension = 0
            changed = True
    return changed


def real_values(tensor, data):
    """Constant `data` of a quantized tensor as float32."""
    values = np.frombuffer(bytes(data), NUMPY[tensor.type]).reshape(tensor.shape).astype(np.float64)
    q = tensor.quantization
    shape = [1] * values.ndim
    if len(q.scale) > 1:
        shape[q.quantizedDimension] = -1
    zero = np.zeros(len(q.scale)) if q.zeroPoint is None else np.asarray(q.zeroPoint)
    return ((values - zero.reshape(shape)) * np.asarray(q.scale).reshape(shape)).astype(np.float32)


def to_float(model):
    """Takes all quantization off `model`, in place; operators that only quantize fall out."""
    graph = model.subgraphs[0]
    for tensor in graph.tensors:
        q = tensor.quantization
        if q is None or q.scale is None or len(q.scale) == 0 or tensor.type not in NUMPY:
            continue
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data) > 0:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(real_values(tensor, data).tobytes(), np.uint8)
            model.buffers.append(buffer)
            tensor.buffer = len(model.buffers) - 1
        tensor.type = schema.TensorType.FLOAT32
        tensor.quantization = None
    alias, operators = {}, []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        operator.inputs = np.array([alias.get(i, i) for i in operator.inputs], np.int32)
        if kind in (schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE):
            alias[operator.outputs[0]] = operator.inputs[0]
        else:
            operators.append(operator)
    graph.operators = operators
    graph.outputs = np.array([alias.get(i, i) for i in graph.outputs], np.int32)
    model.signatureDefs = None


def variants(path, with_float, directory):
    """(label, path) of what is run for one file given."""
    model = read_model(path)
    label = pathlib.Path(path).stem
    if repair(model):
        path = os.path.join(directory, label + ".repaired.tflite")
        write_model(model, path)
    yield label, path
    if with_float and any(t.type in (schema.TensorType.UINT8, schema.TensorType.INT8) for t in model.subgraphs[0].tensors):
        to_float(model)
        copy = os.path.join(directory, label + ".float.tflite")
        write_model(model, copy)
        yield label + ", as float", copy


# --- runtimes ---------------------------------------------------------------------------------------------------------


class Litert:
    def __init__(self, path, kind):
        self.interpreter = Interpreter(model_path=path, experimental_op_resolver_type=KINDS[kind], num_threads=1)
        self.interpreter.allocate_tensors()
        self.detail = self.interpreter.get_input_details()[0]

    def outputs(self, example):
        self.interpreter.set_tensor(self.detail["index"], example)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(d["index"]) for d in self.interpreter.get_output_details()]

    def seconds(self, runs):
        invoke = self.interpreter._interpreter.Invoke  # without the checks of Interpreter.invoke
        start = time.perf_counter()
        for _ in range(runs):
            invoke()
        return (time.perf_counter() - start) / runs


class Ours:
    def __init__(self, bench, path, examples, isa, directory):
        source = os.path.join(directory, "input.bin")
        self.result = os.path.join(directory, "output.bin")
        examples.tofile(source)
        environment = dict(os.environ)
        if isa:
            environment["QAT_FORCE_ISA"] = isa
        self.process = subprocess.Popen([bench, path, source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)
        self.kernels = self.ask("kernels").split()  # it has read its files when it answers

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.process.args[0]} stopped with exit code {self.process.wait()}")
        return answer.strip()

    def output_bytes(self):
        self.ask("run " + self.result)
        return pathlib.Path(self.result).read_bytes()

    def seconds(self, runs):
        return float(self.ask(f"time {runs}")) * 1e-9

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def example_inputs(detail, count):
    random = np.random.default_rng(1)
    shape = (count, *detail["shape"])
    if detail["dtype"] == np.float32:
        return random.uniform(-1, 1, shape).astype(np.float32)
    limits = np.iinfo(detail["dtype"])
    return random.integers(limits.min, limits.max + 1, shape).astype(detail["dtype"])


# --- comparison -------------------------------------------------------------------------------------------------------


def difference(ours, expected):
    """How many values of `ours` (bytes) differ from the outputs `expected`."""
    wrong = 0
    for output in expected:
        mine = np.frombuffer(ours[:output.nbytes], output.dtype).reshape(output.shape)
        ours = ours[output.nbytes:]
        if output.dtype == np.float32:
            limit = FLOAT_TOLERANCE * max(1.0, float(np.max(np.abs(output))))
            wrong += int(np.count_nonzero(~(np.abs(mine - output) <= limit)))
        else:
            wrong += int(np.count_nonzero(mine != output))
    return wrong + len(ours)


def count_differences(bench, path, reference, examples, isas, directory):
    expected = [output for example in examples for output in reference.outputs(example)]
    differences = {}
    for isa in isas:
        ours = Ours(bench, path, examples, isa, directory)
        differences[isa] = difference(ours.output_bytes(), expected)
        ours.close()
    return differences


def take_turns(contestants, rounds):
    """Seconds of one run: {name: one value a round}."""
    runs = {name: max(1, int(BURST_SECONDS / c.seconds(2))) for name, c in contestants.items()}
    times = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(rounds):
        for name in order:
            times[name].append(contestants[name].seconds(runs[name]))
        order.reverse()
    return times


def ratio_text(times, name, other):
    ratios = np.array(times[name]) / np.array(times[other])
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def compare(label, path, arguments, directory):
    """One row of the table, and whether all outputs were equal."""
    reference = Litert(path, "reference")
    examples = example_inputs(reference.detail, arguments.examples)
    differences = count_differences(arguments.bench, path, reference, examples, arguments.isas, directory)
    contestants = {"ours" if isa == arguments.isas[-1] else isa: Ours(arguments.bench, path, examples, isa, directory)
                   for isa in arguments.isas}
    for kind in ("XNNPACK", "built-in"):
        contestants[kind] = Litert(path, kind)
        contestants[kind].outputs(examples[0])
    if arguments.reference:
        contestants["reference"] = reference
    times = take_turns(contestants, arguments.rounds)
    for contestant in contestants.values():
        if isinstance(contestant, Ours):
            contestant.close()
    cells = [label]
    cells += [f"{np.median(times[name]) * 1e6:.1f}" for name in contestants]
    cells.append(ratio_text(times, "ours", "XNNPACK"))
    wrong = {isa: count for isa, count in differences.items() if count}
    cells.append(", ".join(f"{count} under {isa}" for isa, count in wrong.items()) or "0")
    return list(contestants), cells, not wrong


def call_overhead(directory):
    """Microseconds that ai-edge-litert takes for a model that does nothing but copy one value."""
    graph = schema.SubGraphT()
    graph.tensors = []
    for name in ("x", "y"):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, np.array([1], np.int32), schema.TensorType.FLOAT32, 0
        graph.tensors.append(tensor)
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = np.array([0], np.int32), np.array([1], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
    operator.builtinOptions = schema.ReshapeOptionsT()
    operator.builtinOptions.newShape = np.array([1], np.int32)
    graph.operators, graph.inputs, graph.outputs = [operator], np.array([0], np.int32), np.array([1], np.int32)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    path = os.path.join(directory, "empty.tflite")
    write_model(model, path)
    empty = Litert(path, "built-in")
    return float(np.median([empty.seconds(1000) for _ in range(20)])) * 1e6


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL.tflite")
    parser.add_argument("--bench", default="build/bin/qat_runtime_bench", help="our program (default: %(default)s)")
    parser.add_argument("--isas", default="portable,avx2,avxvnni,avx512vnni",
                        help="instruction sets of ours; the last one is the column 'ours' (default: %(default)s)")
    parser.add_argument("--float", action="store_true", dest="with_float", help="also time each model as float")
    parser.add_argument("--reference", action="store_true", help="also time TFLite's reference kernels")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--examples", type=int, default=5, help="inputs on which the outputs are compared")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the table here instead of to standard output")
    arguments = parser.parse_args()
    arguments.isas = arguments.isas.split(",")
    return arguments


def main():
    arguments = parse_arguments()
    lines, equal = [], True
    with tempfile.TemporaryDirectory() as directory:
        for path in arguments.models:
            for label, variant in variants(path, arguments.with_float, directory):
                names, cells, same = compare(label, variant, arguments, directory)
                if not lines:
                    head = ["model"] + [f"{name}, µs" for name in names] + ["ours / XNNPACK", "values that differ"]
                    lines += ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
                lines.append("| " + " | ".join(cells) + " |")
                print(lines[-1], file=sys.stderr)
                equal = equal and same
        lines += ["", f"{cpu_name()}, one thread, {arguments.rounds} rounds. A call from Python with nothing to do takes "
                      f"{call_overhead(directory):.2f} µs, which is in the columns of TFLite."]
    text = "\n".join(lines) + "\n"
    if arguments.output:
        pathlib.Path(arguments.output).write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
