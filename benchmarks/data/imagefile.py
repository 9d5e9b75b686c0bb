"""Image files as data: what one holds, and whether two hold the same image. All by Pillow, none of it by catzip."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

PNG = b"\x89PNG\r\n\x1a\n"
LOSSLESS = {"PNG": "PNG", "WEBP": "WebP", "PPM": "PNM", "BMP": "BMP", "TIFF": "TIFF"}
"""Formats of images without loss, by their names in Pillow; of WebP, some files."""

COMPRESSED = ("PNG", "WebP")
"""Those whose files are measured as they are, too."""

Shape = tuple[int, int, int]


def opened(data: bytes) -> Image | None:
    """The still image, read whole, of which a file of this content holds each bit.

    None for anything else: content that is no image, or a broken one; JPEG and other formats with loss; films; more
    bits than Pillow reads. Raises ImportError without Pillow.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(data), formats=tuple(LOSSLESS))
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    still = getattr(image, "n_frames", 1) == 1
    return image if still and _is_whole(image, data) else None


def shape(image: Image) -> Shape:
    """Height, width, samples of a pixel: one of a palette."""
    return image.height, image.width, len(image.getbands())


def format_of(image: Image) -> str:
    """What its format is called."""
    return LOSSLESS[image.format or ""]


def same_image(first: bytes, second: bytes) -> bool:
    """Whether two files are equal or hold the same image: format, mode, size and pixels; of PNG, other chunks too."""
    if first == second:
        return True
    one, other = opened(first), opened(second)
    if one is None or other is None:
        return False
    if (one.format, one.mode, one.size) != (other.format, other.mode, other.size):
        return False
    if one.format == "PNG" and list(_chunks(first)) != list(_chunks(second)):
        return False
    return same_pixels(one, other)


def same_pixels(one: Image, other: Image) -> bool:
    """Whether two images look the same to the last bit, whichever way their pixels are stored."""
    mode = "RGBA" if any(image.has_transparency_data for image in (one, other)) else "RGB"
    a, b = (np.asarray(image if image.mode == "I;16" else image.convert(mode)) for image in (one, other))
    return np.array_equal(a, b)


def _is_whole(image: Image, data: bytes) -> bool:
    """Whether Pillow gives all bits of it: it reads 16 bits only of grey, and WebP may be with loss."""
    if image.format == "PNG":
        return data[24] <= 8 or image.mode == "I;16"
    if image.format == "WEBP":
        return b"VP8L" in dict(_riff(data))
    return image.mode in ("1", "L", "RGB", "RGBA", "P")


def _chunks(data: bytes) -> Iterator[bytes]:
    """The chunks of a PNG in order, a run of those that hold pixels as one empty one."""
    at, inside = len(PNG), False
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        pixels = data[at + 4 : at + 8] == b"IDAT"
        if not (pixels and inside):
            yield b"" if pixels else data[at : at + 12 + size]
        at, inside = at + 12 + size, pixels


def _riff(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The chunks of a WebP: name and size."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, size
        at += 8 + size + size % 2
