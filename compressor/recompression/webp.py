"""WebP files with one picture, without loss: unpacked to rows of pixels, packed again. That takes Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import CorruptError, MissingDependencyError
from .asbytes import AsBytes
from .deflate import MOST
from .form import Shape, Unpacked
from .span import Span

if TYPE_CHECKING:
    from types import ModuleType

RIFF, WEBP = b"RIFF", b"WEBP"

_HEAD = 12  # bytes before the first chunk: RIFF, size, WEBP
_CHUNK = 8  # bytes before the data of a chunk: type, size
_SMALL = 1 << 12  # bytes of pixels that may stand for as many as so many can in a PNG
_MOST = 1 << 26  # bytes of pixels that are unpacked: 64 MiB, for which libwebp and Pillow take 900 MB
_SIDE = (1 << 14) - 1  # pixels that the encoder takes each way; the format has room for one more
_OPENING = 5  # bytes of a VP8L stream that hold its shape
_ALPHA = 1 << 4  # in the last of them: whether there is alpha
_MODES = {2: "RGB", 6: "RGBA"}
_OF_PIXELS = (b"VP8X", b"VP8L", b"VP8 ", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP ")


def unpack(data: bytes) -> Unpacked:
    """A WebP file, unpacked. Raises AsBytes for one with loss, animation or damage, and where Pillow is missing."""
    if len(data) != _CHUNK + int.from_bytes(data[4:8], "little"):
        raise AsBytes("it is broken: its size is not what its header says")
    chunks = {kind: (at, end) for kind, at, end in _walk(data)}
    for kind, what in ((b"ANMF", "animated"), (b"VP8 ", "lossy")):
        if kind in chunks:
            raise AsBytes(f"it is {what}")
    if b"VP8L" not in chunks:
        raise AsBytes("it is broken: there is no picture in it")
    start, stop = chunks[b"VP8L"]
    opening = data[start + _CHUNK :][:_OPENING]
    shape = Shape.of_webp(opening)
    if shape is None:
        raise AsBytes("the header of its pixels is broken")
    if shape.size > min(_MOST, MOST * max(_SMALL, stop - start)):
        raise AsBytes(f"it states {shape.width} x {shape.height} pixels, which are too many")
    if max(shape.width, shape.height) > _SIDE:
        raise AsBytes(
            f"it is {shape.width} x {shape.height} pixels, and {_SIDE} is the most that could be packed again"
        )
    unpacked = Unpacked("webp", shape, opening + data[:start], _decoded(data[start:stop], shape), data[stop:])
    # Unlike a PNG's, the pixels are found by a library: it has to agree with itself.
    if _decoded(_encoded(unpacked), shape) != unpacked.rows:
        raise AsBytes("Pillow does not give its pixels back")
    return unpacked


def pack(unpacked: Unpacked) -> bytes:
    """A WebP file of these pixels and chunks. Raises CorruptError, and MissingDependencyError without Pillow."""
    if max(unpacked.shape.width, unpacked.shape.height) > _SIDE:
        raise CorruptError("an unpacked WebP is larger than one can be")
    front, chunk = unpacked.front[_OPENING:], _encoded(unpacked)
    if len(front) < _HEAD or not front.startswith(RIFF):
        raise CorruptError("an unpacked WebP lacks its header")
    size = len(front) + len(chunk) + len(unpacked.back) - _CHUNK
    return front[:4] + size.to_bytes(4, "little") + front[8:] + chunk + unpacked.back


def without_size(unpacked: Unpacked) -> Unpacked:
    """Without the size of the file, which is another where the same pixels are packed otherwise."""
    front = bytearray(unpacked.front)
    front[_OPENING + len(RIFF) : _OPENING + _CHUNK] = bytes(_CHUNK - len(RIFF))
    return replace(unpacked, front=bytes(front))


def broken_by_packing(file: Span) -> str:
    """Why a file would not be whole with its pixels packed otherwise; empty if it would. Raises AsBytes for damage."""
    size = _CHUNK + int.from_bytes(file.read(4, 4), "little")
    if size < file.size:
        return f"behind its end there are {file.size - size} bytes more, as of an archive"
    for kind, _, _ in _walk(file.read(0, file.size)):
        if kind not in _OF_PIXELS:
            return f"its chunk {kind.decode('latin-1')!r} may speak of the bytes of the file"
    return ""


def _walk(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of every chunk, padding included. Raises AsBytes if one is cut."""
    at = _HEAD
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + _CHUNK], "little")
        end = at + _CHUNK + size + size % 2
        if at + _CHUNK > len(data) or end > len(data):
            raise AsBytes("it is broken: a chunk ends behind its end")
        yield data[at : at + 4], at, end
        at = end


def _decoded(chunk: bytes, shape: Shape) -> bytes:
    """The rows in a VP8L chunk. Raises AsBytes."""
    try:
        pillow = _pillow()
    except MissingDependencyError as error:
        raise AsBytes(str(error)) from error
    plain = RIFF + (4 + len(chunk)).to_bytes(4, "little") + WEBP + chunk
    try:
        with pillow.open(io.BytesIO(plain), formats=["WEBP"]) as image:
            if image.size != (shape.width, shape.height):
                raise AsBytes("its sizes contradict each other")
            rows: bytes = image.convert(_MODES[shape.colour]).tobytes()
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for damage
        raise AsBytes(f"it is broken: {error}") from error
    return rows


def _encoded(unpacked: Unpacked) -> bytes:
    """The rows as a VP8L chunk."""
    shape, out = unpacked.shape, io.BytesIO()
    image = _pillow().frombytes(_MODES[shape.colour], (shape.width, shape.height), unpacked.rows)
    image.save(out, "WEBP", lossless=True, exact=True, method=4, quality=75)
    data = out.getvalue()
    start, stop = next((at, end) for kind, at, end in _walk(data) if kind == b"VP8L")
    chunk = bytearray(data[start:stop])
    # Where all is opaque, the encoder leaves the mark out; it stands for a picture with alpha all the same.
    chunk[_CHUNK + _OPENING - 1] |= unpacked.front[_OPENING - 1] & _ALPHA
    return bytes(chunk)


def _pillow() -> ModuleType:
    try:
        from PIL import Image, features
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "WebP pictures need Pillow. Install it: pip install 'catzip[images]'"
        ) from error
    if not features.check("webp"):
        raise MissingDependencyError("the Pillow that is installed knows no WebP: install another")
    return Image
