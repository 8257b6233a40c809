"""Makes the data sets of scripts/bench_auto.sh: make_bench_data.py textures|signal|regression DIR (needs NumPy).

textures    four folders of 96x72 pictures: stripes, checks, dots and grain, of any angle, size, contrast and brightness
signal      [N, 1, 128, 2] bytes: four kinds of vibration of random phase under noise
regression  [N, 1, 1, 8] bytes and Friedman's first function of five of them, which runs from about 1 to 29
"""
import os
import struct
import sys
import zlib

import numpy as np

random = np.random.default_rng(7)


def write_png(path, pixels):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))


def texture(kind, height=72, width=96):
    y, x = np.mgrid[0:height, 0:width]
    angle, length = random.uniform(0, np.pi), random.uniform(6, 20)
    u = (x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / length + random.uniform(0, 2 * np.pi)
    v = (-x * np.sin(angle) + y * np.cos(angle)) * 2 * np.pi / length + random.uniform(0, 2 * np.pi)
    if kind == "stripes":
        value = np.sin(u)
    elif kind == "checks":
        value = np.sign(np.sin(u) * np.sin(v))
    elif kind == "dots":
        value = np.where(np.sin(u) + np.sin(v) > 0.9, 1.0, -0.6)
    else:
        value = random.normal(0, 1, (height, width))
        for axis in (0, 1):
            value = value + np.roll(value, 1, axis) + np.roll(value, -1, axis)
        value = value / value.std()
    contrast, brightness, noise = random.uniform(20, 60), random.uniform(70, 180), random.uniform(5, 25)
    return (brightness + contrast * value + random.normal(0, noise, value.shape)).clip(0, 255).astype(np.uint8)


def make_textures(directory):
    for split, count in (("train", 300), ("test", 250)):
        for kind in ("checks", "dots", "grain", "stripes"):
            folder = os.path.join(directory, split, kind)
            os.makedirs(folder, exist_ok=True)
            for i in range(count):
                write_png(os.path.join(folder, f"{i:04d}.png"), texture(kind))


def signals(count):
    labels = random.integers(0, 4, count)
    t = np.arange(128) / 128
    x = np.empty((count, 1, 128, 2))
    for i, label in enumerate(labels):
        phase, rate = random.uniform(0, 2 * np.pi, 2), random.uniform(5, 7)
        wave = np.sin(2 * np.pi * rate * t + phase[0])
        if label == 1:  # a second tone
            wave = wave + 0.7 * np.sin(2 * np.pi * 2.5 * rate * t + phase[1])
        elif label == 2:  # a beat
            wave = wave * (1 + np.sin(2 * np.pi * 1.5 * t + phase[1]))
        elif label == 3:  # a knock
            start = random.integers(10, 100)
            wave = wave + 2.5 * np.exp(-((t - t[start]) * 60) ** 2)
        x[i, 0, :, 0] = wave
        x[i, 0, :, 1] = np.cumsum(wave) / 8
    x = 128 + 30 * x + random.normal(0, 22, x.shape)
    return x.clip(0, 255).astype(np.uint8), labels


def friedman(count):
    x = random.integers(0, 256, (count, 1, 1, 8)).astype(np.uint8)
    a = x.reshape(count, 8) / 255
    y = 10 * np.sin(np.pi * a[:, 0] * a[:, 1]) + 20 * (a[:, 2] - 0.5) ** 2 + 10 * a[:, 3] + 5 * a[:, 4]
    return x, (y + random.normal(0, 0.3, count)).astype(np.float32)


def make_arrays(directory, make, train, test):
    os.makedirs(directory, exist_ok=True)
    for split, count in (("train", train), ("test", test)):
        x, y = make(count)
        np.save(os.path.join(directory, f"x_{split}.npy"), x)
        np.save(os.path.join(directory, f"y_{split}.npy"), y)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("textures", "signal", "regression"):
        sys.exit(__doc__)
    kind, directory = sys.argv[1:]
    if kind == "textures":
        make_textures(directory)
    elif kind == "signal":
        make_arrays(directory, signals, 2000, 1000)
    else:
        make_arrays(directory, friedman, 4000, 2000)


main()
