#!/usr/bin/env python3
"""Holds the models of --twins against each other in the real TFLite interpreter (ai-edge-litert), with its reference kernels.

  compare_twins.py BIN INPUTS OUT SPEC.toml ...

Each SPEC becomes OUT/NAME.uint8.tflite and OUT/NAME.int8.tflite, untrained and calibrated with noise. Every byte of every tensor has
to differ by 128 on INPUTS random inputs, and what is no byte has to be equal. What qat-convert refuses for --twins is computed on real
numbers in a second try, which must succeed. Operators that both types have and that are refused all the same must differ in one of the
networks, where the models come out in spite of the refusal. Exit status: 0 as expected, 1 otherwise.
"""
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from make_precisions import run, write_noise

# Others that are refused are equal by chance in these networks: a sum that saturates, lengths of a few numbers.
MUST_DIFFER = {"average_pool_2d", "resize_bilinear"}
LAYERS = re.compile(r"((?:'[^']+', )*'[^']+') \((\w+): ([^)]*)\)")


def convert(binaries, name, *flags):
    """Exit code and message of a conversion to both types."""
    result = subprocess.run([os.path.join(binaries, "qat-convert"), name + ".qgraph", "--calibrate", name + ".data", "--progress", "none",
                             "-o", name + ".int8.tflite", "--twins", name + ".uint8.tflite", *flags],
                            capture_output=True, text=True, check=False)
    return result.returncode, result.stderr


def interpreter(path):
    made = Interpreter(model_path=path, experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                       experimental_preserve_all_tensors=True)
    made.allocate_tensors()
    return made


def as_int8(value):
    return (value ^ 0x80).view(np.int8) if value.dtype == np.uint8 else value


def values(model, index):
    """None: the interpreter has no memory for it, as for what it computes once."""
    try:
        return as_int8(model.get_tensor(index))
    except ValueError:
        return None


def differing_tensors(name, inputs):
    """Names of the tensors with any value that is not the other's, 128 apart, and the number of values compared."""
    uint8, int8 = (interpreter(f"{name}.{kind}.tflite") for kind in ("uint8", "int8"))
    if int8.get_input_details()[0]["dtype"] == np.int8 and uint8.get_input_details()[0]["dtype"] != np.uint8:
        sys.exit(f"{name}: the input of the twin is {uint8.get_input_details()[0]['dtype']}")
    random, differing, compared = np.random.default_rng(1), set(), 0
    for _ in range(inputs):
        for of_uint8, of_int8 in zip(uint8.get_input_details(), int8.get_input_details()):
            if of_int8["dtype"] == np.int8:
                value = random.integers(-128, 128, of_int8["shape"]).astype(np.int8)
                uint8.set_tensor(of_uint8["index"], value.view(np.uint8) ^ 0x80)
            else:
                value = random.uniform(-1, 1, of_int8["shape"]).astype(of_int8["dtype"])
                uint8.set_tensor(of_uint8["index"], value)
            int8.set_tensor(of_int8["index"], value)
        uint8.invoke()
        int8.invoke()
        for detail in int8.get_tensor_details():
            if not detail["name"]:
                continue  # a kernel's own scratch memory
            index = detail["index"]
            left, right = values(uint8, index), values(int8, index)
            if left is None or right is None:
                continue
            compared += right.size
            if not np.array_equal(left, right):
                differing.add(detail["name"])
    return differing, compared


def check(binaries, inputs, out, spec, unequal):
    """Whether it is as expected. `unequal`: takes the operators that were refused and do differ."""
    name = os.path.join(out, pathlib.Path(spec).stem)
    run(os.path.join(binaries, "qat_random_checkpoint"), spec, name + ".ckpt")
    run(os.path.join(binaries, "qat-freeze"), name + ".ckpt", "-o", name + ".qgraph")
    run(os.path.join(binaries, "qat-convert"), name + ".qgraph", "--type", "float32", "-o", name + ".float.tflite")
    write_noise(name + ".float.tflite", name + ".data")
    code, message = convert(binaries, name)
    said, problems = "", []
    if code == 4:
        refused = LAYERS.findall(message)
        layers = [layer for names, _, _ in refused for layer in re.findall(r"'([^']+)'", names)]
        said = f"refused: {', '.join(sorted({operator for _, operator, _ in refused}))}; "
        if not any("no kernel" in why for _, _, why in refused):
            convert(binaries, name, "--skip-pass", "check-twins")
            if differing_tensors(name, inputs)[0] & set(layers):
                unequal.update(operator for _, operator, _ in refused)
        code, message = convert(binaries, name, "--keep-float", "|".join(map(re.escape, layers)))
    if code != 0:
        problems.append(f"exit code {code}: {message}")
    else:
        differing, compared = differing_tensors(name, inputs)
        said += f"{compared} values compared"
        if differing:
            problems.append(f"these differ: {', '.join(sorted(differing))}")
    print(f"{pathlib.Path(spec).stem}: {said}, {'; '.join(problems) or 'all 128 apart'}")
    return not problems


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    binaries, inputs, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    unequal = set()
    good = [check(binaries, inputs, out, spec, unequal) for spec in sys.argv[4:]]
    for operator in sorted(MUST_DIFFER - unequal):
        print(f"{operator}: is refused and was equal in every network")
    return 0 if all(good) and MUST_DIFFER <= unequal else 1


if __name__ == "__main__":
    sys.exit(main())
