#!/usr/bin/env python3
"""Quantizes trained float .tflite files after training with three converters and compares what comes out.

  compare_ptq.py [--qat-bin build/bin] [--work build/ptq] [--data ../shared/data] [--only NAME,...] [--runs 3] [--table]

Ten networks of Keras, of a few layers to some fifty, are trained here on MNIST, CIFAR-10 and sensor sets, and written as float
.tflite. Each file is quantized to int8 by
  ours        qat-convert MODEL --calibrate DATA --type int8
  calibrator  TensorFlow's lite.python.optimize.calibrator
  ai-edge     ai-edge-quantizer, its recipe static_wi8_ai8
from the same examples (500, or all where there are fewer). The three results run in the TFLite interpreter with reference kernels on
the same test examples (500 at most): signal to noise of the outputs against the float file's, in dB, and the task's own figure.
The times are whole processes, started in turns; the median of --runs counts. A Python process imports its packages in that time: that
is what a user waits for; the time without it, as the process itself measures it, stands beside it.
Held to, on every network: ours at most 0.2 dB below the better of the others, and at least five times faster than the faster.
--table prints Markdown. Exit status: 0 all hold, 1 not. Without TensorFlow, a virtual environment is made in WORK/venv first (2 GB).
"""
import argparse
import contextlib
import gzip
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tarfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = 500
MAX_LOSS_DB = 0.2
MIN_SPEEDUP = 5
PACKAGES = ["tensorflow-cpu", "ai-edge-litert", "ai-edge-quantizer"]


