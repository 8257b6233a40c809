#!/usr/bin/env python3
"""Makes .tflite models of common networks with TensorFlow's own converters, in all types that they convert to.

  python3 scripts/make_foreign_models.py [--types float32,int8,…] [--only NAME,…] [--toco] DIRECTORY

Needs TensorFlow (2.12 or newer), which nothing else here does. Weights are random, those of batch normalizations too, so
that nothing downloads. DIRECTORY/NAME.TYPE.tflite appears for each network of foreign_networks.py and each type that its
converter accepts; what it refuses is printed. scripts/compare_foreign_models.py runs them.
--toco: with the converter of TensorFlow 1.x, which 2.12 still has, and of its quantized types only uint8 after fake
quantization.
"""
import argparse
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from foreign_networks import NETWORKS  # noqa: E402

CALIBRATION_EXAMPLES = 4
INT8 = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
INT16 = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]


def randomize(model, seed):
    """Batch normalizations with an effect: a new one is the identity."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        name = getattr(variable, "path", variable.name)
        if any(part in name for part in ("gamma", "moving_variance")):
            variable.assign(random.uniform(0.6, 1.4, variable.shape))
        elif any(part in name for part in ("beta", "moving_mean", "bias")):
            variable.assign(random.normal(0, 0.1, variable.shape))


def example(spec, random):
    shape = [12 if size is None and i else 1 if size is None else size for i, size in enumerate(spec.shape)]
    if spec.dtype == tf.uint8:
        return random.integers(0, 256, shape).astype(np.uint8)
    if spec.dtype in (tf.int32, tf.int64):
        return random.integers(0, 20, shape).astype(spec.dtype.as_numpy_dtype)
    return random.uniform(-1, 1, shape).astype(np.float32)


def converter_of(built):
    """A converter and the TensorSpecs of the inputs."""
    if isinstance(built, tuple):
        function, specs = built
        concrete = function.get_concrete_function()
        return tf.lite.TFLiteConverter.from_concrete_functions([concrete], function), specs
    randomize(built, 5)
    specs = [tf.TensorSpec(t.shape, t.dtype, name=t.name) for t in built.inputs]
    return tf.lite.TFLiteConverter.from_keras_model(built), specs


def set_type(converter, specs, kind):
    if kind == "float32":
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
        return
    if kind == "dynamic":
        return
    random = np.random.default_rng(3)
    names = [spec.name for spec in specs if spec.name] if len(specs) > 1 else []  # the order of inputs may be another one

    def examples():
        for _ in range(CALIBRATION_EXAMPLES):
            values = [example(spec, random) for spec in specs]
            yield dict(zip(names, values)) if names else values
    converter.representative_dataset = examples
    if kind == "fallback":  # integer where the converter can, float elsewhere, float at the edges
        return
    converter.target_spec.supported_ops = INT16 if kind.startswith("int16x8") else INT8
    edge = {"int8": tf.int8, "per_tensor": tf.int8, "uint8_edges": tf.uint8, "int16x8": tf.int16}.get(kind, tf.float32)
    converter.inference_input_type = converter.inference_output_type = edge
    if kind == "per_tensor":
        converter._experimental_disable_per_channel = True


TYPES = ("float32", "float16", "dynamic", "int8", "per_tensor", "uint8_edges", "float_edges", "fallback", "int16x8")


def make(name, kind, toco):
    tf.keras.backend.clear_session()
    tf.random.set_seed(1)
    converter, specs = converter_of(NETWORKS[name]())
    if toco:
        converter.experimental_new_converter = False
        converter.experimental_new_quantizer = False
    set_type(converter, specs, kind)
    return converter.convert()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--types", default=",".join(TYPES))
    parser.add_argument("--only", default=",".join(NETWORKS))
    parser.add_argument("--toco", action="store_true")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    made = refused = 0
    for name in arguments.only.split(","):
        for kind in arguments.types.split(","):
            path = arguments.directory / f"{name}.{'toco_' if arguments.toco else ''}{kind}.tflite"
            if path.exists():
                continue
            try:
                path.write_bytes(make(name, kind, arguments.toco))
                made += 1
            except Exception as error:  # print the converter's message and go on with the next network
                print(f"{name}.{kind}: {str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error)}", flush=True)
                refused += 1
    print(f"{made} models made, {refused} refused by the converter")
    return 0


if __name__ == "__main__":
    sys.exit(main())
