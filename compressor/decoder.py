"""Decompression of a stream, in memory that does not grow with it, checking everything."""

import hashlib
from typing import BinaryIO

from . import lzma2, payload
from .container import (
    CHECK_SIZE,
    CODED,
    STORED,
    Body,
    Head,
    checksum,
    read_frames,
    skip_stored,
    stored_pieces,
)
from .errors import CorruptError
from .media import MEDIA
from .model import ModelSource
from .reader import Reader
from .report import Listing, Progress, Report, Sink


def decompress_stream(
    src: BinaryIO, dst: Sink, *, models: ModelSource, progress: Progress | None = None
) -> Report:
    """Write the content of all members of `src` to `dst`. `progress` is called with (bytes done, None).

    Raises NotCatzipError, CorruptError, TruncatedError, NewerVersionError or ModelNotFoundError. Frames
    that are whole have then been written already, and of a damaged stored frame some more.
    """
    reader = Reader(src)
    decoder = Decoder(reader, models)
    done = 0

    def take(head: Head) -> Body:
        nonlocal done
        body = decoder.take(head, dst)
        done += body.length
        if progress is not None:
            progress(done, None)
        return body

    return Report.of(reader, read_frames(reader, take))


def verify_stream(src: BinaryIO, *, models: ModelSource, progress: Progress | None = None) -> Report:
    """Decompress and check everything, keeping nothing. Raises as `decompress_stream` does."""
    return decompress_stream(src, _Nowhere(), models=models, progress=progress)


def list_frames(src: BinaryIO) -> Listing:
    """What `src` is made of, without decoding it: needs no model, and seeks over the payloads where it can.

    Raises NotCatzipError, CorruptError, TruncatedError or NewerVersionError; damage inside a payload goes
    unseen.
    """
    reader = Reader(src)

    def take(head: Head) -> Body:
        if head.kind == STORED:
            return Body(skip_stored(reader), reader.exactly(CHECK_SIZE))
        front = reader.exactly(min(head.size, payload.MAX_FRONT))
        facts = payload.unpack_front(front, head.length) if head.kind == CODED else None
        reader.skip(head.size - len(front))
        check = reader.exactly(CHECK_SIZE)
        return Body(head.length, check, facts.symbols, facts.side_size) if facts else Body(head.length, check)

    return Report.of(reader, read_frames(reader, take))


class Decoder:
    """Decodes frames from a reader that stands behind their heads."""

    def __init__(self, reader: Reader, models: ModelSource) -> None:
        self._reader = reader
        self._models = models

    def take(self, head: Head, dst: Sink) -> Body:
        """Decode the frame, check it and write its content to `dst`."""
        if head.kind == STORED:
            return self._copy(dst)
        data = self._reader.exactly(head.size)
        check = self._reader.exactly(CHECK_SIZE)
        content, body = self._decode(head, data, check)
        if checksum(content) != check:
            raise CorruptError(_WRONG_SUM)
        dst.write(content)
        return body

    def _copy(self, dst: Sink) -> Body:
        length = 0
        digest = hashlib.blake2b(digest_size=CHECK_SIZE)
        for size in stored_pieces(self._reader):
            for block in self._reader.blocks(size):
                digest.update(block)
                dst.write(block)
            length += size
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
        segments = len(model.segment_sizes(front.symbols, front.plan))
        side = payload.unpack_side(data, front)
        stacks = list(payload.unpack_stacks(data[front.end :], segments))
        symbols = model.decode(iter(stacks), front.symbols, front.plan)
        if len(symbols) != front.symbols or not all(stack.is_empty() for stack in stacks):
            raise CorruptError("a coded frame has something left over when all its symbols are decoded")
        body = Body(head.length, check, front.symbols, front.side_size)
        return MEDIA[head.medium].join(symbols, side, head.length), body


_WRONG_SUM = "the checksum of a frame is wrong: the file is damaged"


class _Nowhere:
    """Takes output and forgets it."""

    def write(self, data: bytes, /) -> None:
        pass
