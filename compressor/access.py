"""Random access: decodes only the frames that a range of the content needs."""

from collections.abc import Iterator
from typing import BinaryIO

from . import trailer
from .container import HEADER, STORED, check_header, read_head, skip_stored
from .decoder import Decoder
from .errors import CorruptError, TruncatedError
from .model import ModelSource
from .reader import Reader

_TAIL = 1 << 12  # bytes in which the trailer of a member is looked for first

Place = tuple[int, int, int]
"""Of a frame: its offset and size in the file, the length of its content."""


def read_range(src: BinaryIO, start: int, length: int, models: ModelSource) -> bytes:
    """The bytes `start` .. `start + length` of the content of a seekable file, fewer at its end.

    The frames are found by the index of each member. Those that are needed are decoded and checked whole.
    Raises the errors of decompression, and ValueError for a negative start or length.
    """
    if start < 0 or length < 0:
        raise ValueError(f"a range from {start} of length {length}: neither can be negative")
    window = _Window(start, start + length)
    for offset, size, content in _places(src):
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
        Decoder(reader, models).take(head, window)
        if (reader.at, window.at) != (size, expected):
            raise CorruptError(_WRONG_INDEX)
    return bytes(window.data)


_WRONG_INDEX = "the index at the end of the file does not match the frames"


class _Window:
    """Takes content and keeps what falls between `start` and `stop`. `at` is where the next byte belongs."""

    def __init__(self, start: int, stop: int) -> None:
        self.start = start
        self.stop = stop
        self.at = 0
        self.data = bytearray()

    def write(self, data: bytes, /) -> None:
        """The next bytes of the content."""
        self.data += data[max(0, self.start - self.at) : max(0, self.stop - self.at)]
        self.at += len(data)


def _places(src: BinaryIO) -> Iterator[Place]:
    """Every frame of the file, in order, from the indexes of its members."""
    src.seek(0)
    check_header(src.read(len(HEADER)), first=True)
    members = []
    stop = src.seek(0, 2)
    while stop:
        entries, body, size = _read_trailer(src, stop)
        stop -= size + body
        if stop < 0:
            raise CorruptError(_WRONG_INDEX)
        members.append((stop, entries, body))
    for origin, entries, body in reversed(members):
        src.seek(origin)
        check_header(src.read(len(HEADER)), first=origin == 0)
        offset = origin + len(HEADER)
        for size, length in entries:
            yield offset, size, length
            offset += size
        rest = origin + body - offset
        if rest < 0 or (rest == 0 and entries):
            raise CorruptError(_WRONG_INDEX)
        if rest:
            yield offset, rest, _content_length(src, offset)


def _read_trailer(src: BinaryIO, stop: int) -> tuple[list[trailer.Entry], int, int]:
    """The trailer of the member that ends at `stop`."""
    span = _TAIL
    while True:
        src.seek(max(0, stop - span))
        tail = Reader(src).exactly(min(span, stop))
        try:
            return trailer.unpack(tail)
        except TruncatedError as error:
            if span >= stop:
                raise CorruptError(_WRONG_INDEX) from error
            span *= 4


def _content_length(src: BinaryIO, offset: int) -> int:
    """The length of the content of the frame at `offset`."""
    src.seek(offset)
    reader = Reader(src)
    head = read_head(reader)
    if head is None:
        raise CorruptError(_WRONG_INDEX)
    return skip_stored(reader) if head.kind == STORED else head.length
