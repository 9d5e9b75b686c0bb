"""What is inside a coded frame: plan, symbol count, side stream, one stack for each segment."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..coding.model import Plan
from ..coding.stack import Stack
from ..errors import CorruptError
from . import lzma2, varint
from .interruptible_stack import InterruptibleStack, no_check
from .limits import Check
from .numbers import side_limit

MAX_PLAN = 16
"""Numbers in a plan."""

MAX_FRONT = (MAX_PLAN + 4) * varint.MAX_BYTES
"""Bytes that a front can have."""


class Front(NamedTuple):
    """What stands before the side stream and the segments.

    plan         the model's coding plan
    symbols      how many symbols are coded, 1 .. length of the content
    side_length  bytes of the medium's side stream
    side_size    bytes it takes in the file; fewer where it is compressed
    side_start   offset of the side stream in the payload; the segments start behind it, at `end`
    """

    plan: Plan
    symbols: int
    side_length: int
    side_size: int
    side_start: int

    @property
    def end(self) -> int:
        """Offset of the first segment."""
        return self.side_start + self.side_size


def pack(plan: Plan, lost: int, side: bytes) -> tuple[bytes, int]:
    """The payload up to the segments, and how many bytes of it are the side stream.

    lost   length of the content less the number of symbols
    """
    numbers = b"".join(map(varint.encode, (len(plan), *plan, lost, len(side))))
    if not side:
        return numbers, 0
    stored = min(side, lzma2.compress(side), key=len)
    return numbers + varint.encode(len(stored)) + stored, len(stored)


def pack_stacks(stacks: Sequence[bytes]) -> bytes:
    """The stacks back to back, each but the last behind its length."""
    return b"".join(varint.encode(len(stack)) + stack for stack in stacks[:-1]) + stacks[-1]


def unpack_front(data: bytes, length: int) -> Front:
    """The front of a payload, or of its first `MAX_FRONT` bytes, of a frame with `length` bytes of content.

    Raises CorruptError.
    """
    count, at = varint.decode(data, 0)
    if count > MAX_PLAN:
        raise CorruptError(f"a coding plan has {count} numbers; {MAX_PLAN} is the most")
    numbers = []
    for _ in range(count + 2):
        number, at = varint.decode(data, at)
        numbers.append(number)
    *plan, lost, side_length = numbers
    if lost >= length:
        raise CorruptError("a coded frame has no symbols")
    if side_length > side_limit(length):
        raise CorruptError(f"a side stream states {side_length} bytes for {length} bytes of content")
    side_size, at = varint.decode(data, at) if side_length else (0, at)
    if not lzma2.is_possible(side_size, side_length) or (side_length and not side_size):
        raise CorruptError(f"a side stream of {side_length} bytes states {side_size} bytes in the file")
    return Front(tuple(plan), length - lost, side_length, side_size, at)


def unpack_side(data: bytes, front: Front) -> bytes:
    """The side stream in a payload. Raises CorruptError."""
    side = data[front.side_start : front.end]
    if len(side) != front.side_size:
        raise CorruptError("a side stream is longer than its frame")
    return side if front.side_size == front.side_length else lzma2.decompress(side, front.side_length)


def unpack_stacks(data: bytes, count: int, check: Check = no_check) -> Iterator[Stack]:
    """The stacks of `count` segments, which call `check` when they are popped. Raises CorruptError when they are not
    there."""
    at = 0
    for _ in range(count - 1):
        size, at = varint.decode(data, at)
        if size > len(data) - at:
            raise CorruptError("a segment is longer than its frame")
        yield _interruptible(data[at : at + size], check)
        at += size
    yield _interruptible(data[at:], check)


def _interruptible(data: bytes, check: Check) -> InterruptibleStack:
    stack = InterruptibleStack.from_bytes(data)
    stack.check = check
    return stack
