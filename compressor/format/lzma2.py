"""LZMA2 without a container around it: what `xz -9e` makes, less the 60 bytes or so of the .xz format."""

import lzma
from collections.abc import Callable

from ..errors import CorruptError

_SMALL = 1 << 20
_STEP = 1 << 16  # bytes that the encoder is given at a time, which says nothing to it
_XZ_DICTIONARY = 1 << 26  # of `xz -9e`

_COMPRESSED = 0x80  # the control byte of a chunk: below, 1 or 2 for one that is stored
_NOTHING, _STATE, _PROPERTIES, _ALL = range(4)  # what a chunk resets; the last two have a byte of properties
_DEFAULT_PROPERTIES = 0x5D  # lc = 3, lp = 0, pb = 2


def compress(data: bytes, look_up: Callable[[], None] = lambda: None) -> bytes:
    """The LZMA2 stream of `xz -9e` for `data`.

    look_up  called many times in a second; what it raises ends the work

    The encoder clears tables in proportion to its dictionary, so small data gets a small one.
    """
    dictionary = _SMALL if len(data) <= _SMALL else _XZ_DICTIONARY
    encoder = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[_filter(dictionary)])
    parts = []
    for at in range(0, len(data), _STEP):
        look_up()
        parts.append(encoder.compress(data[at : at + _STEP]))
    look_up()
    return b"".join((*parts, encoder.flush()))


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
    """The `length` bytes in `stream`. Raises CorruptError for anything else, making no more than that, and for what
    another encoder would have written, see `_check_chunks`."""
    _check_chunks(stream)
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_filter(max(length, 1 << 12))])
    try:
        data = decoder.decompress(stream, max_length=length)
        surplus = b"" if decoder.eof else decoder.decompress(b"", max_length=1)
    except (lzma.LZMAError, EOFError) as error:
        raise CorruptError(f"an xz frame cannot be decoded: {error}") from error
    if len(data) != length or surplus or not decoder.eof or decoder.unused_data:
        raise CorruptError("an xz frame does not hold what its header says")
    return data


def _check_chunks(stream: bytes) -> None:
    """Raise CorruptError where a chunk begins as liblzma's encoder does not begin it.

    A decoder ignores some of that where the content is simple, so that damage would go unnoticed: the properties, the
    first byte of the range coder, and what is reset (LZMA2 in the xz project's lzma2_encoder.c).
    """
    at, reset = 0, _ALL
    while at < len(stream) and (control := stream[at]):
        if control < _COMPRESSED:
            expected, size = (1 if reset == _ALL else 2), 3 + 1 + int.from_bytes(stream[at + 1 : at + 3])
            plain, reset = control == expected, _STATE if reset < _PROPERTIES else _PROPERTIES
        else:
            start = at + (6 if reset >= _PROPERTIES else 5)
            size = start - at + 1 + int.from_bytes(stream[at + 3 : at + 5])
            plain = (control & ~_COMPRESSED) >> 5 == reset and stream[start : start + 1] == b"\0"
            plain = plain and (reset < _PROPERTIES or stream[at + 5] == _DEFAULT_PROPERTIES)
            reset = _NOTHING
        if not plain:
            raise CorruptError("an xz stream begins a chunk as no encoder does: the file is damaged")
        at += size


def _filter(dictionary: int) -> dict[str, int]:
    return {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": dictionary}
