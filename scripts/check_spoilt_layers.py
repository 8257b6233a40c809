#!/usr/bin/env python3
"""Spoils one layer of a network after the other and sees whether qat-eval debug names it first, and its --suggest repairs it.

  check_spoilt_layers.py [--bin build/bin] [--types uint8,int8,int8-per-tensor,w4a8] [--factor 100] [--channels N] [--max-drop 0.3]
                         [--limit 500] [--only LAYER,...] --data DATA NETWORK.tflite

NETWORK is a float .tflite of qat-convert. For each type
  ranges    the range of each activation of its plan in turn is multiplied by --factor
  channels  of N convolutions (0: none), evenly chosen among those that a relu and another convolution follow, one channel is multiplied by
            three times --factor and what reads it divided by as much: the float function stays
and what was spoilt has to be named first and repaired. The repaired plan is converted by qat-convert and judged on the test split, of which
nothing was seen: the drop from the float network must not exceed that of the healthy network by more than --max-drop, and not --max-drop where
the healthy one loses less. Needs flatbuffers and ai-edge-litert (scripts/setup.sh --tests). Prints a line per layer that fails, and counts.
Exit status: 0 all repaired and named first, 1 not.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from litert_models import read_model, write_model

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONVOLUTIONS = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D)
PASSED_ON = (schema.BuiltinOperator.MAX_POOL_2D, schema.BuiltinOperator.AVERAGE_POOL_2D)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/bin")
    parser.add_argument("--types", default="uint8,int8,int8-per-tensor,w4a8")
    parser.add_argument("--factor", type=float, default=100)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--max-drop", type=float, default=0.3)
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--only", default="")
    parser.add_argument("--data", required=True)
    parser.add_argument("network", type=pathlib.Path)
    return parser.parse_args()


def run(*command, codes=(0,)):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if result.returncode not in codes:
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}: {result.stderr.strip()}")
    return result


class Checker:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, pathlib.Path(folder)
        self.cases, self.wrong = 0, []

    def tool(self, name, *flags, codes=(0,)):
        return run(self.arguments.bin / name, *flags, "--progress", "none", codes=codes)

    def plan(self, network, kind):
        path = self.folder / "plan.toml"
        self.tool("qat-convert", network, "--type", kind, "--calibrate", self.arguments.data, "--calibration-limit", self.arguments.limit,
                  "--write-plan", path)
        return path.read_text(encoding="utf-8")

    def drop(self, network, plan):
        """Points lost on the test split, by the programs that users have."""
        source, model, report = self.folder / "judged.toml", self.folder / "judged.tflite", self.folder / "judged.json"
        source.write_text(plan, encoding="utf-8")
        self.tool("qat-convert", network, "--plan", source, "-o", model)
        self.tool("qat-eval", "compare", network, model, "--data", self.arguments.data, "--repeat", "0", "--litert", "off", "--json", report)
        float_row, row = json.loads(report.read_text(encoding="utf-8"))["models"]
        return float_row["accuracy"]["top1"] - row["accuracy"]["top1"]

    def judge(self, what, network, plan, layer, allowed):
        bad, fixed, report = self.folder / "bad.toml", self.folder / "fixed.toml", self.folder / "debug.json"
        bad.write_text(plan, encoding="utf-8")
        fixed.unlink(missing_ok=True)
        self.tool("qat-eval", "debug", network, "--plan", bad, "--data", self.arguments.data, "--limit", self.arguments.limit, "--calibration-limit",
                  self.arguments.limit, "--suggest", fixed, "--max-drop", allowed, "--json", report, codes=(0, 1))
        found = json.loads(report.read_text(encoding="utf-8"))
        first, suggestion = found["layers"][0]["layer"], found["suggestion"]
        problems = [] if first == layer else [f"'{first}' is named first"]
        left = self.drop(network, fixed.read_text(encoding="utf-8")) if fixed.exists() else None
        if left is None:
            problems.append("no edit meets the limit")
        elif left > allowed + 1e-9:
            problems.append(f"{left:.2f} points are still lost, {allowed:.2f} are allowed")
        edits = "; ".join(edit["text"] for edit in suggestion["edits"])
        print(f"{what}: {found['loss']:.2f} points lost, {'' if left is None else f'{left:.2f} after '}[{edits}] {', '.join(problems) or 'ok'}", flush=True)
        self.cases += 1
        self.wrong += [f"{what}: {problem}" for problem in problems]

    def wanted(self, layer):
        return not self.arguments.only or layer in self.arguments.only.split(",")

    def ranges(self, kind):
        network = self.arguments.network
        plan = self.plan(network, kind)
        allowed = max(self.drop(network, plan), 0) + self.arguments.max_drop
        activations = plan[plan.index("[activations]"):plan.index("[filters]")]
        for line in re.findall(r'^"[^"]+" = \{ range = \[[^\]]+\] \}.*$', activations, re.M):
            layer = re.match(r'"([^"]+)"', line).group(1)
            if not self.wanted(layer):
                continue
            ends = [float(end) * self.arguments.factor for end in re.search(r"range = \[([^\]]+)\]", line).group(1).split(",")]
            spoilt = re.sub(r"range = \[[^\]]+\]", f"range = [{ends[0]!r}, {ends[1]!r}]", line)
            self.judge(f"{kind}: range of '{layer}'", network, plan.replace(line, spoilt), layer, allowed)

    def channels(self, kind):
        healthy = max(self.drop(self.arguments.network, self.plan(self.arguments.network, kind)), 0)
        pairs = pairs_of(read_model(self.arguments.network))
        count = min(self.arguments.channels, len(pairs))
        for place in sorted({round(k * (len(pairs) - 1) / max(1, count - 1)) for k in range(count)}):
            model = read_model(self.arguments.network)
            layer = stretch(model, pairs[place], 3 * self.arguments.factor)
            network = self.folder / "stretched.tflite"
            write_model(model, network)
            self.judge(f"{kind}: a channel of '{layer}'", network, self.plan(network, kind), layer, healthy + self.arguments.max_drop)


# ---- the float model ------------------------------------------------------------------------------------------------------------

def code_of(model, operator):
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def pairs_of(model):
    """(first, second) operators: a convolution with a relu, and the convolution that alone reads it, pools between them included."""
    operators = model.subgraphs[0].operators
    readers = {}
    for operator in operators:
        for tensor in operator.inputs:
            readers.setdefault(tensor, []).append(operator)
    pairs = []
    for first in operators:
        if code_of(model, first) not in CONVOLUTIONS or first.builtinOptions.fusedActivationFunction != schema.ActivationFunctionType.RELU:
            continue
        after = readers.get(first.outputs[0], [])
        while len(after) == 1 and code_of(model, after[0]) in PASSED_ON:
            after = readers.get(after[0].outputs[0], [])
        if len(after) == 1 and code_of(model, after[0]) in CONVOLUTIONS:
            pairs.append((first, after[0]))
    return [(operators.index(first), operators.index(second)) for first, second in pairs]


def stretch(model, pair, factor):
    """Multiplies the channel of the least filter, so that the others share few steps; returns the name of the layer."""
    graph = model.subgraphs[0]
    first, second = (graph.operators[place] for place in pair)

    def values(tensor):
        return np.frombuffer(bytes(model.buffers[graph.tensors[tensor].buffer].data), np.float32).reshape(graph.tensors[tensor].shape).copy()

    def store(tensor, array):
        model.buffers[graph.tensors[tensor].buffer].data = np.frombuffer(array.astype(np.float32).tobytes(), np.uint8)

    out_axis = 0 if code_of(model, first) == schema.BuiltinOperator.CONV_2D else 3
    in_axis = 3  # of both: [O, H, W, I] and [1, H, W, C]
    filters, biases, following = values(first.inputs[1]), values(first.inputs[2]), values(second.inputs[1])
    reach = np.abs(np.moveaxis(filters, out_axis, 0).reshape(filters.shape[out_axis], -1)).max(1)
    channel = int(np.argsort(reach)[len(reach) // 2])
    np.moveaxis(filters, out_axis, 0)[channel] *= factor
    biases[channel] *= factor
    np.moveaxis(following, in_axis, 0)[channel] /= factor
    store(first.inputs[1], filters)
    store(first.inputs[2], biases)
    store(second.inputs[1], following)
    return graph.tensors[first.outputs[0]].name.decode()


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(arguments, folder)
        for kind in arguments.types.split(","):
            checker.ranges(kind)
            if arguments.channels:
                checker.channels(kind)
        for line in checker.wrong:
            print(line, file=sys.stderr)
        print(f"{checker.cases - len({line.rsplit(': ', 1)[0] for line in checker.wrong})} of {checker.cases} named first and repaired")
        return 1 if checker.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
