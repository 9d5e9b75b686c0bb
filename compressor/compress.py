"""Compression of whatever a file is: a packed picture is unpacked first, where that makes it smaller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO, NoReturn, cast

from .coding.model import ModelSource, Purpose
from .coding.rounding import rounded_to_nearest
from .encoder import FRAME_SIZE, Encoder, remaining
from .errors import ModelNotFoundError, RepackingError, UnsuitableContentError
from .format.numbers import repacking_of
from .format.reader import Ahead, Reader
from .format.report import Progress, Report, Sink
from .recompression import choice, webp
from .recompression import method as recipe
from .recompression.asbytes import AsBytes, NotReproduced
from .recompression.form import Unpacked
from .recompression.span import BLOCK, Span, spool
from .selection.chooser import PlanFor, looks_random
from .selection.items import OPENING, Content
from .selection.saving import estimate

_OPENING = 16
_PATIENCE = 1 << 17  # bytes of pixels for which a model of bytes is tried
_SMALL = 1 << 16  # bytes of a picture of which xz may find what a quick look does not
_LOOKS, _LOOK = 8, 1 << 15  # pieces of a file that a quick look sees, and bytes of each
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)
_REMARKS = {
    "JPEG": "it is lossy: its pixels would take more than its coefficients",
    "GIF": "this packing is not undone",
}


@rounded_to_nearest
def compress_stream(
    src: BinaryIO,
    dst: Sink,
    *,
    models: ModelSource,
    model: str | None = None,
    frame_size: int = FRAME_SIZE,
    size_hint: int | None = None,
    progress: Progress | None = None,
    plan_for: PlanFor | None = None,
    steps: int | None = None,
    byte_exact: bool = True,
    keep_model: bool = False,
) -> Report:
    """Write all that `src` still has to `dst`, as one member: see `Encoder.encode`, which does it but for pictures.

    A PNG or lossless WebP, of at most 256 MiB, is unpacked, so that a model sees its pixels, where it can be packed
    again to the same bytes. It stays as it is where that is smaller, where a model was named that does not code images,
    and where it is broken, animated or lossy; the notes of the report say why.

    byte_exact  without it, a PNG or WebP comes back with the same pixels and chunks, but packed anew
    keep_model  see `Encoder`

    Raises RepackingError for a picture that would not be whole then.
    """
    encoder = Encoder(models, model, frame_size, progress, plan_for, steps, keep_model)
    source, opening = _peeked(src, _OPENING)
    kind = kind_of(opening)
    if kind is None or (model is not None and models.by_name(model).medium != "image"):
        return encoder.encode(source, dst, size_hint=size_hint)
    if kind in _REMARKS:
        return _noted(encoder.encode(source, dst, size_hint=size_hint), kind, _REMARKS[kind])
    file, source = _kept(source)

    def as_it_is() -> Report:
        file.rewound()
        return encoder.encode(source, dst, size_hint=size_hint)

    return _compress_picture(_Ways(file, encoder), kind, byte_exact, as_it_is, dst)


def _compress_picture(
    ways: _Ways, kind: str, byte_exact: bool, encode: Callable[[], Report], dst: Sink
) -> Report:
    """Write the picture of `ways` to `dst`: the smaller of unpacked and as it is, which `encode` does."""
    try:
        if ways.file.size > recipe.MAX_FILE:
            raise AsBytes("it is larger than 256 MiB")
        if not byte_exact and (reason := choice.broken_by_packing(ways.file)):
            raise RepackingError(
                f"this {kind} cannot be repacked: {reason}. Leave out --pixels (in Python, byte_exact=False)"
            )
        content, how = choice.byte_exact(ways.file) if byte_exact else choice.by_pixels(ways.file)
    except NotReproduced as reason:
        return ways.given_up(kind, str(reason), dst, byte_exact)
    except AsBytes as reason:
        try:
            return _noted(encode(), kind, str(reason))
        except UnsuitableContentError as error:
            raise UnsuitableContentError(f"{error}. This {kind} cannot be unpacked: {reason}") from error
    unpacked = ways.unpacked(content, how)
    if ways.may_pay_as_bytes(unpacked) and (packed := ways.as_bytes()).size <= unpacked.size:
        return _noted(packed.written(dst), kind, f"its pixels would take {unpacked.size} bytes")
    note = f"unpacked; {_PROMISES[repacking_of(how)]}"
    return replace(unpacked.written(dst), packed_size=ways.file.size, notes=(f"{kind}: {note}",))


_PROMISES = {
    "png": "its pixels and chunks come back, packed anew",
    "png-tuned": "its pixels and chunks come back, packed anew",
    "png-exact": "it comes back byte for byte, with the zlib that is here",
    "webp": "its pixels and chunks come back, packed anew",
}


def kind_of(opening: bytes) -> str | None:
    """What pictures that begin like this are called; None if it is none that is known."""
    if opening.startswith(b"RIFF") and opening[8:12] == b"WEBP":
        return "WebP"
    return next((name for signature, name in _SIGNATURES if opening.startswith(signature)), None)


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
    content = recipe.unpack(file)
    if kind_of(file.read(0, _OPENING)) != "WebP":
        return content
    return Span.of(webp.without_size(Unpacked.from_bytes(content.read(0, content.size))).to_bytes())


@dataclass(frozen=True)
class _Result:
    """A member, and what it is."""

    file: Span
    report: Report

    @property
    def size(self) -> int:
        return self.file.size

    def written(self, dst: Sink) -> Report:
        """Write it to `dst`; what it is."""
        for block in self.file.blocks(0, self.size):
            dst.write(block)
        return self.report


@dataclass(frozen=True)
class _Ways:
    """The ways to code the picture `file`."""

    file: Span
    encoder: Encoder

    def unpacked(self, content: Span, how: bytes) -> _Result:
        """Unpacked to `content`, with this recipe."""
        named, models = self.encoder.model is not None, self.encoder.models
        # Pixels are many times as large as the file, and a model of bytes would take minutes for what xz does well.
        seen = Content.of(content.read(0, OPENING), content.size)
        by_pixels = named or models.thorough or seen.default(models) is not None
        if not by_pixels and content.size > _PATIENCE:
            models = _NO_MODELS
        return _coded(replace(self.encoder, models=models), content, how)

    def as_bytes(self) -> _Result:
        """As it is: with models only if none was named and there is something to gain."""
        hopeless = self.encoder.model is not None or looks_random(self._looked_at())
        models = _NO_MODELS if hopeless else self.encoder.models
        return _coded(Encoder(models, frame_size=self.encoder.frame_size), self.file)

    def may_pay_as_bytes(self, unpacked: _Result) -> bool:
        """Whether it may be smaller as it is: xz takes no twentieth off what looks random, and is quick on the rest."""
        small = self.file.size < _SMALL
        return small or unpacked.size > 0.95 * self.file.size or not looks_random(self._looked_at())

    def given_up(self, kind: str, reason: str, dst: Sink, byte_exact: bool) -> Report:
        """Write it as it is, since it would not come back as was asked, and say why and what that costs."""
        packed = self.as_bytes()
        spared = (
            packed.size - self._estimate() if byte_exact and not choice.broken_by_packing(self.file) else 0
        )
        remedy = f"; --pixels would save about {_rounded(spared)} bytes" if spared > 0 else ""
        remark = f"coded as bytes: {reason}{remedy}"
        return replace(packed.written(dst), notes=(f"{kind}, {remark}",), remark=remark)

    def _estimate(self) -> int:
        """About how many bytes it would take unpacked."""
        return estimate(recipe.unpack(self.file), self.encoder.models, self.encoder.model)

    def _looked_at(self) -> bytes:
        """What a quick look sees of the file."""
        if self.file.size <= _LOOKS * _LOOK:
            return self.file.read(0, self.file.size)
        starts = range(0, self.file.size, self.file.size // _LOOKS)
        return b"".join(self.file.read(start, _LOOK) for start in starts)


def _coded(encoder: Encoder, content: Span, how: bytes = b"") -> _Result:
    out = spool()
    report = encoder.encode(content.rewound(), out, size_hint=content.size, recipe=how)
    return _Result(Span.whole(out), report)


def _rounded(count: int) -> int:
    """A number of bytes to two digits."""
    return int(float(f"{count:.2g}"))


class _NoModels:
    """A source of no models: what is coded with it becomes xz, or is stored."""

    def by_name(self, name: str) -> NoReturn:
        raise ModelNotFoundError(f"no model {name}")

    def by_fingerprint(self, fingerprint: bytes) -> NoReturn:
        raise ModelNotFoundError(f"no model {fingerprint.hex()}")

    def purposes(self) -> list[Purpose]:
        return []

    def default_for(self, content: bytes) -> str | None:
        return None

    def default_for_images(self) -> str | None:
        return None

    @property
    def thorough(self) -> bool:
        return False

    @property
    def threads(self) -> int:
        return 1


_NO_MODELS: ModelSource = _NoModels()


def _peeked(src: BinaryIO, size: int) -> tuple[BinaryIO, bytes]:
    """A source that still has all that `src` has, and how that begins: `size` bytes, or all."""
    here = src.tell() if src.seekable() else 0
    data = Reader(src).up_to(size)
    if src.seekable():
        src.seek(here)
        return src, data
    return cast(BinaryIO, Ahead(data, src)), data


def _kept(src: BinaryIO) -> tuple[Span, BinaryIO]:
    """All that `src` still has, or too much of it, as a file that can seek; and what reads on from its start."""
    size = remaining(src)
    if size is not None:
        return Span(src, src.tell(), size), src
    out, reader = spool(), Reader(src)
    while reader.at <= recipe.MAX_FILE and (block := reader.up_to(BLOCK)):
        out.write(block)
    file = Span.whole(out)
    return file, out if file.size <= recipe.MAX_FILE else cast(BinaryIO, _Chained(out, src))


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
    """The same with a note on why a picture stays as it is."""
    return replace(report, notes=(f"{kind}, coded as bytes: {reason}",))
