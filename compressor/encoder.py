"""Compression of a stream, in memory that does not grow with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, cast

from .coding.model import ModelSource
from .format.container import MAX_FRAME, STORED
from .format.reader import Ahead, Reader
from .format.report import Progress, Report, Sink
from .format.writer import Choice, Piece, Writer
from .media import tiff
from .selection.chooser import Chooser, PlanFor
from .selection.items import OPENING

FRAME_SIZE = 1 << 24
"""Content of a frame: 16 MiB."""

PIECE_SIZE = 1 << 28
"""Stored content that is held where the source cannot be read twice: 256 MiB make one piece."""

Chosen = tuple[bytes, Choice]


@dataclass(frozen=True)
class Encoder:
    """How content becomes members: with which models, in which frames.

    model      name of the model for every frame; None to choose by content
    frame_size bytes of content in a frame
    progress   called with (bytes done, bytes in all or None)
    plan_for   makes the coding plan in place of the model: see `PlanFor`
    steps      one of the model's budgets of network calls, 0 for all; only where a model is named
    keep_model whether frames are coded with the model that is named also where xz would be smaller; content that the
               model does not shrink is stored all the same

    Raises ValueError for a frame size that cannot be, and for `keep_model` where no model is named.
    """

    models: ModelSource
    model: str | None = None
    frame_size: int = FRAME_SIZE
    progress: Progress | None = None
    plan_for: PlanFor | None = None
    steps: int | None = None
    keep_model: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.frame_size <= MAX_FRAME:
            raise ValueError(f"a frame size of {self.frame_size}; 1 to {MAX_FRAME} is possible")
        if self.keep_model and self.model is None:
            raise ValueError("to keep a model goes with the name of a model")

    def encode(
        self, src: BinaryIO, dst: Sink, *, size_hint: int | None = None, method: bytes = b""
    ) -> Report:
        """Write all that `src` still has to `dst`, as one member.

        size_hint  bytes that `src` has, for `progress` and for what has to fit whole; found by seeking where possible
        method     how the content is packed when it is decoded (see `recompression.method`); empty for not at all

        A run of frames that do not compress becomes one stored frame. If `src` cannot seek, up to 256 MiB of it
        are held in memory, and it has a piece, which costs one byte, for each 256 MiB.

        Raises ModelNotFoundError, ModelMismatchError for steps that the model does not have, and
        UnsuitableContentError for content that it does not code: with nothing written, unless a pipe turns out to be
        too short or too long. ValueError for steps where no model is named.
        """
        chooser = Chooser(self.models, self.model, self._plans(), self.keep_model)
        total = remaining(src) if size_hint is None else size_hint
        if total is None and src.seekable():
            src = cast(BinaryIO, Ahead(b"", src))
        base = src.tell() if src.seekable() else 0
        progress = _Counted(self.progress, total)
        ahead = progress.choices(_begun(src, total, chooser, self.frame_size), chooser)
        progress.tell(0)
        writer = Writer(dst)
        if method:
            writer.pack(method)
        for data, choice in ahead:
            if choice.head.kind != STORED:
                writer.write(choice, data)
                continue
            run: _SeekRun | _HeldRun = _SeekRun(src, base + progress.done) if src.seekable() else _HeldRun()
            writer.store(run.pieces(data, ahead))
            if run.after is not None:
                writer.write(run.after[1], run.after[0])
        chooser.end(progress.done)
        return writer.finish()

    def _plans(self) -> PlanFor | None:
        """Plans of the steps. Raises ValueError where no model is named, ModelMismatchError if it has none such."""
        steps = self.steps
        if steps is None:
            return self.plan_for
        if self.model is None:
            raise ValueError("a number of steps goes with the name of a model")
        self.models.by_name(self.model).plan(1, steps)
        return lambda model, count, shape: model.plan(count, steps, shape)


class _Counted:
    """Frames as they are chosen for, and told of: `done` bytes are behind the one that is now being written."""

    def __init__(self, progress: Progress | None, total: int | None) -> None:
        self._progress, self._total = progress, total
        self.done = 0

    def choices(self, frames: Iterator[tuple[bytes, bool]], chooser: Chooser) -> Iterator[Chosen]:
        """What was chosen for each of these frames."""
        for data, alone in frames:
            yield data, chooser.choose(data, alone, self.tell)
            self.done += len(data)
            self.tell(0)

    def tell(self, part: int) -> None:
        """This much of the frame after those is done."""
        if self._progress is not None:
            self._progress(self.done + part, self._total)


def remaining(src: BinaryIO) -> int | None:
    """The bytes from here to the end; None for a pipe, and for what has no end to seek, as files in /proc."""
    if not src.seekable():
        return None
    here = src.tell()
    try:
        end = src.seek(0, 2)
    except OSError:
        return None
    src.seek(here)
    return end - here


def _begun(
    src: BinaryIO, length: int | None, chooser: Chooser, frame_size: int
) -> Iterator[tuple[bytes, bool]]:
    """The frames, once the chooser has seen how the content begins. Raises UnsuitableContentError."""
    base = src.tell() if src.seekable() else 0
    reader = Reader(src)
    held = reader.up_to(OPENING)
    if held.startswith(tiff.OPENINGS) and not src.seekable():
        held += reader.up_to(frame_size)  # its header may be at its end

    def look(at: int, size: int) -> bytes:
        if at + size <= len(held) or not src.seekable():
            return held[at : at + size]
        here = src.tell()
        src.seek(base + at)
        found = Reader(src).up_to(size)
        src.seek(here)
        return found

    first, later = chooser.begin(held, length, frame_size, look)
    return _frames(reader, held, first, later)


def _frames(reader: Reader, held: bytes, first: int, later: int) -> Iterator[tuple[bytes, bool]]:
    """The content, of which `held` was read already, in pieces of these sizes; whether a piece is all of it."""

    def take(size: int) -> bytes:
        nonlocal held
        data, held = held[:size], held[size:]
        return data + reader.up_to(size - len(data))

    data, alone = take(first), True
    while data:
        ahead = take(later)
        yield data, alone and not ahead
        data, alone = ahead, False


class _SeekRun:
    """A run of stored frames in a source that can be read twice: found first, then copied as one piece.

    after  the frame that ended the run
    """

    def __init__(self, src: BinaryIO, start: int) -> None:
        self._src = src
        self._start = start
        self.after: Chosen | None = None

    def pieces(self, data: bytes, ahead: Iterator[Chosen]) -> Iterator[Piece]:
        """The run, which begins with `data`, as one piece."""
        length = len(data)
        for data, choice in ahead:
            if choice.head.kind != STORED:
                self.after = data, choice
                break
            length += len(data)
        here = self._src.tell()
        self._src.seek(self._start)
        yield length, Reader(self._src).blocks(length)
        self._src.seek(here)


class _HeldRun:
    """A run of stored frames in a pipe: held in memory until it is a full piece or ends.

    after  the frame that ended the run
    """

    def __init__(self) -> None:
        self.after: Chosen | None = None

    def pieces(self, data: bytes, ahead: Iterator[Chosen]) -> Iterator[Piece]:
        """The run, which begins with `data`, in pieces of 256 MiB and a rest."""
        held, size = [data], len(data)
        for data, choice in ahead:
            if choice.head.kind != STORED:
                self.after = data, choice
                break
            held.append(data)
            size += len(data)
            if size >= PIECE_SIZE:
                last = held[-1]
                over = size - PIECE_SIZE
                cut = len(last) - over
                yield PIECE_SIZE, chain(held[:-1], [last[:cut]])
                held, size = ([last[cut:]] if over else []), over
        if size:
            yield size, held
