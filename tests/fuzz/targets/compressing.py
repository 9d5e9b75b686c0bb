"""Compression of any bytes, and of pictures and arrays: all comes back. An input is a byte of choices, and content."""

from __future__ import annotations

import re

from golden_cases import ARRAY, LINES, NOISE, PROSE
from image_models import bmp, picture, pnm, tiff

import catzip
from catzip.compressor.errors import CatzipError, RepackingError
from catzip.compressor.pictures import is_same_picture

from .. import pictures
from ..draw import Draw
from ..networks import TooManySymbols, only, tiny
from ..oracle import expect, outcome
from . import unpacking

LARGEST = 1 << 13
_EXACT = 1  # bits of the byte of choices; the others choose a model
_STEPS = 2
_GROWTH = 64


def check(data: bytes) -> None:
    """Raise where content does not come back, is refused for no reason, or grows."""
    choices, content = (data[0], data[1:]) if data else (1, b"")
    names = [None, None, None, *tiny().names()]
    model, byte_exact = names[(choices >> 2) % len(names)], bool(choices & _EXACT)
    steps = 5 if choices & _STEPS and model is not None else None
    with only(tiny()):
        blob = outcome(catzip.compress, content, model, steps=steps, byte_exact=byte_exact)
        if isinstance(blob, CatzipError):
            refused = isinstance(blob, TooManySymbols) or (
                isinstance(blob, RepackingError) and not byte_exact
            )
            expect(
                model is not None or refused, f"content is refused: {re.sub('[0-9]+', 'N', str(blob))[:80]}"
            )
            return
        back = catzip.decompress(blob)
    if byte_exact:
        expect(back == content, "content does not come back")
    else:
        expect(back == content or is_same_picture(back, content), "a picture does not come back")
    expect(len(blob) <= len(content) + _GROWTH, "a file grows by more than 64 bytes")


def seeds() -> dict[str, bytes]:
    """Text, noise, arrays, and images in all kinds of files, with several choices."""
    grey, colour = picture(9, 13, 1), picture(11, 7, 3)
    contents = {
        "nothing": b"",
        "text": PROSE[:120],
        "lines": LINES[:90],
        "noise": NOISE[:80],
        "array": ARRAY[:200],
        "pgm": pnm(grey),
        "ppm-16-bits": pnm(picture(5, 9, 3, wide=True)),
        "bmp": bmp(colour),
        "tiff": tiff(colour),
        **{
            name: unpacking.seeds()[name]
            for name in ("png-one-pixel", "png-palette-4-bits", "png-interlaced-3x2")
        },
        **{name: unpacking.seeds()[name] for name in ("webp-one-pixel", "webp-metadata", "png-grey-alpha")},
    }
    return {name: bytes([1 + 4 * i]) + content for i, (name, content) in enumerate(contents.items())}


def mutate(data: bytes, draw: Draw) -> bytes:
    """Other choices, or other content."""
    choices, content = data[:1] or b"\1", data[1:]
    if draw.chance(0.2):
        return bytes([draw.randrange(256)]) + content
    return choices + pictures.mutate(content, draw)
