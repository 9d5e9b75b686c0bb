"""LZMA2 without a container around it: what `xz -9e` makes, less the 60 bytes or so of the .xz format."""

import lzma

from .errors import CorruptError

_SMALL = 1 << 20
_XZ_DICTIONARY = 1 << 26  # of `xz -9e`


def compress(data: bytes) -> bytes:
    """The LZMA2 stream of `xz -9e` for `data`.

    The encoder clears tables in proportion to its dictionary, so small data gets a small one.
    """
    dictionary = _SMALL if len(data) <= _SMALL else _XZ_DICTIONARY
    return lzma.compress(data, lzma.FORMAT_RAW, filters=[_filter(dictionary)])


def rough_size(data: bytes) -> int:
    """About what `compress` would make of `data`, found several times as fast; for comparisons."""
    fast = {"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": max(len(data), 1 << 12)}
    return len(lzma.compress(data, lzma.FORMAT_RAW, filters=[fast]))


MAX_RATIO = 1 << 13
"""Bytes that one byte of LZMA2 can stand for, and some more: its longest match, of 273 bytes, takes 0.3 bits."""


def is_possible(size: int, length: int) -> bool:
    """Whether `length` bytes may take `size` bytes, as LZMA2 or as they are."""
    return size <= length <= MAX_RATIO * size


def memory(length: int) -> int:
    """Bytes that `decompress` takes for a result of `length`: its dictionary, the result, and a copy of that."""
    return 3 * length + (1 << 20)


def decompress(stream: bytes, length: int) -> bytes:
    """The `length` bytes in `stream`. Raises CorruptError for anything else, making no more than that."""
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_filter(max(length, 1 << 12))])
    try:
        data = decoder.decompress(stream, max_length=length)
        surplus = b"" if decoder.eof else decoder.decompress(b"", max_length=1)
    except (lzma.LZMAError, EOFError) as error:
        raise CorruptError(f"an xz frame cannot be decoded: {error}") from error
    if len(data) != length or surplus or not decoder.eof or decoder.unused_data:
        raise CorruptError("an xz frame does not hold what its header says")
    return data


def _filter(dictionary: int) -> dict[str, int]:
    return {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": dictionary}
