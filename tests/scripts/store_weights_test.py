"""qat-convert --type float16, dynamic and dynamic4 on three networks: weights as NumPy rounds them, outputs as TFLite's.

usage: store_weights_test.py FOLDER_OF_PROGRAMS; exit 77: no TFLite in this Python.
"""

import os
import subprocess
import sys
import tempfile

try:
    import numpy
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError as error:
    print(error)
    sys.exit(1 if os.environ.get("QAT_TEST_REQUIRE") == "1" else 77)

BIN = sys.argv[1]
# Other kernels fuse products with sums; where such a value is quantized, a last bit can become a whole step.
os.environ["QAT_FORCE_ISA"] = "portable"
# Float kernels fuse products with sums: up to this part of the largest output.
TOLERANCE = 4e-6


def run(tool, *arguments):
    done = subprocess.run([os.path.join(BIN, tool), *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{tool} {' '.join(arguments)}: exit {done.returncode}: {done.stderr}")


def constants(path):
    model = Interpreter(path, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    model.allocate_tensors()
    found = {}
    for tensor in model.get_tensor_details():
        try:
            found[tensor["name"]] = (model.get_tensor(tensor["index"]), tensor["quantization_parameters"])
        except ValueError:
            pass  # not kept
    return found


def check_weights(real, stored, kind):
    """Of every stored weight: that it is what NumPy makes of the real one."""
    checked = 0
    for name, (values, parameters) in stored.items():
        if kind == "float16" and name.endswith("/float16"):
            original = real[name.removesuffix("/float16")][0]
            assert values.dtype == numpy.float16 and numpy.array_equal(values, original.astype(numpy.float16)), name
            checked += 1
        if kind != "float16" and values.dtype == numpy.int8 and name.endswith("/filter"):
            original, scales = real[name][0], parameters["scales"]
            depthwise = original.ndim == 4 and original.shape[0] == 1
            most = 7 if kind == "dynamic4" and not depthwise and original.size >= 1024 else 127  # TFLite has unpacked them
            axis = tuple(i for i in range(original.ndim) if len(scales) == 1 or i != parameters["quantized_dimension"])
            expected = numpy.abs(original).max(axis=axis) / most
            assert numpy.allclose(scales, expected.ravel(), rtol=1e-6), name
            shape = [1] * original.ndim
            if len(scales) > 1:
                shape[parameters["quantized_dimension"]] = len(scales)
            error = numpy.abs(values * scales.reshape(shape) - original)
            # Integers of 4 bits may be moved by one, to keep the sum of a channel.
            assert (error <= scales.reshape(shape) * (1.0001 if most == 7 else 0.5001)).all(), name
            assert values.min() >= -most, name
            checked += 1
    assert checked > 0, f"no weight was stored as {kind}"


def check_outputs(path):
    model = Interpreter(path, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    model.allocate_tensors()
    [given], [taken] = model.get_input_details(), model.get_output_details()
    inputs = numpy.random.default_rng(1).random((4, *given["shape"][1:]), dtype=numpy.float32)
    numpy.save("x.npy", inputs)
    run("qat-eval", "run", path, "--input", "x.npy", "-o", "y.npy")
    ours = numpy.load("y.npy")
    for x, y in zip(inputs, ours):
        model.set_tensor(given["index"], x[None])
        model.invoke()
        theirs = model.get_tensor(taken["index"])[0]
        assert numpy.abs(y - theirs).max() <= TOLERANCE * numpy.abs(theirs).max(), f"{path}: {y} and {theirs}"


with tempfile.TemporaryDirectory() as scratch:
    BIN = os.path.abspath(BIN)
    os.chdir(scratch)
    for network in ("lenet", "resnet8", "ds_cnn"):
        run("qat_random_checkpoint", network, "a.ckpt")
        run("qat-freeze", "a.ckpt", "-o", "a.qgraph")
        run("qat-convert", "a.qgraph", "--type", "float32", "-o", "float32.tflite")
        real = constants("float32.tflite")
        for kind, most in (("float16", 0.56), ("dynamic", 0.56), ("dynamic4", 0.5)):
            run("qat-convert", "a.qgraph", "--type", kind, "-o", f"{kind}.tflite")
            share = os.path.getsize(f"{kind}.tflite") / os.path.getsize("float32.tflite")
            assert share < most, f"{network}.{kind}: {share:.2f} of the float32 file"
            check_weights(real, constants(f"{kind}.tflite"), kind)
            check_outputs(f"{kind}.tflite")
            print(f"{network} {kind}: {share:.2f} of the float32 file, outputs as TFLite's")
