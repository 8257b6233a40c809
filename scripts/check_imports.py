#!/usr/bin/env python3
"""Imports networks of Keras and holds them against the TFLite interpreter with its reference kernels.

  check_imports.py [--qat-bin build/bin] [--work build/imports] [--only NAME,...] [--table]

Small networks of keras.applications and others of a few layers, with random weights and perturbed statistics of their batch
normalizations, become float .tflite files; qat-convert reads them. Held to
  float   --type float32: outputs within 1e-5 of the largest that the original gives in the interpreter
  int8    --calibrate: outputs of the interpreter and of qat-eval run equal byte for byte
A network that is refused, or differs, is a failure. The signal to noise of the int8 outputs, against the float ones, is printed beside
that of TensorFlow's own calibrator (lite.python.optimize.calibrator) on the same file and data. --table prints Markdown. Exit status: 0 all hold, 1 not.
Without TensorFlow, a virtual environment is made in WORK/venv first (tensorflow-cpu, ai-edge-litert; 1.5 GB).
"""
import argparse
import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOLERANCE = 1e-5
EXAMPLES = 16
CALIBRATION = 16


def ensure_tensorflow(work):
    """Starts again with a Python that has TensorFlow."""
    try:
        import ai_edge_litert  # noqa: F401
        import tensorflow  # noqa: F401
        return
    except ImportError:
        pass
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    python = work / "venv" / "bin" / "python"
    if pathlib.Path(sys.executable) == python:
        sys.exit("no TensorFlow in " + str(python))
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(work / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "tensorflow-cpu", "ai-edge-litert"], check=True)
    os.execv(str(python), [str(python), *sys.argv])


def applications():
    from tensorflow import keras
    apps = keras.applications
    def build(make, size, **options):
        return lambda: make(weights=None, input_shape=(size, size, 3), classes=20, **options)
    return {
        "MobileNet 0.25": build(apps.MobileNet, 96, alpha=0.25),
        "MobileNetV2 0.35": build(apps.MobileNetV2, 96, alpha=0.35),
        "MobileNetV3Small minimalistic": build(apps.MobileNetV3Small, 96, minimalistic=True, alpha=0.75),
        "MobileNetV3Small": build(apps.MobileNetV3Small, 96, minimalistic=False),
        "EfficientNetB0": build(apps.EfficientNetB0, 96),
        "EfficientNetV2B0": build(apps.EfficientNetV2B0, 96),
        "NASNetMobile": build(apps.NASNetMobile, 96),
        "DenseNet121": build(apps.DenseNet121, 64),
        "ResNet50": build(apps.ResNet50, 64),
        "ResNet50V2": build(apps.ResNet50V2, 64),
        "InceptionV3": build(apps.InceptionV3, 96),
        "Xception": build(apps.Xception, 96),
    }


def small_networks():
    from tensorflow import keras
    layers = keras.layers

    def image(*stack, size=24, channels=3):
        return lambda: keras.Sequential([keras.Input((size, size, channels)), *[make() for make in stack]])

    def autoencoder():
        x = inputs = keras.Input((24, 24, 3))
        for width in (8, 16):
            x = layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(x)
        for width in (8, 3):
            x = layers.Conv2DTranspose(width, 3, strides=2, padding="same")(x)
            x = layers.LeakyReLU(negative_slope=0.1)(x)
        return keras.Model(inputs, x)

    def branches():
        inputs = keras.Input((24, 24, 3))
        a = layers.Conv2D(8, 1, activation="sigmoid")(inputs)
        b = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
        x = layers.Concatenate()([a, b, inputs])
        x = layers.Maximum()([layers.Conv2D(8, 1)(x), layers.Conv2D(8, 3, padding="same")(x)])
        return keras.Model(inputs, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(x)))

    def unet():
        inputs = keras.Input((24, 24, 3))
        a = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
        b = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(a))
        x = layers.Concatenate()([layers.UpSampling2D(interpolation="bilinear")(b), a])
        return keras.Model(inputs, layers.Conv2D(4, 1, activation="softmax")(x))

    def attention():
        inputs = keras.Input((16, 16, 3))
        x = layers.Conv2D(16, 4, strides=4)(inputs)
        x = layers.Reshape((16, 16))(x)
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 8)(y, y)])
        y = layers.Dense(32, activation="gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(16)(y)])
        return keras.Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling1D()(x)))

    def squeeze_excite():
        x = inputs = keras.Input((24, 24, 3))
        x = layers.Conv2D(16, 3, padding="same", activation="swish")(x)
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(16, 1, activation="hard_sigmoid")(layers.Conv2D(4, 1, activation="relu")(gate))
        x = layers.Multiply()([x, gate])
        return keras.Model(inputs, layers.Dense(5)(layers.Flatten()(layers.AveragePooling2D(4)(x))))

    def two_outputs():
        inputs = keras.Input((24, 24, 3))
        x = layers.SeparableConv2D(16, 3, strides=2, activation="relu6")(inputs)
        x = layers.PReLU(shared_axes=[1, 2])(x)
        return keras.Model(inputs, [layers.Dense(5, activation="softmax", name="kind")(layers.GlobalMaxPooling2D()(x)),
                                    layers.Dense(1, activation="tanh", name="angle")(layers.Flatten()(x))])

    def series():
        inputs = keras.Input((32, 4))
        x = layers.Conv1D(8, 5, activation="relu")(inputs)
        x = layers.SeparableConv1D(16, 3, padding="same")(layers.MaxPooling1D()(x))
        x = layers.BatchNormalization()(x)
        return keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x)))

    def features():
        return keras.Sequential([keras.Input((12,)), layers.Dense(16, activation="tanh"), layers.BatchNormalization(),
                                 layers.Dense(16, activation="softplus"), layers.Dense(2)])

    return {
        "plain": image(lambda: layers.Conv2D(8, 3, activation="relu"), lambda: layers.BatchNormalization(),
                       lambda: layers.MaxPooling2D(), lambda: layers.Flatten(), lambda: layers.Dense(10)),
        "dilated and padded": image(lambda: layers.ZeroPadding2D(2), lambda: layers.Conv2D(8, 3, dilation_rate=2),
                                 lambda: layers.ReLU(max_value=6), lambda: layers.DepthwiseConv2D(3, depth_multiplier=2),
                                 lambda: layers.Cropping2D(2), lambda: layers.Flatten(), lambda: layers.Dense(4)),
        "autoencoder": autoencoder, "branches": branches, "U-Net": unet, "attention": attention,
        "squeeze and excite": squeeze_excite, "two outputs": two_outputs, "series": series, "features": features,
    }


