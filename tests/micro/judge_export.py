"""Holds exports for microcontrollers against TensorFlow Lite Micro's interpreter.

usage: judge_export.py PROGRAMS RANDOM_CHECKPOINT SIGMOIDS [KEEP]
       judge_export.py --networks PROGRAMS DATA NETWORK...
  PROGRAMS           folder of qat-freeze and qat-convert
  RANDOM_CHECKPOINT  the program qat_random_checkpoint
  SIGMOIDS           the program qat_micro_sigmoids

Networks of the zoo with random weights are exported, or the float networks that are given, calibrated with 1,000 examples of DATA, in each of
TYPES_THERE. Of each: the C compiles without a warning as C and as C++; the golden inputs, through its
own functions, give TFLite Micro's interpreter the golden outputs, bit by bit, and the checksum; the arena is enough for it, and at most 1.3 times
the least that is. Exit code 77: the interpreter or a compiler is missing.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
TYPES = {"int8_t": "int8", "uint8_t": "uint8", "int16_t": "int16", "int32_t": "int32", "float": "float32"}
FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]

# Zoo network, flags of qat_random_checkpoint, flags of qat-convert.
RANGE = "--default-range=-4,4"
NETWORKS = [
    ("lenet", [], ["--type", "int8", RANGE]),
    ("lenet", [], ["--type", "int8", RANGE, "--append", "softmax"]),
    ("lenet", [], ["--type", "float32"]),
    ("lenet", [], ["--type", "int8", RANGE, "--append", "argmax"]),
    ("lenet", [], ["--type", "int8", RANGE, "--input-type", "float32"]),
    ("mlp", [], ["--type", "int8", RANGE]),
    ("resnet8", [], ["--type", "int8", RANGE]),
    ("ds_cnn", [], ["--type", "int8", RANGE]),
    ("se_net", [], ["--type", "int8", RANGE]),
    ("mobilenet_v1", ["0.25", "96"], ["--type", "int8", RANGE]),
    ("mobilenet_v2", ["0.35", "96"], ["--type", "int8", RANGE]),
    ("resnet20", [], ["--type", "int8", RANGE]),
    ("unet", ["0.5", "64"], ["--type", "int8", RANGE]),
]

# What TensorFlow Lite Micro computes.
TYPES_THERE = ["w4a8", "float32", "int8", "int8-per-tensor", "int16x8"]

PROBE = """#include <stdint.h>
#include <stdio.h>
#include "model_data.h"
#include "model_golden.h"
#include "model_io.h"
int main(void) {
  if ((uintptr_t)model_data %% 16 != 0) return 1;
  fwrite(model_data, 1, model_data_len, stdout);
%s  return 0;
}
"""
PROBE_INPUT = """  for (int v = 0; v < MODEL_GOLDEN_VECTORS; ++v) {
    static %s tensor[MODEL_INPUT_%d_SIZE];
    model_input_%d_from_%s(model_golden_input_%d[v], tensor);
    fwrite(tensor, sizeof(tensor[0]), MODEL_INPUT_%d_SIZE, stdout);
  }
