#!/usr/bin/env python3
"""Makes tests/data/pictures: small pictures in every format, and the pixels that Pillow sees in them (needs pillow, numpy).

Usage: make_pictures.py DIRECTORY
"""
import struct
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


def scene(height, width):
    """Smooth colours with an edge: what JPEG keeps, and what a resize can get wrong."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 255 * x / (width - 1)
    green = 127.5 + 127.5 * np.sin(y / 3)
    blue = np.where((x - width / 2) ** 2 + (y - height / 3) ** 2 < (height / 4) ** 2, 230, 40)
    return np.stack([red, green, blue], -1).round().astype(np.uint8)


def write_bmp32(path, pixels):
    """Top row first, with masks: red in the lowest byte."""
    height, width, _ = pixels.shape
    info = struct.pack("<IiiHHIIiiII", 40, width, -height, 1, 32, 3, 0, 2835, 2835, 0, 0)
    masks = struct.pack("<III", 0xFF, 0xFF00, 0xFF0000)
    rows = np.concatenate([pixels, np.full((height, width, 1), 9, np.uint8)], -1).tobytes()
    head = struct.pack("<2sIHHI", b"BM", 14 + 40 + 12 + len(rows), 0, 0, 14 + 40 + 12)
    path.write_bytes(head + info + masks + rows)


def exif_orientation(orientation, order):
    """An EXIF segment with another tag before the orientation, in either byte order."""
    tiff = struct.pack(order + "2sHIH", b"II" if order == "<" else b"MM", 42, 8, 2)
    tiff += struct.pack(order + "HHII", 0x0100, 4, 1, 17) + struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0" + tiff + struct.pack(order + "I", 0)


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    pixels = scene(13, 17)
    colour = Image.fromarray(pixels)
    alpha = np.concatenate([pixels, np.tile(np.arange(17, dtype=np.uint8)[None, :, None] * 15, (13, 1, 1))], -1)
    colour.save(out / "rgb420.jpg", quality=80)
    colour.save(out / "progressive444.jpeg", quality=90, subsampling=0, progressive=True)
    colour.convert("L").save(out / "grey.jpg", quality=85)
    colour.convert("CMYK").save(out / "cmyk.jpg")
    for orientation in range(1, 9):
        exif = exif_orientation(orientation, "<>"[orientation % 2])
        colour.save(out / f"orientation{orientation}.jpg", quality=80, exif=exif)
    colour.save(out / "rgb.png")
    Image.fromarray(alpha).save(out / "alpha.png")
    colour.quantize(16).save(out / "palette.png")
    colour.save(out / "rgb24.bmp")
    colour.quantize(200).save(out / "palette8.bmp")
    colour.convert("1").save(out / "black1.bmp")
    write_bmp32(out / "masks32.bmp", pixels)
    for path in sorted(out.iterdir()):
        if path.suffix == ".npy" or path.name == "cmyk.jpg":
            continue
        # Pillow knows no BMP with red in the lowest byte.
        seen = pixels if path.name == "masks32.bmp" else np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
        np.save(out / f"{path.name}.npy", seen)
    np.save(out / "grey_of_rgb.npy", np.asarray(colour.convert("L")))
    large = scene(61, 47)
    Image.fromarray(large).save(out / "large.png")
    for height, width in [(20, 20), (61, 30), (90, 100), (8, 3)]:
        fitted = ImageOps.fit(Image.fromarray(large), (width, height), Image.Resampling.BILINEAR)
        np.save(out / f"large_{height}x{width}.npy", np.asarray(fitted))
    deep = (large[..., 0].astype(np.uint16) << 8 | large[..., 1]) >> 1  # smooth and rough, and all of 15 bits
    Image.fromarray(deep).save(out / "deep.png")
    np.save(out / "deep.png.npy", deep)
    reals = Image.fromarray(deep.astype(np.float32))
    for height, width in [(20, 20), (90, 100)]:
        fitted = ImageOps.fit(reals, (width, height), Image.Resampling.BILINEAR)
        np.save(out / f"deep_{height}x{width}.npy", np.asarray(fitted))
    np.save(out / "deep_stretched_8x3.npy", np.asarray(reals.resize((3, 8), Image.Resampling.BILINEAR)))


if __name__ == "__main__":
    main()
