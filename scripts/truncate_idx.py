#!/usr/bin/env python3
"""Writes the images that the article of 2020 actually classified.

Its test images, real numbers in [0, 1], were cast to uint8 before inference: all but the brightest pixels became 0.
This script does the same to a folder of MNIST's IDX files: real = byte / 255 is truncated to 0 or 1, and written back as
the byte that stands for it (0 or 255), so that the input contract reads the very numbers that the article's model saw.

  scripts/truncate_idx.py MNIST_DIR OUTPUT_DIR [BRIGHTNESS]

BRIGHTNESS (default 255, the cast) is the smallest byte that becomes 1: 128 is rounding instead of truncation.
"""
import gzip
import pathlib
import struct
import sys


def read(path: pathlib.Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def find(folder: pathlib.Path, stem: str) -> pathlib.Path:
    for path in sorted(folder.iterdir()):
        if path.name.replace(".", "-").startswith(stem):
            return path
    sys.exit(f"truncate_idx.py: {folder}: no file {stem}, expected MNIST's IDX files")


def main() -> None:
    if len(sys.argv) not in (3, 4) or not (sys.argv[3:] or ["1"])[0].isdigit():
        sys.exit(__doc__)
    source, target = map(pathlib.Path, sys.argv[1:3])
    brightness = int(sys.argv[3]) if len(sys.argv) == 4 else 255
    if not source.is_dir():
        sys.exit(f"truncate_idx.py: {source}: is not a directory, expected MNIST's IDX files")
    target.mkdir(parents=True, exist_ok=True)
    cast = bytes(255 if byte >= brightness else 0 for byte in range(256))
    for split in ("train", "t10k"):
        images = read(find(source, f"{split}-images"))
        magic, count, height, width = struct.unpack(">4I", images[:16])
        if magic != 0x803 or len(images) != 16 + count * height * width:
            sys.exit(f"truncate_idx.py: {source}: {split} images are not IDX images")
        (target / f"{split}-images-idx3-ubyte").write_bytes(images[:16] + images[16:].translate(cast))
        (target / f"{split}-labels-idx1-ubyte").write_bytes(read(find(source, f"{split}-labels")))
    print(target)


if __name__ == "__main__":
    main()
