#!/usr/bin/env python3
"""Writes MNIST as seen by two sensors, the second with a gain of 1/85, as an .npz for show_collapse.sh.

  two_sensors.py MNIST OUT.npz

Images are [28, 28, 2]: channel 0 is the upper 19 rows of the digit as they are, channel 1 the lower nine divided by 85, so in
steps of 0 to 3. A network with batch normalization reads both equally well; the filters that do so are 85 times apart.
"""
import gzip
import struct
import sys
import zipfile

ROWS, COLUMNS, UPPER = 28, 28, 19
GAIN = bytes(value // 85 for value in range(256))


def idx(path, dimensions):
    with gzip.open(path) as file:
        return file.read()[4 + 4 * dimensions:]


def images(pixels):
    size, cut = ROWS * COLUMNS, UPPER * COLUMNS
    both = bytearray(2 * len(pixels))
    for start in range(0, len(pixels), size):
        both[2 * start:2 * (start + cut):2] = pixels[start:start + cut]
        both[2 * (start + cut) + 1:2 * (start + size):2] = pixels[start + cut:start + size].translate(GAIN)
    return bytes(both)


def npy(shape, data):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    mnist, out = sys.argv[1:]
    with zipfile.ZipFile(out, "w") as file:
        for split, stem in (("train", "train"), ("test", "t10k")):
            labels = idx(f"{mnist}/{stem}-labels-idx1-ubyte.gz", 1)
            pictures = images(idx(f"{mnist}/{stem}-images-idx3-ubyte.gz", 3))
            file.writestr(f"x_{split}.npy", npy((len(labels), ROWS, COLUMNS, 2), pictures))
            file.writestr(f"y_{split}.npy", npy((len(labels),), labels))


if __name__ == "__main__":
    main()
