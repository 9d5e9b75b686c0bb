"""Recipes of pictures with content that they may not fit. An input is a varint, a recipe of that size, and content."""

from __future__ import annotations

from png_files import GOOD
from test_packing_webp import GOOD as WEBPS

from catzip.compressor import varint
from catzip.compressor.errors import CatzipError
from catzip.compressor.packing import exact, recipe
from catzip.compressor.packing.form import MAGICS

from ..draw import Draw
from ..oracle import expect, outcome

LARGEST = 1 << 16
_PNGS = (
    "one-pixel",
    "31x33",
    "grey-1-bit",
    "rgba-16-bits",
    "palette-4-bits",
    "interlaced",
    "empty-idats",
    "level-1",
)


def check(data: bytes) -> None:
    """Raise where packing does anything but give a picture, or refuse."""
    how, content = _parts(data)
    for repack in (False, True):
        packed = outcome(recipe.pack, content, how, repack)
        if isinstance(packed, CatzipError):
            continue
        if how[0] == recipe.PNG_EXACT and not repack:
            check_of_file = exact._checksum(packed)
            expect(how.endswith(check_of_file), "a picture comes back that is not the one that was promised")


def _parts(data: bytes) -> tuple[bytes, bytes]:
    """Recipe and content."""
    try:
        size, at = varint.decode(data[:4], 0)
    except CatzipError:
        return b"", data
    return data[at : at + size], data[at + size :]


def _joined(how: bytes, content: bytes) -> bytes:
    return varint.encode(len(how)) + how + content


def seeds() -> dict[str, bytes]:
    """Pictures, unpacked to come back byte for byte, or not."""
    found = {}
    for name in _PNGS:
        for byte_exact in (False, True):
            content, how = recipe.unpack(GOOD[name][0], byte_exact)
            found[f"{name}-{recipe.name_of(how)}"] = _joined(how, content)
    for name in ("one-pixel", "rgba", "metadata"):
        content, how = recipe.unpack(WEBPS[name], False)
        found[f"{name}-webp"] = _joined(how, content)
    return found


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another recipe, or other content."""
    how, content = _parts(data)
    way = draw.random()
    if way < 0.4:
        how = draw.changed(how, 1 << 10)
    elif way < 0.6 and how:
        at = draw.randrange(min(len(how), 8))
        how = how[:at] + bytes([draw.randrange(17)]) + how[at + 1 :]
    elif way < 0.65:
        how = bytes([draw.randrange(4)]) + how[1:]
    elif way < 0.75:
        content = draw.choice(list(MAGICS)) + content[8:]
    elif way < 0.85:
        content = content[:8] + draw.changed(content[8:50], 64) + content[50:]
    else:
        content = draw.changed(content)
    return _joined(how, content)
