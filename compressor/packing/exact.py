"""How a PNG is packed again byte for byte, with zlib.

head (2) | level | memLevel | strategy | wbits | varint, version of zlib | filters | chunks | check (8)

  filters  varint size, the filter of each row (0 .. 4) of each pass: as it is if size is the number of rows,
           else LZMA2 of it
  chunks   varint count, and so often: varint size of an IDAT chunk, varint how many of it follow each other
  check    BLAKE2b of the file
"""

import hashlib
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from .. import lzma2, varint
from ..errors import CorruptError, PackingError
from . import deflate, filters, png
from .deflate import Settings
from .form import Unpacked

CHECK_SIZE = 8

_SETTINGS = 6  # bytes of the settings
_MAX_VERSION = 64


@dataclass(frozen=True)
class Exact:
    """What it takes.

    settings  of zlib
    version   of the zlib that made the file again when it was compressed
    kinds     the filter of each row of each pass
    sizes     (bytes of an IDAT chunk, how many of it follow each other)
    check     of the file
    """

    settings: Settings
    version: str
    kinds: bytes
    sizes: list[tuple[int, int]]
    check: bytes

    @classmethod
    def of(cls, data: bytes, stream: png.Stream) -> "Exact":
        """Of the PNG file `data`, which held its rows like that. Raises NotReproduced."""
        settings = deflate.find(stream.stream, stream.plain)
        runs = [(size, len(list(run))) for size, run in groupby(stream.sizes)]
        return cls(settings, deflate.VERSION, stream.kinds.tobytes(), runs, _checksum(data))

    def to_bytes(self) -> bytes:
        """As it stands in a recipe."""
        settings, version = self.settings, self.version.encode("ascii", "replace")[:_MAX_VERSION]
        numbers = bytes((settings.level, settings.memory, settings.strategy, settings.window))
        kinds = min(self.kinds, lzma2.compress(self.kinds), key=len)
        runs = [varint.encode(number) for run in self.sizes for number in run]
        fields = [
            settings.head,
            numbers,
            varint.encode(len(version)),
            version,
            varint.encode(len(kinds)),
            kinds,
        ]
        return b"".join((*fields, varint.encode(len(self.sizes)), *runs, self.check))

    @classmethod
    def from_bytes(cls, data: bytes, lines: int) -> "Exact":
        """From a recipe for a picture with so many rows in all passes. Raises CorruptError."""
        settings = Settings(data[:2], *data[2:_SETTINGS]) if len(data) >= _SETTINGS else None
        if settings is None or not settings.is_valid():
            raise CorruptError("a recipe states settings that zlib does not have")
        version, at = _field(data, _SETTINGS, _MAX_VERSION)
        stored, at = _field(data, at, lines)
        count, at = varint.decode(data, at)
        sizes = []
        for _ in range(min(count, len(data))):
            size, at = varint.decode(data, at)
            often, at = varint.decode(data, at)
            sizes.append((size, often))
        check = data[at:]
        if len(sizes) != count or len(check) != CHECK_SIZE:
            raise CorruptError("a recipe is longer or shorter than it should be")
        kinds = stored if len(stored) == lines else lzma2.decompress(stored, lines)
        if max(kinds) >= filters.KINDS:
            raise CorruptError("a recipe has an unknown filter")
        return cls(settings, version.decode("ascii", "replace"), kinds, sizes, check)

    def pack(self, unpacked: Unpacked) -> bytes:
        """The file. Raises PackingError where zlib makes other bytes of it."""
        stream = self.settings.deflate(png.refilter(unpacked, np.frombuffer(self.kinds, np.uint8)))
        total, count = (
            sum(size * often for size, often in self.sizes),
            sum(often for _, often in self.sizes),
        )
        if total == len(stream) and count <= total + _EMPTY:
            data = png.assemble(unpacked, stream, [size for size, often in self.sizes for _ in range(often)])
            if _checksum(data) == self.check:
                return data
        raise PackingError(
            f"zlib {self.version} packed this PNG; zlib {deflate.VERSION} here makes other bytes of it. Its pixels and "
            "chunks are intact: use --repack (in Python repack=True) to have them in a PNG that is packed anew"
        )


_EMPTY = 1 << 16  # empty IDAT chunks that a file can have


def _field(data: bytes, at: int, most: int) -> tuple[bytes, int]:
    """The bytes behind the varint at `at` that says how many they are, and the offset behind them."""
    size, at = varint.decode(data, at)
    if size > most:
        raise CorruptError("a recipe states a field that is too long")
    if size > len(data) - at:
        raise CorruptError("a recipe ends inside a field")
    return data[at : at + size], at + size


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=CHECK_SIZE).digest()
