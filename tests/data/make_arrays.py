#!/usr/bin/env python3
"""Makes tests/data/arrays: .npz files as NumPy writes them (needs numpy). Pixel i of x_train is 7 i modulo 251, of x_test 5 i.

Usage: make_arrays.py DIRECTORY
"""
import sys
from pathlib import Path

import numpy as np


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    count = 6 * 5 * 4 * 3
    data = {
        "x_train": (np.arange(count) * 7 % 251).astype(np.uint8).reshape(6, 5, 4, 3),
        "y_train": np.array([[0], [1], [2], [0], [1], [2]], np.int64),  # a column, as Keras' CIFAR-10 has it
        "x_test": (np.arange(count // 2) * 5 % 251).astype(np.uint8).reshape(3, 5, 4, 3),
        "y_test": np.array([3, 1, 0], np.uint8),
    }
    np.savez(out / "stored.npz", **data)
    np.savez_compressed(out / "deflated.npz", **data)
    np.savez(out / "one.npz", in0=data["x_test"])


if __name__ == "__main__":
    main()