def ensure_packages(work):
    """Starts again with a Python that has the packages."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    python = work / "venv" / "bin" / "python"
    if pathlib.Path(sys.executable) == python:
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(work / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    os.execv(str(python), [str(python), *sys.argv])


# ---- data: x in float32 as the network takes them, y; training and test --------------------------------------------------------

def read_idx(path):
    import numpy as np
    content = gzip.decompress(path.read_bytes())
    shape = [int.from_bytes(content[4 + 4 * k:8 + 4 * k], "big") for k in range(content[3])]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def mnist_bytes(data):
    """Images as bytes, and labels."""
    folder = data / "mnist"
    return tuple((read_idx(folder / f"{part}-images-idx3-ubyte.gz")[..., None], read_idx(folder / f"{part}-labels-idx1-ubyte.gz").astype("int64"))
                 for part in ("train", "t10k"))


def mnist(data):
    return tuple((x.astype("float32") / 127.5 - 1, y) for x, y in mnist_bytes(data))


def mnist_itself(data):
    return tuple((x[:12000], x[:12000]) for x, _ in mnist(data))


def mnist_masks(data):
    return tuple((x[:6000], (x[:6000, ..., 0] > 0).astype("int64")) for x, _ in mnist(data))


def cifar10_bytes(data):
    """In an order drawn once."""
    import numpy as np
    import tensorflow as tf
    parts = {"train": ([], []), "test": ([], [])}
    with tarfile.open(data / "cifar10-images.tar.gz") as archive:
        names = sorted(m.name for m in archive if m.name.endswith(".jpg"))
        classes = sorted({name.split("/")[-2] for name in names})
        for name in names:
            part, kind = name.split("/")[-3:-1]
            parts[part][0].append(tf.io.decode_jpeg(archive.extractfile(name).read()).numpy())
            parts[part][1].append(classes.index(kind))
    order = np.random.default_rng(0)
    result = []
    for x, y in parts.values():
        shuffled = order.permutation(len(x))
        result.append((np.stack(x)[shuffled], np.array(y)[shuffled]))
    return tuple(result)


def cifar10(data):
    return tuple((x.astype("float32") / 127.5 - 1, y) for x, y in cifar10_bytes(data))


def sensors(name):
    def load(data):
        import numpy as np
        arrays = np.load(data / "sensors" / f"{name}.npz")
        mean, std = arrays["x_train"].mean((0, 1)), arrays["x_train"].std((0, 1)) + 1e-6
        result = []
        for part in ("train", "test"):
            y = arrays[f"y_{part}"]
            if y.dtype.kind == "f":
                y = (y - arrays["y_train"].mean()) / arrays["y_train"].std()
            result.append((((arrays[f"x_{part}"] - mean) / std).astype("float32"), y))
        return tuple(result)
    return load


# ---- networks ------------------------------------------------------------------------------------------------------------------

def networks():
    """Name: (data, network, epochs, task)."""
    from tensorflow import keras
    layers = keras.layers

    def block(x, filters, size, stride=1, activation="relu"):
        x = layers.BatchNormalization()(layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x))
        return layers.Activation(activation)(x) if activation else x

    def lenet():
        return keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(32, 5, padding="same", activation="relu"), layers.MaxPooling2D(),
                                 layers.Conv2D(64, 5, padding="same", activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
                                 layers.Dense(128, activation="relu"), layers.Dense(10)])

    def resnet8():
        inputs = keras.Input((32, 32, 3))
        x = block(inputs, 16, 3)
        for filters, stride in ((16, 1), (32, 2), (64, 2)):
            y = block(block(x, filters, 3, stride), filters, 3, activation=None)
            short = x if stride == 1 else layers.Conv2D(filters, 1, strides=stride, padding="same")(x)
            x = layers.ReLU()(layers.Add()([y, short]))
        return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x)))

    def mobilenet():
        return keras.applications.MobileNet(weights=None, input_shape=(32, 32, 3), classes=10, alpha=0.25, dropout=0)

    def inverted_residuals():
        inputs = keras.Input((32, 32, 3))
        x = block(inputs, 16, 3, activation="relu6")
        for filters, stride in ((16, 1), (24, 2), (24, 1), (40, 2), (40, 1)):
            y = block(x, 4 * x.shape[-1], 1, activation="relu6")
            y = layers.BatchNormalization()(layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(y))
            y = block(layers.ReLU(max_value=6)(y), filters, 1, activation=None)
            x = layers.Add()([x, y]) if stride == 1 and x.shape[-1] == filters else y
        return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))

    def squeeze_excite():
        inputs = keras.Input((32, 32, 3))
        x = block(inputs, 24, 3, 2, "swish")
        for filters in (24, 48):
            y = block(x, filters, 3, 2, "swish")
            gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
            gate = layers.Conv2D(filters, 1, activation="sigmoid")(layers.Conv2D(8, 1, activation="swish")(gate))
            x = layers.Multiply()([y, gate])
        return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))

    def dense_connections():
        inputs = keras.Input((32, 32, 3))
        x = block(inputs, 16, 3, 2)
        for k in range(4):
            x = layers.Concatenate()([x, block(x, 12, 3)])
            if k == 1:
                x = layers.AveragePooling2D(2)(x)
        return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))

    def autoencoder():
        x = inputs = keras.Input((28, 28, 1))
        for width in (8, 16):
            x = layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(x)
        x = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(x)
        return keras.Model(inputs, layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="tanh")(x))

    def unet():
        inputs = keras.Input((28, 28, 1))
        a = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
        b = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(a))
        x = layers.Concatenate()([layers.UpSampling2D(interpolation="bilinear")(b), a])
        return keras.Model(inputs, layers.Conv2D(2, 1)(x))

    def series():
        inputs = keras.Input((251, 1))
        x = inputs
        for filters in (8, 16, 32):
            x = layers.Conv1D(filters, 7, padding="same", use_bias=False)(x)
            x = layers.MaxPooling1D()(layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x)))
        return keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x)))

    def attention():
        inputs = keras.Input((24, 1))
        x = layers.Conv1D(16, 5, padding="same")(inputs)
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 8)(y, y)])
        y = layers.Dense(32, activation="gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(16)(y)])
        return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))

    def spectrum():
        return keras.Sequential([keras.Input((100, 1)), layers.Flatten(), layers.Dense(32, activation="tanh"),
                                 layers.Dense(16, activation="swish"), layers.Dense(1)])

    return {
        "LeNet, MNIST": (mnist, lenet, 1, "classes"),
        "ResNet-8, CIFAR-10": (cifar10, resnet8, 6, "classes"),
        "MobileNet V1 0.25, CIFAR-10": (cifar10, mobilenet, 8, "classes"),
        "inverted residuals, CIFAR-10": (cifar10, inverted_residuals, 6, "classes"),
        "squeeze and excite, CIFAR-10": (cifar10, squeeze_excite, 5, "classes"),
        "dense connections, CIFAR-10": (cifar10, dense_connections, 4, "classes"),
        "autoencoder, MNIST": (mnist_itself, autoencoder, 3, "numbers"),
        "U-Net, masks of MNIST": (mnist_masks, unet, 2, "classes"),
        "series, ArrowHead": (sensors("ArrowHead"), series, 150, "classes"),
        "attention, ItalyPowerDemand": (sensors("ItalyPowerDemand"), attention, 150, "classes"),
        "spectrum, Tecator": (sensors("Tecator"), spectrum, 400, "numbers"),
    }


def train(load, build, epochs, task, data, path):
    """Writes PATH.tflite and PATH.npz: calibration and test examples, targets."""
    import numpy as np
    import tensorflow as tf
    tf.keras.utils.set_random_seed(1)
    (x, y), (x_test, y_test) = load(data)
    model = build()
    loss = "mse"
    if task == "classes":
        probabilities = getattr(model.layers[-1], "activation", None) is tf.keras.activations.softmax
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=not probabilities)
    steps = max(1, len(x) // 64) * epochs
    model.compile(tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(3e-3, steps)), loss=loss)
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
    with contextlib.redirect_stdout(io.StringIO()):  # the converter lists every tensor it captures
        path.with_suffix(".tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    chosen = np.random.default_rng(2).permutation(len(x))[:EXAMPLES]
    np.save(path.with_suffix(".calibrate.npy"), x[chosen])
    np.savez(path.with_suffix(".npz"), x=x_test[:EXAMPLES], y=y_test[:EXAMPLES])


# ---- the other converters, each in a process of its own ------------------------------------------------------------------------

def run_peer(which, model, calibration, output):
    import numpy as np
    content, data = pathlib.Path(model).read_bytes(), np.load(calibration)
    if which == "calibrator":
        from tensorflow import dtypes
        from tensorflow.lite.python.optimize import calibrator
        begin = time.monotonic()
        result = calibrator.Calibrator(content).calibrate_and_quantize(lambda: ([x[None]] for x in data), dtypes.int8, dtypes.int8, False)
    else:
        from ai_edge_litert.interpreter import Interpreter
        from ai_edge_quantizer import quantizer, recipe
        begin = time.monotonic()
        signature, entry = next(iter(Interpreter(model_content=content).get_signature_list().items()))
        tool = quantizer.Quantizer(content, recipe.static_wi8_ai8())
        result = tool.quantize(tool.calibrate({signature: [{entry["inputs"][0]: x[None]} for x in data]})).quantized_model
    pathlib.Path(output).write_bytes(result)
    print(json.dumps({"seconds": time.monotonic() - begin}))


def convert(which, arguments, model, calibration, output):
    """Seconds of the whole process, and those without imports; raises RuntimeError with the last line it wrote."""
    if which == "ours":
        command = [str(arguments.qat_bin / "qat-convert"), str(model), "--calibrate", str(calibration), "--calibration-limit", "0", "--type",
                   "int8", "-o", str(output), "--progress", "none"]
    else:
        command = [sys.executable, __file__, "--peer", which, str(model), str(calibration), str(output)]
    begin = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"exit status {done.returncode}")
    return seconds, seconds if which == "ours" else json.loads(done.stdout.strip().splitlines()[-1])["seconds"]


# ---- what came out -------------------------------------------------------------------------------------------------------------

def run_tflite(path, examples):
    """The real outputs of every example."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    interpreter = Interpreter(model_path=str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    results = []
    for x in examples:
        if taken["dtype"] != np.float32:
            scale, zero_point = taken["quantization"]
            # Halves away from zero, as TFLite's QUANTIZE: numpy's own rule favours whoever leaves this to the caller.
            steps = x / np.float32(scale)
            x = np.clip(np.trunc(steps + np.copysign(np.float32(0.5), steps)) + zero_point, -128, 127).astype(taken["dtype"])
        interpreter.set_tensor(taken["index"], x.reshape(taken["shape"]))
        interpreter.invoke()
        y = interpreter.get_tensor(given["index"])[0]
        if given["dtype"] != np.float32:
            scale, zero_point = given["quantization"]
            y = (y.astype(np.float64) - zero_point) * scale
        results.append(y.astype(np.float64))
    return np.stack(results)


