"""Random access: decodes only the frames that a range of the content needs."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from .coding.model import ModelSource
from .coding.rounding import rounded_to_nearest
from .decompress import Decoder
from .errors import CorruptError, TruncatedError
from .format import trailer
from .format.container import HEADER, STORED, check_header, in_frame, read_head, skip_stored
from .format.limits import Bounded, Guard, Limits
from .format.reader import BLOCK, Reader

_TAIL = 1 << 12  # bytes in which the trailer of a member is looked for first

Place = tuple[int, int, int]
"""A frame's offset and size in the file, and the length of its content."""


@rounded_to_nearest
def read_range(
    src: BinaryIO,
    start: int,
    length: int,
    models: ModelSource,
    origin: int = 0,
    limits: Limits | None = None,
) -> bytes:
    """The bytes `start` .. `start + length` of the content of a seekable file, fewer at its end. The file begins
    at `origin` of `src`.

    The frames are found by the index of each member. Those that are needed are decoded and checked whole. The content
    of a picture that was unpacked is what it was unpacked to. `limits` are as for `decompress_stream`.
    Raises the errors of decompression, and ValueError for a negative start or length.
    """
    if start < 0 or length < 0:
        raise ValueError(f"a range from {start} of length {length}: neither can be negative")
    limits = limits or Limits()
    window, guard = _Window(start, start + length, limits.output), Guard(limits)
    for number, (offset, size, content) in enumerate(_places(src, origin), 1):
        if window.at >= window.stop:
            break
        if window.at + content <= start:
            window.at += content
            continue
        src.seek(offset)
        reader = Reader(src)
        head = read_head(reader)
        if head is None:
            raise CorruptError(_WRONG_INDEX)
        expected = window.at + content
        with in_frame(number, offset - origin):
            Decoder(reader, models, guard).take(head, window)
        if (reader.at, window.at) != (size, expected):
            raise CorruptError(_WRONG_INDEX)
    return window.kept()


_WRONG_INDEX = "the index at the end of the file does not match the frames"


class _Window:
    """Takes content and keeps what falls between `start` and `stop`. `at` is where the next byte belongs."""

    def __init__(self, start: int, stop: int, most: int | None) -> None:
        self.start = start
        self.stop = stop
        self.at = 0
        self._data = io.BytesIO()
        self._kept = Bounded(self._data, most)

    def write(self, data: bytes, /) -> None:
        """Take the next bytes of the content. Raises LimitError if more is to be kept than may be."""
        self._kept.write(data[max(0, self.start - self.at) : max(0, self.stop - self.at)])
        self.at += len(data)

    def kept(self) -> bytes:
        """What was kept."""
        return self._data.getvalue()


def _places(src: BinaryIO, first: int) -> Iterator[Place]:
    """Every frame of the file that begins at `first`, in order, from the indexes of its members."""
    src.seek(first)
    check_header(Reader(src).up_to(len(HEADER)), first=True)
    members = []
    stop = _end(src, first)
    while stop > first:
        stop, places = _member(src, first, stop)
        members.append(places)
    for places in reversed(members):
        yield from places


def _end(src: BinaryIO, first: int) -> int:
    """Where the last member ends: in front of zero bytes, of which no trailer has one at its end."""
    stop = src.seek(0, 2)
    while stop > first:
        span = min(BLOCK, stop - first)
        src.seek(stop - span)
        kept = Reader(src).exactly(span).rstrip(b"\0")
        stop += len(kept) - span
        if kept:
            break
    return stop


def _member(src: BinaryIO, first: int, stop: int) -> tuple[int, list[Place]]:
    """Where the member that ends at `stop` starts, and its frames."""
    entries, body, tail = _trailer(src, first, stop)
    end = stop - len(tail)
    origin = end - body
    offset = origin + len(HEADER)
    if origin < first or offset > end:
        raise CorruptError(_WRONG_INDEX)
    src.seek(origin)
    check_header(Reader(src).up_to(len(HEADER)), first=origin == first)
    rest = end - offset - sum(size for size, _ in entries)
    if rest < 0 or (rest == 0 and entries):
        raise CorruptError(_WRONG_INDEX)
    if rest:
        entries.append((rest, _content_length(src, end - rest)))
    if trailer.pack(entries, body) != tail:
        raise CorruptError(_WRONG_INDEX)
    places = []
    for size, length in entries:
        places.append((offset, size, length))
        offset += size
    return origin, places


def _trailer(src: BinaryIO, first: int, stop: int) -> tuple[list[trailer.Entry], int, bytes]:
    """What ends the member that ends at `stop`: entries but the last, body, the bytes of the trailer."""
    span = _TAIL
    while True:
        span = min(span, stop - first)
        src.seek(stop - span)
        tail = Reader(src).exactly(span)
        try:
            entries, body, size = trailer.unpack(tail)
        except TruncatedError as error:
            if span == stop - first:
                raise CorruptError(_WRONG_INDEX) from error
            span *= 4
            continue
        return entries, body, tail[len(tail) - size :]


def _content_length(src: BinaryIO, offset: int) -> int:
    """The length of the content of the frame at `offset`."""
    src.seek(offset)
    reader = Reader(src)
    head = read_head(reader)
    if head is None:
        raise CorruptError(_WRONG_INDEX)
    return skip_stored(reader) if head.kind == STORED else head.length
