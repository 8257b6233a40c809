#!/usr/bin/env python3
"""Runs the same .tflite files on the same inputs in our runtime and in ai-edge-litert, and prints a table in Markdown.

The runtimes take turns within milliseconds, in an order that is reversed after every round; each ratio is the median over
all rounds of the ratio within a round, so that a busy machine disturbs both sides alike. The
spread in parentheses is the middle half of those ratios. Our outputs are compared with TFLite's reference kernels
(BUILTIN_REF) on several inputs, under every instruction set: integers must be equal byte for byte, floats as near to these as
TFLite's own other kernels are (float_limits).

  build/litert-venv/bin/python scripts/compare_litert.py [--float] [--threads N] [--rounds N] [-o FILE | --into PAGE] MODEL.tflite ...

--float also runs a copy of each integer model with all quantization removed, which has the same shape and other weights; the
last columns are its time relative to the integer model. A second table says which goals are met; LeNet is recognized by the
name lenet.uint8.tflite. --into replaces the text in PAGE between the lines "<!-- compare_litert, N threads -->" and
"<!-- end -->". Times of ai-edge-litert include one call from Python, which is measured with an empty model and printed.
Exit status: 0; 1 if an output differs; 2 for wrong usage.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from litert_models import empty_model, variants, write_model
from page_places import page_parts, put_into_page

KINDS = {
    "reference": OpResolverType.BUILTIN_REF,
    "built-in": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "XNNPACK": OpResolverType.AUTO,
}
BURST_SECONDS = 0.004
# Of the largest output. Kernels that lie further from the reference compute something else, as XNNPACK does where inputs are quantized on the way.
FLOAT_TOLERANCE = 1e-5
# How far sums in another order may lie from each other where kernels happen to agree, of the largest output.
SPREADS = 2
FEWEST_ULPS = 8 * 2.0 ** -23
# The least ratio of our float time to our integer time, by instruction set.
FLOAT_FACTORS = {"avx2": 1.2, "avxvnni": 2, "avx512vnni": 2}


# --- runtimes ---------------------------------------------------------------------------------------------------------


class Litert:
    def __init__(self, path, kind, threads=1):
        self.interpreter = Interpreter(model_path=path, experimental_op_resolver_type=KINDS[kind], num_threads=threads)
        self.interpreter.allocate_tensors()
        self.detail = self.interpreter.get_input_details()[0]

    def outputs(self, example):
        self.interpreter.set_tensor(self.detail["index"], example)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(d["index"]) for d in self.interpreter.get_output_details()]

    def seconds(self, runs, clock="wall"):
        now = time.perf_counter if clock == "wall" else time.thread_time
        invoke = self.interpreter._interpreter.Invoke  # without the checks of Interpreter.invoke
        start = now()
        for _ in range(runs):
            invoke()
        return (now() - start) / runs


class Ours:
    def __init__(self, bench, path, examples, isa, threads, directory):
        source = os.path.join(directory, "input.bin")
        self.result = os.path.join(directory, "output.bin")
        examples.tofile(source)
        environment = dict(os.environ)
        if isa:
            environment["QAT_FORCE_ISA"] = isa
        self.process = subprocess.Popen([bench, path, source, str(threads)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=environment)
        self.kernels = self.ask("kernels").split()  # it has read its files once it answers

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

    def seconds(self, runs, clock="wall"):
        wall, processor = self.ask(f"time {runs}").split()
        return float(wall if clock == "wall" else processor) * 1e-9

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


def largest_of(outputs):
    return max(float(np.max(np.abs(output), initial=0.0)) for output in outputs)


def is_hybrid(interpreter):
    """Whether some layer reads real numbers and has a filter of integers: it quantizes its input while the model runs."""
    types = {each["index"]: each["dtype"] for each in interpreter.get_tensor_details()}
    operators = [each for each in interpreter._get_ops_details() if each["op_name"] != "DELEGATE"]  # pylint: disable=protected-access
    return any(len(each["inputs"]) > 1 and types.get(each["inputs"][0]) == np.float32 and types.get(each["inputs"][1]) == np.int8
               for each in operators)


def float_limits(path, examples, expected, all_kernels=False):
    """How far each output of a model may lie from TFLite's reference kernels, in its own units.

    Twice as far as the built-in kernels or XNNPACK do on these examples: roundings are independent, and the largest of few values is seen.
    Kernels further away than FLOAT_TOLERANCE of the largest value are left out, unless all_kernels is set. At least FEWEST_ULPS;
    FLOAT_TOLERANCE where none is left; 0 for integers. `expected`: the outputs of the reference, for each example a list."""
    others = []
    for kind in ("built-in", "XNNPACK"):
        try:
            runtime = Litert(path, kind)
            others.append([runtime.outputs(example) for example in examples])
        except (RuntimeError, ValueError):  # not every model runs there
            continue
    limits = []
    for place, first in enumerate(expected[0]):
        if first.dtype != np.float32:
            limits.append(0.0)
            continue
        largest = largest_of([outputs[place] for outputs in expected])
        spreads = [largest_of([mine[place] - theirs[place] for mine, theirs in zip(other, expected)]) for other in others]
        if not all_kernels:
            spreads = [spread for spread in spreads if spread <= FLOAT_TOLERANCE * largest]
        limits.append(max(SPREADS * max(spreads), FEWEST_ULPS * largest) if spreads else FLOAT_TOLERANCE * largest)
    return limits


def difference(ours, expected, limits):
    """The number of values in `ours` (bytes, all outputs of one example after those of another) that differ from `expected`."""
    wrong = 0
    for output, limit in zip([output for outputs in expected for output in outputs], limits * len(expected)):
        mine = np.frombuffer(ours[:output.nbytes], output.dtype).reshape(output.shape)
        ours = ours[output.nbytes:]
        differs = ~(np.abs(mine - output) <= limit) if output.dtype == np.float32 else mine != output
        wrong += int(np.count_nonzero(differs))
    return wrong + len(ours)


class Form:
    """One form of a network, as it is or as float: its runners, and how far ours is from the reference."""

    def __init__(self, label, path, arguments, directory):
        self.label = label
        self.reference = Litert(path, "reference")
        examples = example_inputs(self.reference.detail, arguments.examples)
        expected = [self.reference.outputs(example) for example in examples]
        limits = float_limits(path, examples, expected)
        self.differences, self.contestants = {}, {}
        for isa in arguments.isas:
            ours = Ours(arguments.bench, path, examples, isa, arguments.threads, directory)
            self.differences[isa] = difference(ours.output_bytes(), expected, limits)
            if isa in arguments.timed_isas:
                self.contestants[isa] = ours
            else:
                ours.close()
        for kind in arguments.kinds:
            self.contestants[kind] = Litert(path, kind, arguments.threads)
            self.contestants[kind].outputs(examples[0])

    def close(self):
        for contestant in self.contestants.values():
            if isinstance(contestant, Ours):
                contestant.close()


def take_turns(contestants, rounds, clock):
    """Seconds per run: {name: one value per round}."""
    runs = {name: max(1, int(BURST_SECONDS / c.seconds(2))) for name, c in contestants.items()}
    times = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(rounds):
        for name in order:
            times[name].append(contestants[name].seconds(runs[name], clock))
        order.reverse()
    return {name: np.array(values) for name, values in times.items()}


class Row:
    """Measurements of one form: times by runner and, for an integer form, our float time relative to it."""

    def __init__(self, form, times, other, arguments):
        self.label = form.label
        self.wrong = {isa: count for isa, count in form.differences.items() if count}
        self.times = times
        self.ours = times[arguments.isas[-1]]
        self.to_default = self.ours / times["XNNPACK"]
        self.float_factors = {isa: other[isa] / times[isa] for isa in arguments.timed_isas} if other else {}

    def cells(self, arguments):
        cells = [self.label] + [f"{np.median(values) * 1e6:.1f}" for values in self.times.values()]
        cells.append(spread_text(self.to_default))
        if arguments.with_float:
            cells += [spread_text(self.float_factors[isa]) if self.float_factors else "" for isa in arguments.timed_isas]
        return cells + [", ".join(f"{count} under {isa}" for isa, count in self.wrong.items()) or "0"]


def spread_text(ratios):
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def compare(path, arguments, directory):
    """The rows of one file: as it is and, if requested, as float. Both forms take turns."""
    forms = [Form(label, variant, arguments, directory)
             for label, variant in variants(path, arguments.with_float, directory)]
    contestants = {(form, name): c for form in forms for name, c in form.contestants.items()}
    times = take_turns(contestants, arguments.rounds, arguments.clock)
    by_form = [{name: times[form, name] for name in form.contestants} for form in forms]
    for form in forms:
        form.close()
    other = by_form[1] if len(forms) == 2 else None
    return [Row(form, by_form[i], other if i == 0 else None, arguments) for i, form in enumerate(forms)]


def call_overhead(directory):
    """Microseconds that ai-edge-litert takes for a model that does nothing."""
    path = os.path.join(directory, "empty.tflite")
    write_model(empty_model(), path)
    empty = Litert(path, "built-in")
    return float(np.median([empty.seconds(1000) for _ in range(20)])) * 1e6


# --- text -------------------------------------------------------------------------------------------------------------


def table(head, rows):
    return ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows]]


def goal(text, values, limit, at_most):
    """A row of the second table. `values`: (what, value)."""
    met = [what for what, value in values if (value <= limit if at_most else value >= limit)]
    what, value = (max if at_most else min)(values, key=lambda pair: pair[1])
    return [text, f"{len(met)} of {len(values)}", f"{value:.2f}, {what}"]


def goals(rows, arguments):
    """Whether the measured medians meet each goal."""
    default = [(row.label, float(np.median(row.to_default))) for row in rows]
    lenet = [pair for pair in default if pair[0].startswith("lenet.uint8")]
    found = []
    for text, values, limit in (
            ("LeNet uint8: at most 0.5 × XNNPACK", [p for p in lenet if "as float" not in p[0]], 0.5),
            ("LeNet float: at most 1.0 × XNNPACK", [p for p in lenet if "as float" in p[0]], 1.0),
            ("every model: at most 1.0 × XNNPACK", default, 1.0),
            ("every model: at most 0.7 × XNNPACK (aim)", default, 0.7)):
        if values:
            found.append(goal(text, values, limit, at_most=True))
    for isa in arguments.timed_isas:
        values = [(row.label, float(np.median(row.float_factors[isa]))) for row in rows if row.float_factors]
        if values and isa in FLOAT_FACTORS:
            factor = FLOAT_FACTORS[isa]
            found.append(goal(f"our float at least {factor} × our integers, {isa}", values, factor, at_most=False))
    equal = sum(not row.wrong for row in rows)
    found.append(["outputs equal to BUILTIN_REF under " + ", ".join(arguments.isas), f"{equal} of {len(rows)}", ""])
    return table(["goal", "met by", "worst"], found)


def report(rows, overhead, arguments):
    names = ["ours, µs" if name == arguments.isas[-1] else f"{name}, µs" for name in rows[0].times]
    head = ["model", *names, "ours / XNNPACK"]
    if arguments.with_float:
        head += [f"our float / our integers, {isa}" for isa in arguments.timed_isas]
    lines = table([*head, "values that differ"], [row.cells(arguments) for row in rows])
    threads = "one thread" if arguments.threads == 1 else f"{arguments.threads} threads"
    clock = "" if arguments.clock == "wall" else " CPU time, not wall time."
    lines += ["", f"{cpu_name()}, {threads}, {arguments.rounds} rounds; ours: {arguments.isas[-1]}. A call from Python with "
                  f"nothing to do takes {overhead:.2f} µs; the columns of TFLite include it.{clock}", ""]
    return "\n".join(lines + goals(rows, arguments)) + "\n"


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def place_of(arguments):
    return f"compare_litert, {arguments.threads} thread{'s' if arguments.threads > 1 else ''}"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL.tflite")
    parser.add_argument("--bench", default="build/bin/qat_runtime_bench", help="our benchmark program (default: %(default)s)")
    parser.add_argument("--isas", help="our instruction sets; the last one is the column 'ours' (default: all that this machine has)")
    parser.add_argument("--threads", type=int, default=1, help="threads of both runtimes (default: %(default)s)")
    parser.add_argument("--float", action="store_true", dest="with_float", help="also run each integer model as float")
    parser.add_argument("--reference", action="store_true", help="also time TFLite's reference kernels")
    parser.add_argument("--portable", action="store_true", help="also time our portable kernels")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--examples", type=int, default=5, help="number of inputs on which outputs are compared")
    parser.add_argument("--clock", choices=["wall", "processor"], default="wall",
                        help="processor: CPU time of this thread, for a busy machine; one thread only")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the tables here instead of to standard output")
    parser.add_argument("--into", metavar="PAGE", help="write the tables into their place in this page")
    arguments = parser.parse_args()
    if arguments.clock == "processor" and arguments.threads != 1:
        parser.error("--clock processor counts one thread, expected --threads 1")
    if arguments.into and page_parts(arguments.into, place_of(arguments)) is None:
        parser.error(f"{arguments.into}: has no place for the table of --threads {arguments.threads}")
    if arguments.isas is None:
        arguments.isas = subprocess.run([arguments.bench, "--isas"], check=True, capture_output=True, text=True).stdout.split()
    else:
        arguments.isas = arguments.isas.split(",")
    arguments.timed_isas = [isa for isa in arguments.isas if isa != "portable" or arguments.portable]
    arguments.timed_isas = arguments.timed_isas or arguments.isas
    arguments.kinds = ["XNNPACK", "built-in"] + (["reference"] if arguments.reference else [])
    return arguments


def stay_on_one_processor():
    """Pins this process and all that it starts: processors of one machine differ in speed if other machines share them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main():
    arguments = parse_arguments()
    if arguments.threads == 1:
        stay_on_one_processor()
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for path in arguments.models:
            for row in compare(path, arguments, directory):
                rows.append(row)
                print(" | ".join(row.cells(arguments)), file=sys.stderr)
        text = report(rows, call_overhead(directory), arguments)
    if arguments.into:
        put_into_page(arguments.into, place_of(arguments), text)
    elif arguments.output:
        pathlib.Path(arguments.output).write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 1 if any(row.wrong for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
