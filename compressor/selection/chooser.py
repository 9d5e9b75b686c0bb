"""How to store one frame: coded with a model, as xz, or as it is, whichever is smallest."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..coding.aside import Aside, Known
from ..coding.model import Model, ModelSource, Plan
from ..format import lzma2, payload
from ..format.container import CODED, MAX_RATIO, STORED, XZ, Head
from ..format.limits import Meter, frame_work
from ..format.writer import Choice
from ..media import medium_for
from ..media.look import Look
from .items import Content, check_fit, is_for_images
from .probing import probe

PlanFor = Callable[[Model, int, tuple[int, ...]], Plan]
"""A plan for a model, a number of symbols and how they lie (see `Model.plan`), in place of the model's own."""

_BREAK_EVEN = (
    64  # bytes a frame must save to be worth its head, its index entry, and the end of a run of stored frames
)
_SAMPLE = 1 << 15  # bytes of each of 8 samples for the quick look
_COLD = 2.5  # a model that starts cold in a probe does worse there than in the frame, by up to this
_TINY = 1 << 15  # symbols: smaller content is coded without a probe, which would cost as much as the coding


class Chooser:
    """Chooses for one frame after another, between `begin` and `end`.

    models    where models are
    name      the model to use; None to let the content decide, which also probes whether a model is worth its time,
              unless `models` is thorough
    plan_for  see `PlanFor`
    keep      whether what a model codes is coded also where xz would be smaller, if it is smaller than it was
    """

    def __init__(
        self, models: ModelSource, name: str | None, plan_for: PlanFor | None, keep: bool = False
    ) -> None:
        self._models = models
        self._explicit = models.by_name(name) if name is not None else None
        self._plan_for = plan_for
        self._keep = keep
        self._probes = self._explicit is None and not models.thorough
        self._loaded: dict[str, Model] = {}
        self._content = Content(None, None)
        self._known: Model | None = self._explicit
        self._at = 0
        self._meter = Meter()

    def begin(
        self, opening: bytes, length: int | None, frame_size: int, look: Look | None = None
    ) -> tuple[int, int]:
        """Look at how content of `length` bytes begins; the bytes of the first frame, and of the others.

        opening, look  see `Content.of`
        Raises UnsuitableContentError if the model that was named does not code such content.
        """
        self._content, self._at, self._meter = Content.of(opening, length, look), 0, Meter()
        if self._explicit is None:
            name = self._content.default(self._models)
            self._known = None if name is None else self._models.by_name(name)
        self.end(length)
        return (frame_size, frame_size) if self._known is None else self._content.cut(self._known, frame_size)

    def end(self, length: int | None) -> None:
        """Check again, now that the length is known. Raises as `begin` does."""
        if self._explicit is not None:
            check_fit(self._content, self._explicit, self._models, length)

    def choose(self, data: bytes, alone: bool, progress: Callable[[int], None]) -> Choice:
        """The smallest way to write `data`, at least 1 byte: the content from where the last call left off.

        alone     whether this is all of the content: then xz is tried even where it looks hopeless
        progress  called with how many bytes of `data` are done, while a model runs
        """
        start, self._at = self._at, self._at + len(data)
        known = self._known_for(start, len(data))
        # To zlib, the content of a model for items may look random, as photographs do.
        if not alone and known is None and not self._models.thorough and looks_random(data):
            return Choice(Head(STORED))
        if self._keep and known is not None:
            best = self._code(known, data, start, Known(data), progress) or Choice(Head(STORED))
        else:
            best = self._smaller(known or self._default(data), data, start, progress)
        if best.head.kind == CODED:
            self._meter.charge(best.work, best.head.size)
        if len(best.head.to_bytes()) + len(best.payload) + _BREAK_EVEN * (not alone) >= len(data):
            return Choice(Head(STORED))
        return best

    def _smaller(
        self, model: Model | None, data: bytes, start: int, progress: Callable[[int], None]
    ) -> Choice:
        """`data` coded with the model, or as xz."""
        with self._xz(data, lambda: progress(0)) as packed:
            coded = None
            if model is not None and (is_for_images(model) or fits(model, data)):
                coded = self._code(model, data, start, packed, progress)
            xz = packed.result()
        return coded or Choice(Head(XZ, length=len(data), size=len(xz)), xz)

    @contextmanager
    def _xz(self, data: bytes, look_up: Callable[[], None]) -> Iterator[Known[bytes]]:
        """What xz makes of `data`: found in another thread beside what is done meanwhile, if there may be a second.

        An error met meanwhile goes its way at once, and that thread then ends soon. Where xz is at work in this one, it
        calls `look_up`.
        """
        if self._models.threads == 1:
            yield Known(lzma2.compress(data, look_up))
            return
        left = False

        def is_waited_for() -> None:
            if left:
                raise InterruptedError

        try:
            yield Aside(lambda: lzma2.compress(data, is_waited_for))
        finally:
            left = True

    def _known_for(self, start: int, length: int) -> Model | None:
        """The model for a frame of `length` bytes from offset `start`, whatever is in it."""
        if (
            self._known is None
            or not is_for_images(self._known)
            or self._content.part(start, length) is not None
        ):
            return self._known
        return None  # bytes around an image

    def _default(self, data: bytes) -> Model | None:
        """The model for what is in a frame, unless one was named."""
        name = None if self._explicit is not None else self._models.default_for(data)
        if name is None:
            return None
        return self._loaded.get(name) or self._loaded.setdefault(name, self._models.by_name(name))

    def _code(
        self, model: Model, data: bytes, start: int, packed: Known[bytes], progress: Callable[[int], None]
    ) -> Choice | None:
        """`data` coded with the model; None as soon as it is clear that it takes as many bytes as `packed` or more, or
        more work than decoders allow for those bytes.

        start   offset of `data` in the content
        packed  what has to be beaten: what xz makes of `data`, which may still be in the making, or `data` themselves
        """
        symbols, side, shape = self._content.split(model, data, start)
        count = len(symbols)
        plan = self._plan_for(model, count, shape) if self._plan_for else model.plan(count, shape=shape)
        work = frame_work(model.needs(count, plan).work, len(data))
        front, side_size = payload.pack(plan, len(data) - count, side)
        size = len(front) + len(model.fingerprint)
        if self._probes and count > _TINY:
            expected = size + probe(model, symbols, shape) * count / 8
            if expected >= min(_COLD * len(packed.result()), len(data)):
                return None
        done, stacks = 0, []
        for stack, coded in zip(model.encode(symbols, plan), model.segment_sizes(count, plan), strict=True):
            stacks.append(stack.to_bytes())
            size += len(stacks[-1])
            done += coded
            if packed.done() and (
                size >= len(packed.result()) or not self._admits(work, len(packed.result()))
            ):
                return None
            progress(len(data) * done // count)
        body = front + payload.pack_stacks(stacks)
        if len(body) + len(model.fingerprint) >= len(packed.result()) or not self._admits(work, len(body)):
            return None
        if len(data) > MAX_RATIO * len(body):  # as of very many long pieces that the model is sure of
            return None
        head = Head(CODED, model.medium, model.fingerprint, len(data), len(body))
        return Choice(head, body, count, side_size, plan, work)

    def _admits(self, work: int, size: int) -> bool:
        """Whether decoders do so much work by default for `size` bytes of payload. Plans of others are their affair."""
        return self._plan_for is not None or self._meter.admits(work, size)


def looks_random(data: bytes) -> bool:
    """Whether samples of `data` do not compress at all, as in archives, pictures and films."""
    starts = range(0, max(1, len(data) - _SAMPLE), max(1, len(data) // 8))
    samples = [data[start : start + _SAMPLE] for start in starts]
    return all(len(zlib.compress(sample, 1)) > 0.995 * len(sample) for sample in samples)


def fits(model: Model, data: bytes) -> bool:
    """Whether the model's medium suits `data`: on samples, its side stream alone is smaller than xz is."""
    starts = sorted({0, len(data) // 2, max(0, len(data) - _SAMPLE)})
    sample = b"".join(data[start : start + _SAMPLE] for start in starts)
    _, side = medium_for(model).split(sample)
    return not side or len(lzma2.compress(side)) < len(lzma2.compress(sample))