"""


def run(*command, **options):
    done = subprocess.run([str(each) for each in command], capture_output=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def number(text, name):
    return int(re.search(rf"#define {name} (\d+)", text).group(1))


def golden_outputs(text, numpy):
    """[(type, [vectors, values])] of model_golden.h."""
    outputs = []
    for c_type, index, values in re.findall(r"static const (\w+) model_golden_output_(\d+)\[[^=]*= \{(.*?)\n\};", text, re.S):
        vectors = re.findall(r"\{([^{}]*)\}", values)
        read = [[float(each.rstrip("f")) for each in re.findall(r"-?[\d.]+(?:e[-+]?\d+)?f?", vector)] for vector in vectors]
        outputs.append((TYPES[c_type], numpy.array(read)))
        assert int(index) == len(outputs) - 1
    return outputs


def runs(runtime, model, arena):
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            runtime.Interpreter.from_bytes(model, arena_size=arena).invoke()
        except Exception:  # noqa: BLE001 - too small
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def least_arena(runtime, model, enough):
    low, high = 0, enough
    while high - low > 16:
        middle = (low + high) // 2 // 16 * 16
        if middle == low:
            break
        if runs(runtime, model, middle):
            high = middle
        else:
            low = middle
    return high


def judge(name, folder, runtime, numpy):
    for language, compiler, standard, suffix in (("C", "cc", "c11", "c"), ("C++", "c++", "c++11", "cc")):
        inputs = re.findall(r"static inline void model_input_(\d+)_from_(bytes|floats)\(const \w+\* \w+, (\w+)\* tensor\)",
                            (folder / "model_io.h").read_text())
        body = "".join(PROBE_INPUT % (c_type, int(i), int(i), kind, int(i), int(i)) for i, kind, c_type in inputs)
        (folder / f"probe.{suffix}").write_text(PROBE % body)
        run(compiler, f"-std={standard}", "-O1", *FLAGS, "-o", folder / "probe", folder / f"probe.{suffix}",
            *(["-x", "c++"] if language == "C++" else []), folder / "model_data.c", "-lm")
        out = run(folder / "probe")
    run("c++", "-std=c++17", "-fsyntax-only", *FLAGS, "-I", HERE / "tflm_stub", folder / "main.cc")
    golden = (folder / "model_golden.h").read_text()
    vectors = number(golden, "MODEL_GOLDEN_VECTORS")
    arena = number((folder / "model_data.h").read_text(), "MODEL_ARENA_SIZE")
    length = int(re.search(r"model_data_len = (\d+);", (folder / "model_data.c").read_text()).group(1))
    model, tensors = out[:length], out[length:]
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena)  # throws where it is too small
    expected = golden_outputs(golden, numpy)
    places = []
    for i, _, c_type in inputs:
        shape = interpreter.get_input_details(int(i))["shape"]
        size = int(numpy.prod(shape))
        count = vectors * size * numpy.dtype(TYPES[c_type]).itemsize
        places.append(numpy.frombuffer(tensors[:count], TYPES[c_type]).reshape(vectors, *shape))
        tensors = tensors[count:]
    checksum, exact = 2166136261, True
    for v in range(vectors):
        for i, place in enumerate(places):
            interpreter.set_input(place[v], i)
        interpreter.invoke()
        for i, (kind, values) in enumerate(expected):
            given = interpreter.get_output(i)
            assert given.dtype == kind, f"{name}: output {i} is {given.dtype}, expected {kind}"
            if kind == "float32":
                exact = False
                assert numpy.allclose(given.ravel(), values[v], rtol=1e-4, atol=1e-4), f"{name}: output {i} differs"
            else:
                different = int((given.ravel() != values[v]).sum())
                assert different == 0, f"{name}: {different} of {given.size} values of output {i} differ from TFLite Micro's"
            for byte in given.tobytes():
                checksum = ((checksum ^ byte) * 16777619) % 2**32
    wanted = int(re.search(r"#define MODEL_GOLDEN_CHECKSUM (\d+)u", golden).group(1))
    assert not exact or checksum == wanted, f"{name}: checksum {checksum}, expected {wanted}"
    least = least_arena(runtime, model, arena)
    assert arena <= 1.3 * least, f"{name}: the arena is {arena} bytes, {arena / least:.2f} times the {least} that are enough"
    calls = re.findall(r"resolver\.(\w+)\(\)", (folder / "model_ops.h").read_text())
    print(f"{name}: {length} bytes, {vectors} golden vectors, arena {arena}, {arena / least:.3f} times the least; {', '.join(calls)}")


def export(programs, network, flags, folder):
    """Filters of fully connected layers with 4 bits have one scale there, which a plan is made for: 8 bits. Returns what was changed so."""
    command = [programs / "qat-convert", network, *flags]
    done = subprocess.run([str(part) for part in (*command, "--emit-micro", folder)], capture_output=True, text=True, check=False)
    wide = re.findall(r"FULLY_CONNECTED \('([^']+)'\) takes filters of 4 bits with one scale", done.stderr)
    if done.returncode == 0:
        return []
    if done.returncode != 4 or not wide:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")
    plan = folder.with_suffix(".toml")
    run(*command, "--write-plan", plan)
    text = plan.read_text(encoding="utf-8")
    for name in wide:
        text, count = re.subn(rf'^("{re.escape(name)}/filter" = \{{ bits = )4', r"\g<1>8", text, flags=re.M)
        assert count == 1, f"{network}: the plan has no filter of '{name}' with 4 bits"
    plan.write_text(text, encoding="utf-8")
    run(programs / "qat-convert", network, "--plan", plan, "--emit-micro", folder)
    return wide


def judge_networks(programs, data, networks, runtime, numpy):
    with tempfile.TemporaryDirectory() as temporary:
        for network in networks:
            for kind in TYPES_THERE:
                folder = pathlib.Path(temporary) / kind
                ranges = [] if kind == "float32" else ["--calibrate", data, "--calibration-limit", "1000", "--progress", "none"]
                wide = export(programs, network, ["--type", kind, *ranges], folder)
                judge(f"{network} {kind}{', 8 bits: ' if wide else ''}{', '.join(wide)}", folder, runtime, numpy)


def main():
    given = sys.argv[1:] != [] and sys.argv[1] == "--networks"
    if given:
        sys.argv.pop(1)
    programs = pathlib.Path(sys.argv[1])
    try:
        import numpy
        from tflite_micro import runtime
    except ImportError as error:
        print(f"{error}: exports were not judged")
        sys.exit(1 if os.environ.get("QAT_TEST_REQUIRE") == "1" else 77)
    if not shutil.which("cc") or not shutil.which("c++"):
        print("there is no compiler: exports were not judged")
        sys.exit(77)
    if given:
        judge_networks(programs, sys.argv[2], sys.argv[3:], runtime, numpy)
        return
    random_checkpoint, sigmoids = map(pathlib.Path, sys.argv[2:4])
    with tempfile.TemporaryDirectory() as temporary:
        kept = pathlib.Path(sys.argv[4] if len(sys.argv) > 4 else temporary)
        run(sigmoids, temporary)
        for path in sorted(pathlib.Path(temporary).glob("*.qgraph")):
            for kind in ("int8", "float32"):
                folder = kept / f"{path.stem}-{kind}"
                run(programs / "qat-convert", path, "--type", "int8", "--input-type", kind, "--emit-micro", folder)
                judge(folder.name, folder, runtime, numpy)
        for place, (network, checkpoint, flags) in enumerate(NETWORKS):
            folder = kept / f"{place}-{network}"
            folder.mkdir(parents=True, exist_ok=True)
            run(random_checkpoint, network, folder / "c.ckpt", *checkpoint)
            run(programs / "qat-freeze", folder / "c.ckpt", "-o", folder / "g.qgraph")
            run(programs / "qat-convert", folder / "g.qgraph", *flags, "--emit-micro", folder / "micro")
            judge(f"{network} {' '.join(flags)}", folder / "micro", runtime, numpy)


if __name__ == "__main__":
    main()