def perturb(model, rng):
    """Statistics and scales that a trained network could have; fresh ones are 0 and 1."""
    import tensorflow as tf
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.set_weights([w * rng.uniform(0.8, 1.2, w.shape) + rng.uniform(-0.1, 0.1, w.shape)
                               if "variance" not in v.name else w * rng.uniform(0.5, 1.5, w.shape)
                               for v, w in zip(layer.weights, layer.get_weights())])


def make_model(build, path, seed):
    import numpy as np
    import tensorflow as tf
    tf.keras.utils.set_random_seed(seed)
    model = build()
    perturb(model, np.random.default_rng(seed))
    with contextlib.redirect_stdout(io.StringIO()):  # the converter lists every tensor it captures
        path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def run_tflite(path, examples):
    """Outputs by name for each example, with the reference kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    interpreter = Interpreter(model_path=str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    detail = interpreter.get_input_details()[0]
    results = []
    for example in examples:
        interpreter.set_tensor(detail["index"], example[None].astype(detail["dtype"]))
        interpreter.invoke()
        results.append([interpreter.get_tensor(output["index"]) for output in interpreter.get_output_details()])
    return results, detail


def peer_signal_to_noise(model, data, reals, work):
    """That of TensorFlow's calibrator; None where it refuses the network."""
    import numpy as np
    from tensorflow import dtypes
    from tensorflow.lite.python.optimize import calibrator
    def examples():
        for example in data:
            yield [example[None]]
    try:
        content = calibrator.Calibrator(model.read_bytes()).calibrate_and_quantize(examples, dtypes.int8, dtypes.int8, False)
    except Exception:  # noqa: BLE001  it raises whatever its C++ part says
        return None
    path = work / "peer.tflite"
    path.write_bytes(content)
    _, detail = run_tflite(path, [])
    scale, zero_point = detail["quantization"]
    integers, _ = run_tflite(path, np.clip(np.round(reals / scale) + zero_point, -128, 127).astype(np.int8))
    return signal_to_noise(model, reals, integers, output_details(path))


def output_details(path):
    from ai_edge_litert.interpreter import Interpreter
    return Interpreter(model_path=str(path)).get_output_details()


def run_ours(qat_eval, model, examples, directory):
    import numpy as np
    source, target = os.path.join(directory, "x.npy"), os.path.join(directory, "y.npy")
    np.save(source, examples)
    subprocess.run([qat_eval, "run", str(model), "--input", source, "-o", target, "--progress", "none"], check=True,
                   stdout=subprocess.DEVNULL)
    outputs = [np.load(target)]
    while os.path.exists(target.replace(".npy", f".{len(outputs)}.npy")):
        outputs.append(np.load(target.replace(".npy", f".{len(outputs)}.npy")))
    return outputs


def convert(qat_convert, model, output, *flags):
    result = subprocess.run([qat_convert, str(model), "-o", str(output), "--progress", "none", *flags], capture_output=True,
                            text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip().splitlines()[-1])


def check_float(tools, model, work, rng):
    import numpy as np
    ours = work / "float.tflite"
    convert(tools["convert"], model, ours, "--type", "float32")
    _, detail = run_tflite(model, [])
    examples = rng.uniform(-1, 1, (EXAMPLES, *detail["shape"][1:])).astype(np.float32)
    expected, _ = run_tflite(model, examples)
    found, _ = run_tflite(ours, examples)
    worst = 0.0
    for theirs, mine in zip(expected, found):
        for a, b in zip(theirs, mine):
            if not np.all(np.isfinite(a)):
                raise RuntimeError("the original gives values that are not finite")
            worst = max(worst, float(np.max(np.abs(a - b)) / max(1.0, np.max(np.abs(a)))))
    return worst