def signal_to_noise(reference, found):
    import numpy as np
    return 10 * np.log10(max(float(np.mean((reference - reference.mean()) ** 2)), 1e-30) / max(float(np.mean((reference - found) ** 2)), 1e-30))


def figure(outputs, targets, task):
    """Accuracy in percent, or RMSE."""
    import numpy as np
    if task == "classes":
        return 100 * float(np.mean(outputs.argmax(-1) == targets))
    return float(np.sqrt(np.mean((outputs.reshape(len(targets), -1) - targets.reshape(len(targets), -1)) ** 2)))


def compare(name, arguments):
    import numpy as np
    load, build, epochs, task = networks()[name]
    stem = arguments.work / name.replace(",", "").replace(" ", "_").replace(".", "")
    model, calibration = stem.with_suffix(".tflite"), stem.with_suffix(".calibrate.npy")
    if not stem.with_suffix(".npz").exists():
        train(load, build, epochs, task, arguments.data, stem)
    test = np.load(stem.with_suffix(".npz"))
    reference = run_tflite(model, test["x"])
    row = {"name": name, "float": figure(reference, test["y"], task), "task": task}
    kinds = ["ours", "calibrator", "ai-edge"]
    times = {kind: [] for kind in kinds}
    for _ in range(arguments.runs):
        for kind in kinds:
            output = stem.with_suffix(f".{kind}.tflite")
            try:
                times[kind].append(convert(kind, arguments, model, calibration, output))
            except RuntimeError as error:
                row[kind] = {"refused": str(error)}
    for kind in kinds:
        if kind in row:
            continue
        output = stem.with_suffix(f".{kind}.tflite")
        try:
            found = run_tflite(output, test["x"])
        except (RuntimeError, ValueError) as error:
            row[kind] = {"refused": "the interpreter: " + str(error).splitlines()[0]}
            continue
        row[kind] = {"db": signal_to_noise(reference, found), "figure": figure(found, test["y"], task), "bytes": output.stat().st_size,
                     "seconds": statistics.median(whole for whole, _ in times[kind]),
                     "alone": statistics.median(inner for _, inner in times[kind])}
    return row


