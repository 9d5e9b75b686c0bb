"""Pictures that are packed: each is coded as it is, or unpacked, so that a model sees its pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO, cast

from .encoder import Encoder, remaining
from .errors import RepackingError, UnsuitableContentError
from .format.numbers import repacking_of
from .format.reader import Reader
from .format.report import Report, Sink
from .picture_candidates import Candidates
from .recompression import choice, method, webp
from .recompression.asbytes import AsBytes, NotReproduced
from .recompression.form import Unpacked
from .recompression.kinds import OPENING, kind_of
from .recompression.span import BLOCK, Span, spool


def compress_picture(
    src: BinaryIO, dst: Sink, kind: str, encoder: Encoder, byte_exact: bool, size_hint: int | None
) -> Report:
    """Write the picture that `src` still has, of this kind, to `dst`: see `compress_stream`."""
    total = remaining(src) if size_hint is None else size_hint

    def look_up() -> None:
        if encoder.progress is not None:
            encoder.progress(0, total)

    file, source = _kept(src, look_up)

    def as_it_is() -> Report:
        file.rewound()
        return encoder.encode(source, dst, size_hint=size_hint)

    return _compress(Candidates(file, encoder), kind, byte_exact, as_it_is, dst)


def _compress(
    candidates: Candidates, kind: str, byte_exact: bool, encode: Callable[[], Report], dst: Sink
) -> Report:
    """Write the picture of `candidates` to `dst`: the smaller of unpacked and as it is, which `encode` does."""
    try:
        if candidates.file.size > method.MAX_FILE:
            raise AsBytes("it is larger than 256 MiB")
        if not byte_exact and (reason := choice.broken_by_packing(candidates.file)):
            raise RepackingError(
                f"this {kind} cannot be repacked: {reason}. Leave out --pixels (in Python, byte_exact=False)"
            )
        content, how = choice.byte_exact(candidates.file) if byte_exact else choice.by_pixels(candidates.file)
    except NotReproduced as reason:
        return candidates.given_up(kind, str(reason), dst, byte_exact)
    except AsBytes as reason:
        try:
            return _noted(encode(), kind, str(reason))
        except UnsuitableContentError as error:
            raise UnsuitableContentError(f"{error}. This {kind} cannot be unpacked: {reason}") from error
    unpacked = candidates.unpacked(content, how)
    if candidates.may_pay_as_bytes(unpacked) and (packed := candidates.as_bytes()).size <= unpacked.size:
        return _noted(packed.written(dst), kind, f"its pixels would take {unpacked.size} bytes")
    note = f"unpacked; {_PROMISES[repacking_of(how)]}"
    return replace(unpacked.written(dst), packed_size=candidates.file.size, notes=(f"{kind}: {note}",))


_PROMISES = {
    "png": "its pixels and chunks come back, packed anew",
    "png-tuned": "its pixels and chunks come back, packed anew",
    "png-exact": "it comes back byte for byte, with the zlib that is here",
    "webp": "its pixels and chunks come back, packed anew",
}


def is_same_picture(one: bytes, other: bytes) -> bool:
    """Whether two PNG or WebP files have the same pixels and chunks."""
    return are_same_picture(Span.of(one), Span.of(other))


def are_same_picture(one: Span, other: Span) -> bool:
    """Whether two PNG or WebP files have the same pixels and chunks."""
    try:
        return _picture(one).same_as(_picture(other))
    except AsBytes:
        return False


def _picture(file: Span) -> Span:
    """What is in a PNG or WebP file, however it is packed. Raises AsBytes."""
    content = method.unpack(file)
    if kind_of(file.read(0, OPENING)) != "WebP":
        return content
    return Span.of(webp.without_size(Unpacked.from_bytes(content.read(0, content.size))).to_bytes())


def _kept(src: BinaryIO, look_up: Callable[[], None]) -> tuple[Span, BinaryIO]:
    """All that `src` still has, or too much of it, as a file that can seek; and what reads on from its start."""
    size = remaining(src)
    if size is not None:
        return Span(src, src.tell(), size, look_up), src
    out, reader = spool(), Reader(src)
    while reader.at <= method.MAX_FILE and (block := reader.up_to(BLOCK)):
        out.write(block)
    file = Span.whole(out, look_up)
    return file, out if file.size <= method.MAX_FILE else cast(BinaryIO, _Chained(out, src))


class _Chained:
    """A pipe, of which `held` was read already."""

    def __init__(self, held: BinaryIO, src: BinaryIO) -> None:
        self._held = held
        self._src = src

    def seekable(self) -> bool:
        return False

    def read(self, size: int) -> bytes:
        """At most `size` bytes."""
        return self._held.read(size) or self._src.read(size)


def _noted(report: Report, kind: str, reason: str) -> Report:
    """A report with a note on why a picture stays as it is."""
    return replace(report, notes=(f"{kind}, coded as bytes: {reason}",))