def signal_to_noise(model, reals, integers, details):
    """In dB, over all outputs, each in units of its own deviation: what the integers keep of the float answers."""
    import numpy as np
    expected, _ = run_tflite(model, reals)
    signal = noise = 0.0
    for k, detail in enumerate(details):
        scale, zero_point = detail["quantization"]
        theirs = np.stack([outputs[k] for outputs in expected]).astype(np.float64)
        ours = (np.stack([outputs[k] for outputs in integers]).astype(np.float64) - zero_point) * scale
        unit = max(float(np.var(theirs)), 1e-30)
        signal += float(np.mean((theirs - theirs.mean()) ** 2)) / unit
        noise += float(np.mean((theirs - ours) ** 2)) / unit
    return 10 * np.log10(max(signal, 1e-30) / max(noise, 1e-30))


def check_int8(tools, model, work, rng):
    """How many bytes differ, the size of the file, and the signal to noise in dB, ours and TensorFlow's."""
    import numpy as np
    _, detail = run_tflite(model, [])
    shape, ours = detail["shape"][1:], work / "int8.tflite"
    flags, data = [], work / "data.npy"
    if len(shape) == 3:
        pictures = rng.integers(0, 256, (CALIBRATION, *shape), dtype=np.uint8)
        np.save(data, pictures)
        fed = ((pictures - 127.5) / 127.5).astype(np.float32)
        flags = ["--mean", "127.5", "--std", "127.5"]
    else:
        fed = rng.uniform(-1, 1, (CALIBRATION, *shape)).astype(np.float32)
        np.save(data, fed)
    convert(tools["convert"], model, ours, "--type", "int8", "--calibrate", str(data), *flags)
    _, detail = run_tflite(ours, [])
    reals = rng.uniform(-1, 1, (EXAMPLES, *shape)).astype(np.float32)
    examples = reals
    if detail["dtype"] != np.float32:
        scale, zero_point = detail["quantization"]
        examples = np.clip(np.round(reals / scale) + zero_point, -128, 127).astype(np.int8)
    expected, _ = run_tflite(ours, examples)
    outputs = run_ours(tools["eval"], ours, examples, work)
    different = sum(int(np.sum(theirs[k].ravel() != outputs[k][i].ravel()))
                    for i, theirs in enumerate(expected) for k in range(len(theirs)))
    return (different, ours.stat().st_size, signal_to_noise(model, reals, expected, output_details(ours)),
            peer_signal_to_noise(model, fed, reals, work))


def check(name, build, tools, work, seed):
    import numpy as np
    rng = np.random.default_rng(seed)
    path = work / (name.replace(" ", "_").replace(",", "") + ".tflite")
    if not path.exists():
        make_model(build, path, seed)
    row = {"name": name, "size": path.stat().st_size, "float": None, "int8": None, "problem": ""}
    with tempfile.TemporaryDirectory() as directory:
        begin = time.monotonic()
        try:
            row["float"] = check_float(tools, path, pathlib.Path(directory), rng)
            row["int8"], row["int8_size"], row["snr"], row["peer"] = check_int8(tools, path, pathlib.Path(directory), rng)
        except (RuntimeError, ValueError) as error:  # the interpreter raises either
            row["problem"] = str(error)
        row["seconds"] = time.monotonic() - begin
    if row["float"] is not None and row["float"] > TOLERANCE:
        row["problem"] += f" float outputs differ by {row['float']:.2g}"
    if row["int8"]:
        row["problem"] += f" {row['int8']} bytes differ"
    return row


def show(row, table):
    number = "–" if row["float"] is None else f"{row['float']:.1e}"
    integers = "–" if row["int8"] is None else "equal" if row["int8"] == 0 else f"{row['int8']} differ"
    peer = "–" if row.get("peer") is None else f"{row['peer']:.1f}"
    if table:
        print(f"| {row['name']} | {row['size']:,} | {number} | {integers} | {row.get('int8_size', 0):,} | "
              f"{row.get('snr', 0):.1f} | {peer} |", flush=True)
    else:
        print(f"{row['name']:32} {row['size']:>10} bytes  float {number:>8}  int8 {integers:10} {row.get('snr', 0):5.1f} dB, TensorFlow's {peer:>4} "
              f"{row['problem']}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qat-bin", type=pathlib.Path, default=ROOT / "build" / "bin")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "imports")
    parser.add_argument("--only", default="")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    ensure_tensorflow(work)
    tools = {"convert": str(arguments.qat_bin / "qat-convert"), "eval": str(arguments.qat_bin / "qat-eval")}
    networks = {**small_networks(), **applications()}
    chosen = [name for name in networks if not arguments.only or name in arguments.only.split(",")]
    rows = []
    for name in chosen:
        rows.append(check(name, networks[name], tools, work, seed=1 + list(networks).index(name)))
        show(rows[-1], arguments.table)
    failed = [row for row in rows if row["problem"]]
    print(f"{len(rows) - len(failed)} of {len(rows)} networks hold", file=sys.stderr)
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
