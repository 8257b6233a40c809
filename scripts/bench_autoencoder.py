#!/usr/bin/env python3
"""Finds anomalies of a machine's sound with the autoencoder of MLPerf Tiny, trained by qat-train and by Keras, and prints a table.

  bench_autoencoder.py [--qat-bin build/bin] [--seeds N] [--steps N] [--keep DIR]

640 numbers per example: five frames of 128 bands, in decibels, as a microphone beside a fan gives them. Normal: harmonics of a speed
that varies, above broadband noise whose slope and level vary from one example to the next. Anomalies, half of the test set: a whistle
between the harmonics, sidebands around them, a missing harmonic, or clicks in one of the frames, each just above the noise.
Both train scripts/autoencoder.toml (four layers of 128 and batch norm down to a code of 8, four up again) from random weights with
Adam, a cosine from 0.003 and batches of 128, on 4,000 normal examples, and are tested on 2,000. The error of an example is the mean over
its numbers, normalized, of the square of what is missing; AUC is that of the error as a score of the anomaly. Rows of ours: without
quantization, and as int8, of which the .tflite is measured by qat-eval and, with NumPy, in the TFLite interpreter, which must agree.
The Python needs numpy, tensorflow and ai-edge-litert.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
BANDS, FRAMES, RATE, BATCH = 128, 5, 3e-3, 128


def spectra(generator, kinds):
    """[N, 640] float32; kind 0 is normal, 1 to 4 are the anomalies."""
    count = len(kinds)
    bands = np.arange(BANDS)
    frames = np.arange(FRAMES)
    speed = generator.uniform(9, 13, (count, 1, 1)) + 0.2 * generator.normal(0, 1, (count, FRAMES, 1))
    level = generator.uniform(-3, 3, (count, 1, 1))
    slope = generator.uniform(0.10, 0.16, (count, 1, 1))
    x = -20 + level - slope * bands + 2.0 * generator.normal(0, 1, (count, FRAMES, BANDS))

    def peak(place, height, width=1.2):
        return height * np.exp(-0.5 * ((bands - place) / width) ** 2)

    for harmonic in range(1, 9):
        height = np.full((count, 1, 1), 24.0 - 2 * harmonic)
        height[(kinds == 3) & (harmonic == 3)] = 0
        x = x + peak(harmonic * speed, height)
        sideband = np.where((kinds == 2)[:, None, None], 7.0, 0.0)
        x = x + peak(harmonic * speed - 4, sideband) + peak(harmonic * speed + 4, sideband)
    x = x + np.where((kinds == 1)[:, None, None], peak(5.5 * speed, 9.0, 0.8), 0)
    click = generator.integers(0, FRAMES, count)[:, None] == frames
    x = x + np.where(((kinds == 4)[:, None] & click)[:, :, None], 4.0, 0)
    return x.reshape(count, -1).astype("float32")


def data(seed):
    generator = np.random.default_rng(seed)
    train = spectra(generator, np.zeros(4000, int))
    kinds = np.concatenate([np.zeros(1000, int), 1 + np.arange(1000) % 4])
    return train, spectra(generator, kinds), (kinds > 0).astype("int64")


def auc(scores, labels):
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    ones = labels == 1
    return float((ranks[ones].sum() - ones.sum() * (ones.sum() + 1) / 2) / (ones.sum() * (~ones).sum()))


def figures(answers, examples, labels):
    """RMSE over the normal examples, in deviations, and AUC; both of normalized numbers."""
    errors = ((answers - examples) ** 2).mean(1)
    return float(np.sqrt(errors[labels == 0].mean())), auc(errors, labels)


def keras(train, test, labels, seed, steps):
    import tensorflow as tf
    tf.keras.utils.set_random_seed(seed)
    layers = tf.keras.layers
    x = inputs = tf.keras.Input((BANDS * FRAMES,))
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = layers.Dense(units, kernel_initializer="he_normal", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.99)(x))
    model = tf.keras.Model(inputs, layers.Dense(BANDS * FRAMES, kernel_initializer="he_normal")(x))
    model.compile(tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(RATE, steps)), loss="mse")
    mean, std = train.mean(0), train.std(0)
    normal = (train - mean) / std
    model.fit(normal, normal, batch_size=BATCH, epochs=steps * BATCH // len(train), verbose=0)
    normal = (test - mean) / std
    return figures(model.predict(normal, verbose=0), normal, labels)


def run(program, *arguments):
    done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{program}: {done.stderr}")


def ours(programs, folder, test, labels, scheme, seed, steps):
    file, name = folder / "spectra.npz", f"{scheme}-{seed}"
    run(programs / "qat-train", "--data", file, "--network", ROOT / "scripts" / "autoencoder.toml", "--task", "reconstruction", "--scheme",
        scheme, "--steps", steps, "--batch-size", BATCH, "--learning-rate", RATE, "--weight-decay", 0, "--warmup-fraction", 0,
        "--weight-average-decay", 0, "--holdout", 0, "--eval-every", steps, "--seed", seed, "--progress", "none", "-o", folder / name)
    run(programs / "qat-freeze", folder / name, "-o", folder / f"{name}.qgraph")
    model = folder / f"{name}.tflite"
    run(programs / "qat-convert", folder / f"{name}.qgraph", "--type", scheme, "-o", model)
    run(programs / "qat-eval", "--data", file, "--model", model, "--repeat", 0, "--litert", "off", "--progress", "none", "--json",
        folder / "report.json")
    report = json.loads((folder / "report.json").read_text())["models"][0]
    rmse, found = interpreter_figures(model, folder, test, labels)
    if abs(found - report["anomaly"]["auc"]) > 1e-4:
        sys.exit(f"{model}: AUC is {report['anomaly']['auc']} by qat-eval and {found} in the TFLite interpreter")
    return rmse, found, model.stat().st_size


def interpreter_figures(model, folder, test, labels):
    """The model takes the numbers as measured and gives them normalized, each by its own mean and deviation."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    interpreter = Interpreter(model_path=str(model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    answers = []
    for example in test:
        interpreter.set_tensor(taken["index"], example.reshape(taken["shape"]))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(given["index"]).reshape(-1).astype("float64"))
    answers = np.stack(answers)
    if given["dtype"] != np.float32:
        scale, zero_point = given["quantization"]
        answers = (answers - zero_point) * scale
    train = np.load(folder / "spectra.npz")["x_train"].astype("float64")
    return figures(answers, (test - train.mean(0)) / train.std(0), labels)


def shown(values, digits):
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qat-bin", type=pathlib.Path, default=ROOT / "build" / "bin")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--keep", type=pathlib.Path, help="keep data, runs and models here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        train, test, labels = data(1)
        np.savez(folder / "spectra.npz", x_train=train, y_train=np.zeros(len(train), "int64"), x_test=test, y_test=labels)
        seeds = range(1, arguments.seeds + 1)
        rows = {"Keras, float32": [(*keras(train, test, labels, seed, arguments.steps), 0) for seed in seeds]}
        for scheme in ("float32", "int8"):
            rows[f"ours, {scheme}"] = [ours(arguments.qat_bin, folder, test, labels, scheme, seed, arguments.steps) for seed in seeds]
    print("| autoencoder | RMSE of normal examples, in deviations | AUC | bytes |\n| --- | --- | --- | --- |")
    for name, found in rows.items():
        size = f"{found[0][2]:,}" if found[0][2] else ""
        print(f"| {name} | {shown([each[0] for each in found], 4)} | {shown([each[1] for each in found], 4)} | {size} |", flush=True)


if __name__ == "__main__":
    main()