def verdict(row):
    """What of the promises does not hold."""
    ours, others = row["ours"], [row[kind] for kind in ("calibrator", "ai-edge") if "db" in row[kind]]
    if "db" not in ours:
        return ["ours: " + ours["refused"]]
    problems = []
    if others and ours["db"] < max(other["db"] for other in others) - MAX_LOSS_DB:
        problems.append(f"{max(other['db'] for other in others) - ours['db']:.2f} dB below the better")
    if others and min(other["seconds"] for other in others) < MIN_SPEEDUP * ours["seconds"]:
        problems.append(f"only {min(other['seconds'] for other in others) / ours['seconds']:.1f} times faster")
    return problems


def show(row, table):
    def cell(kind, key, pattern):
        return format(row[kind][key], pattern) if key in row[kind] else "–"
    digits = ".1f" if row["task"] == "classes" else ".4f"
    kinds = ("ours", "calibrator", "ai-edge")
    if table:
        seconds = [cell("ours", "seconds", ".2f")] + [f"{cell(kind, 'seconds', '.1f')} ({cell(kind, 'alone', '.1f')})" for kind in kinds[1:]]
        cells = [row["name"], format(row["float"], digits), *(cell(kind, "figure", digits) for kind in kinds),
                 *(cell(kind, "db", ".1f") for kind in kinds), *(cell(kind, "bytes", ",") for kind in kinds), *seconds]
        print("| " + " | ".join(cells) + " |", flush=True)
        return
    print(f"{row['name']}: float {row['float']:{digits}}", flush=True)
    for kind in kinds:
        text = row[kind].get("refused") or (f"{row[kind]['db']:6.2f} dB  {row[kind]['figure']:{digits}}  {row[kind]['bytes']:,} bytes  "
                                            f"{row[kind]['seconds']:.2f} s ({row[kind]['alone']:.2f} s without imports)")
        print(f"  {kind:10} {text}", flush=True)


def main():
    if sys.argv[1:2] == ["--peer"]:
        run_peer(*sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qat-bin", type=pathlib.Path, default=ROOT / "build" / "bin")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "ptq")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", default="", help="names that begin so, separated by semicolons")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    arguments.work.mkdir(parents=True, exist_ok=True)
    ensure_packages(arguments.work)
    chosen = [name for name in networks() if not arguments.only or any(name.startswith(part) for part in arguments.only.split(";"))]
    if not chosen:
        sys.exit(f"--only {arguments.only}: no such network, expected the beginning of one of: {'; '.join(networks())}")
    failures = 0
    for name in chosen:
        row = compare(name, arguments)
        show(row, arguments.table)
        for problem in verdict(row):
            print(f"{name}: {problem}", file=sys.stderr, flush=True)
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
