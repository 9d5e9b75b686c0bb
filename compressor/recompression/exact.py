"""How a PNG is packed again byte for byte, with zlib.

head (2) | level | memLevel | strategy | wbits | varint, version of zlib | filters | chunks | check (8)

  filters  varint size, the filter of each row (0 .. 4) of each pass: as it is if size is the number of rows,
           else LZMA2 of it
  chunks   varint count, and so often: varint size of an IDAT chunk, varint how many of it follow each other
  check    BLAKE2b of the file
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import CorruptError, PackingError
from ..format import lzma2, varint
from . import deflate, filters, png
from .chunks import MAX_EMPTY, Runs
from .content import PictureContent
from .deflate import ZlibSettings
from .span import Span

CHECK_SIZE = 8

_SETTINGS = 6  # bytes of the settings
_MAX_VERSION = 64


@dataclass(frozen=True)
class Exact:
    """What it takes.

    settings  of zlib
    version   of the zlib that made the file again when it was compressed
    kinds     the filter of each row of each pass
    runs      the IDAT chunks
    check     of the file
    """

    settings: ZlibSettings
    version: str
    kinds: bytes
    runs: Runs
    check: bytes

    def to_bytes(self) -> bytes:
        """As it stands in a repack method."""
        settings, version = self.settings, self.version.encode("ascii", "replace")[:_MAX_VERSION]
        numbers = bytes((settings.level, settings.memory, settings.strategy, settings.window))
        runs = [varint.encode(number) for run in self.runs for number in run]
        fields = [
            settings.head,
            numbers,
            varint.encode(len(version)),
            version,
            kinds_to_bytes(self.kinds),
        ]
        return b"".join((*fields, varint.encode(len(self.runs)), *runs, self.check))

    @classmethod
    def from_bytes(cls, data: bytes, lines: int) -> "Exact":
        """From a repack method for a picture with so many rows in all passes. Raises CorruptError."""
        settings = ZlibSettings(data[:2], *data[2:_SETTINGS]) if len(data) >= _SETTINGS else None
        if settings is None or not settings.is_valid():
            raise CorruptError("a repack method states settings that zlib does not have")
        version, at = _field(data, _SETTINGS, _MAX_VERSION)
        kinds, at = read_kinds(data, at, lines)
        count, at = varint.decode(data, at)
        runs = []
        for _ in range(min(count, len(data))):
            size, at = varint.decode(data, at)
            often, at = varint.decode(data, at)
            runs.append((size, often))
        check = data[at:]
        if len(runs) != count or len(check) != CHECK_SIZE:
            raise CorruptError("a repack method is longer or shorter than it should be")
        return cls(settings, version.decode("ascii", "replace"), kinds, runs, check)

    def pack(self, content: PictureContent) -> Iterator[bytes]:
        """The file, a piece at a time. Raises PackingError, before any, where zlib makes other bytes of it."""
        return self.assemble(
            content, png.deflated(content, np.frombuffer(self.kinds, np.uint8), self.settings)
        )

    def assemble(self, content: PictureContent, stream: Span) -> Iterator[bytes]:
        """The file, with this stream in its IDAT chunks. Raises PackingError if that is another file."""
        total = sum(size * often for size, often in self.runs)
        count = sum(often for _, often in self.runs)
        adds_up = total == stream.size and count <= total + MAX_EMPTY
        if adds_up and checksum(png.assemble(content, stream, self.runs)) == self.check:
            return png.assemble(content, stream, self.runs)
        raise PackingError(
            f"zlib {self.version} packed this PNG; zlib {deflate.VERSION} here makes other bytes of it. Its pixels and "
            "chunks are intact: use --repack (in Python repack=True) to have them in a PNG that is packed anew"
        )


def kinds_to_bytes(kinds: bytes) -> bytes:
    """The filters of all rows, as they stand in a repack method."""
    stored = min(kinds, lzma2.compress(kinds), key=len)
    return varint.encode(len(stored)) + stored


def read_kinds(data: bytes, at: int, lines: int) -> tuple[bytes, int]:
    """The filters of so many rows, which stand at `at`, and the offset behind them. Raises CorruptError."""
    stored, at = _field(data, at, lines)
    kinds = stored if len(stored) == lines else lzma2.decompress(stored, lines)
    if max(kinds) >= filters.KINDS:
        raise CorruptError("a repack method has an unknown filter")
    return kinds, at


def _field(data: bytes, at: int, most: int) -> tuple[bytes, int]:
    """The bytes behind the varint at `at` that says how many they are, and the offset behind them."""
    size, at = varint.decode(data, at)
    if size > most:
        raise CorruptError("a repack method states a field that is too long")
    if size > len(data) - at:
        raise CorruptError("a repack method ends inside a field")
    return data[at : at + size], at + size


def checksum(pieces: Iterable[bytes]) -> bytes:
    """The check of a file that comes in pieces."""
    digest = hashlib.blake2b(digest_size=CHECK_SIZE)
    for piece in pieces:
        digest.update(piece)
    return digest.digest()
