"""Files that claim more than their bytes can hold: frames made by hand, the stacks of which are empty."""

from collections.abc import Sequence

from catzip.compressor.coding.model import Model, Plan
from catzip.compressor.format import lzma2, payload, trailer
from catzip.compressor.format.container import CODED, HEADER, XZ, Head, checksum


def coded(
    model: Model, symbols: int, plan: Plan, lost: int = 0, side: bytes = b"", content: bytes = b""
) -> bytes:
    """A coded frame of so many symbols, all of them 0, in segments without a byte; of all bytes `content` if that is
    given, else with a wrong checksum."""
    front, _ = payload.pack(plan, lost, side)
    body = front + payload.pack_stacks([b""] * len(model.segment_sizes(symbols, plan)))
    head = Head(CODED, model.medium, model.fingerprint, symbols + lost, len(body))
    return head.to_bytes() + body + checksum(content)


def xz(length: int) -> bytes:
    """A frame of zeros."""
    body = lzma2.compress(bytes(length))
    return Head(XZ, length=length, size=len(body)).to_bytes() + body + checksum(bytes(length))


def member(frames: Sequence[tuple[bytes, int]]) -> bytes:
    """A member of these frames: each with the length of its content."""
    body = HEADER + b"".join(frame for frame, _ in frames)
    return body + trailer.pack([(len(frame), length) for frame, length in frames], len(body))
