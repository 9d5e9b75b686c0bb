"""Decompression of a stream, in memory that does not grow with it, checking everything."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

from .coding.model import Model, ModelSource
from .coding.rounding import rounded_to_nearest
from .coding.stack import Stack
from .coding.symbols import symbol_size
from .errors import CatzipError, CorruptError
from .format import lzma2, payload
from .format.container import (
    CHECK_SIZE,
    CODED,
    PACKING,
    STORED,
    XZ,
    Body,
    Head,
    checksum,
    read_frames,
    skip_stored,
    stored_pieces,
)
from .format.interruptible_stack import no_check
from .format.limits import Bounded, Check, Guard, Limits, frame_work
from .format.numbers import repacking_of
from .format.reader import Reader
from .format.report import Listing, Progress, Report, Sink
from .media import medium_for
from .recompression.packer import Packer


@rounded_to_nearest
def decompress_stream(
    src: BinaryIO,
    dst: Sink,
    *,
    models: ModelSource,
    progress: Progress | None = None,
    repack: bool = False,
    limits: Limits | None = None,
    check: Check = no_check,
) -> Report:
    """Write the content of all members that `src` still has to `dst`, packed where it is an unpacked picture.

    progress  called with (bytes done, bytes in all or None, where `src` cannot seek or is damaged)
    repack    pack every PNG anew, rather than byte for byte
    limits    what that may take; None for those that hold by default
    check     called many times in a second, but for what a frame of xz takes; what it raises ends the work

    Raises NotCatzipError, CorruptError, TruncatedError, NewerVersionError, ModelNotFoundError or LimitError;
    PackingError and MissingDependencyError where a picture cannot be packed here. Frames that are whole have then been
    written already, and of a damaged stored frame some more; but of a member with a picture, all or nothing.
    """
    total = _content_size(src) if progress is not None and src.seekable() else None
    done = 0

    def tell(part: int) -> None:
        if progress is not None:
            progress(done + part, total)

    def take(head: Head) -> Body:
        nonlocal done
        if head.kind == PACKING:
            body, how = decoder.repack_method(head)
            packer.begin(how)
        else:
            if not packer.used:  # what a picture is packed to is not known before
                out.expect(head.length)
            body = decoder.take(head, packer)
        done += body.length
        tell(0)
        return body

    reader = Reader(src)
    limits = limits or Limits()
    out = Bounded(dst, limits.output)
    guard = Guard(limits)
    decoder = Decoder(reader, models, guard, tell, check)
    packer = Packer(out, repack, guard.take, check)
    report = Report.of(reader, read_frames(reader, take, packer.end))
    return replace(report, packed_size=packer.written) if packer.used else report


def verify_stream(
    src: BinaryIO,
    *,
    models: ModelSource,
    progress: Progress | None = None,
    repack: bool = False,
    limits: Limits | None = None,
) -> Report:
    """Decompress and check everything, keeping nothing. Raises as `decompress_stream` does."""
    return decompress_stream(src, _Nowhere(), models=models, progress=progress, repack=repack, limits=limits)


def list_frames(src: BinaryIO) -> Listing:
    """What `src` is made of, without decoding it: needs no model, and seeks over the payloads where it can.

    Raises NotCatzipError, CorruptError, TruncatedError or NewerVersionError; damage inside a payload goes
    unseen.
    """
    reader = Reader(src)

    def take(head: Head) -> Body:
        if head.kind == STORED:
            return Body(skip_stored(reader), reader.exactly(CHECK_SIZE))
        if head.kind == PACKING:
            name = repacking_of(reader.exactly(1))
            reader.skip(head.size - 1)
            return Body(0, reader.exactly(CHECK_SIZE), packing=name)
        front = reader.exactly(min(head.size, payload.MAX_FRONT))
        facts = payload.unpack_front(front, head.length) if head.kind == CODED else None
        reader.skip(head.size - len(front))
        check = reader.exactly(CHECK_SIZE)
        if facts is None:
            return Body(head.length, check)
        return Body(head.length, check, facts.symbols, facts.side_size, facts.plan)

    return Report.of(reader, read_frames(reader, take))


def _content_size(src: BinaryIO) -> int | None:
    """What the file is going to decode to; None if it is damaged, which is for the decoder to say."""
    here = src.tell()
    try:
        return list_frames(src).content_size
    except CatzipError:
        return None
    finally:
        src.seek(here)


def _silent(part: int) -> None:
    """Progress that nobody is told of."""


class Decoder:
    """Decodes frames from a reader that stands behind their heads.

    guard     holds them to limits
    progress  called with how many bytes of the frame are done
    check     see `decompress_stream`
    """

    def __init__(
        self,
        reader: Reader,
        models: ModelSource,
        guard: Guard,
        progress: Callable[[int], None] = _silent,
        check: Check = no_check,
    ) -> None:
        self._reader, self._models, self._guard = reader, models, guard
        self._progress, self._check = progress, check

    def take(self, head: Head, dst: Sink) -> Body:
        """Decode the frame, check it and write its content to `dst`. Raises LimitError before it takes too much."""
        if head.kind == STORED:
            return self._copy(dst)
        if head.kind == PACKING:
            return self.repack_method(head)[0]
        self._guard.take(2 * head.size + lzma2.memory(head.length) * (head.kind == XZ))
        data = self._reader.exactly(head.size)
        check = self._reader.exactly(CHECK_SIZE)
        content, body = self._decode(head, data, check)
        if checksum(content) != check:
            raise CorruptError(_WRONG_SUM)
        dst.write(content)
        return body

    def repack_method(self, head: Head) -> tuple[Body, bytes]:
        """Read and check a packing frame; it, and how the content of the member is packed."""
        how, check = self._reader.exactly(head.size), self._reader.exactly(CHECK_SIZE)
        if checksum(how) != check:
            raise CorruptError(_WRONG_SUM)
        return Body(0, check, packing=repacking_of(how)), how

    def _copy(self, dst: Sink) -> Body:
        length = 0
        digest = hashlib.blake2b(digest_size=CHECK_SIZE)
        for size in stored_pieces(self._reader):
            for block in self._reader.blocks(size):
                digest.update(block)
                dst.write(block)
                self._check()
                self._progress(length := length + len(block))
        check = self._reader.exactly(CHECK_SIZE)
        if check != digest.digest():
            raise CorruptError(_WRONG_SUM)
        return Body(length, check)

    def _decode(self, head: Head, data: bytes, check: bytes) -> tuple[bytes, Body]:
        """The content of an xz or coded frame."""
        if head.fingerprint is None or head.medium is None:
            return lzma2.decompress(data, head.length), Body(head.length, check)
        model = self._models.by_fingerprint(head.fingerprint)
        if model.medium != head.medium:
            raise CorruptError(
                f"a frame of {head.medium} names the model {model.name}, which is for {model.medium}"
            )
        front = payload.unpack_front(data, head.length)
        sizes = model.segment_sizes(front.symbols, front.plan)
        self._admit(model, head, front)
        side = payload.unpack_side(data, front)
        stacks = list(payload.unpack_stacks(data[front.end :], len(sizes), self._check))

        def handed_out() -> Iterator[Stack]:
            done = 0
            for stack, size in zip(stacks, sizes, strict=True):
                yield stack
                done += size
                self._progress(head.length * done // front.symbols)

        symbols = model.decode(handed_out(), front.symbols, front.plan)
        if len(symbols) != front.symbols or not all(stack.is_empty() for stack in stacks):
            raise CorruptError("a coded frame has something left over when all its symbols are decoded")
        body = Body(head.length, check, front.symbols, front.side_size, front.plan)
        return medium_for(model).join(symbols, side, head.length), body

    def _admit(self, model: Model, head: Head, front: payload.Front) -> None:
        """Raise LimitError if the frame would take too much."""
        needs = model.needs(front.symbols, front.plan)
        side = lzma2.memory(front.side_length) if front.side_length else 0
        joined = medium_for(model).memory(front.symbols, head.length)
        symbols = front.symbols * symbol_size(model.alphabet)
        self._guard.take(3 * head.size + side + symbols + max(needs.memory, joined))
        self._guard.work(frame_work(needs.work, head.length), head.size)


_WRONG_SUM = "its checksum is wrong; the file is damaged"


class _Nowhere:
    """Takes output and forgets it."""

    def write(self, data: bytes, /) -> None:
        pass
