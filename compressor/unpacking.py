"""Compression of whatever a file is: a packed picture is unpacked first, where that makes it smaller."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO, NoReturn, cast

from ..rounding import rounded_to_nearest
from .chooser import PlanFor, looks_random
from .encoder import FRAME_SIZE, Encoder
from .errors import ModelNotFoundError, UnsuitableContentError
from .items import Content
from .model import ModelSource, Purpose
from .packing import recipe, webp
from .packing.asbytes import AsBytes, NotReproduced
from .packing.form import Unpacked
from .reader import Ahead, Reader
from .report import Progress, Report, Sink

_OPENING = 16
_PATIENCE = 1 << 17  # bytes of pixels for which a model of bytes is tried
_SMALL = 1 << 16  # bytes of a picture of which xz may find what a quick look does not
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
    byte_exact: bool = False,
) -> Report:
    """Write all that `src` still has to `dst`, as one member: see `Encoder.encode`, which does it but for pictures.

    A PNG or lossless WebP, of at most 256 MiB, is held in memory and unpacked, so that a model sees its pixels. It
    comes back with the same pixels and chunks, but packed anew. It stays as it is where that is smaller, where a model
    was named that does not code images, and where it is broken, animated or lossy; the notes of the report say why.

    byte_exact  have a PNG come back byte for byte; one that cannot, and a WebP, stays as it is
    """
    encoder = Encoder(models, model, frame_size, progress, plan_for, steps)
    source, opening = _peeked(src, _OPENING)
    kind = kind_of(opening)
    if kind is None or (model is not None and models.by_name(model).medium != "image"):
        return encoder.encode(source, dst, size_hint=size_hint)
    if kind in _REMARKS:
        return _noted(encoder.encode(source, dst, size_hint=size_hint), kind, _REMARKS[kind])
    source, data = _peeked(source, recipe.MAX_FILE + 1)
    as_it_is = partial(encoder.encode, source, dst, size_hint=size_hint)
    return _compress_picture(_Ways(data, encoder), kind, byte_exact, as_it_is, dst)


def _compress_picture(
    ways: _Ways, kind: str, byte_exact: bool, encode: Callable[[], Report], dst: Sink
) -> Report:
    """Write the picture of `ways` to `dst`: the smaller of unpacked and as it is, which `encode` does."""
    try:
        if len(ways.data) > recipe.MAX_FILE:
            raise AsBytes("it is larger than 256 MiB")
        content, how = recipe.unpack(ways.data, byte_exact)
    except NotReproduced as reason:
        packed = ways.as_bytes()
        return _noted(_written(packed, dst), kind, f"{reason}{ways.cost(packed)}")
    except AsBytes as reason:
        try:
            return _noted(encode(), kind, str(reason))
        except UnsuitableContentError as error:
            raise UnsuitableContentError(f"{error}. This {kind} cannot be unpacked: {reason}") from error
    unpacked = ways.unpacked(content, how)
    if ways.may_pay_as_bytes(unpacked) and (packed := ways.as_bytes()).size <= unpacked.size:
        return _noted(_written(packed, dst), kind, f"its pixels would take {unpacked.size} bytes")
    note = f"unpacked; {_PROMISES[recipe.name_of(how)]}"
    return replace(_written(unpacked, dst), packed_size=len(ways.data), notes=(f"{kind}: {note}",))


_PROMISES = {
    "png": "its pixels and chunks come back, packed anew: --byte-exact keeps its packing too",
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
    try:
        return _picture(one) == _picture(other)
    except AsBytes:
        return False


def _picture(data: bytes) -> Unpacked:
    """What is in a PNG or WebP file, however it is packed. Raises AsBytes."""
    content, _ = recipe.unpack(data, False)
    unpacked = Unpacked.from_bytes(content)
    return webp.without_size(unpacked) if unpacked.kind == "webp" else unpacked


@dataclass(frozen=True)
class _Result:
    """A member, as bytes, and what it is."""

    blob: bytes
    report: Report

    @property
    def size(self) -> int:
        return len(self.blob)


@dataclass(frozen=True)
class _Ways:
    """The ways to code the picture `data`."""

    data: bytes
    encoder: Encoder

    def unpacked(self, content: bytes, how: bytes) -> _Result:
        """Unpacked to `content`, with this recipe."""
        named, models = self.encoder.model is not None, self.encoder.models
        # Pixels are many times as large as the file, and a model of bytes would take minutes for what xz does well.
        by_pixels = named or models.thorough or Content.of(content, len(content)).default(models) is not None
        if not by_pixels and len(content) > _PATIENCE:
            models = _NO_MODELS
        return _coded(replace(self.encoder, models=models), content, how)

    def as_bytes(self) -> _Result:
        """As it is: with models only if none was named and there is something to gain."""
        hopeless = self.encoder.model is not None or looks_random(self.data)
        models = _NO_MODELS if hopeless else self.encoder.models
        return _coded(Encoder(models, frame_size=self.encoder.frame_size), self.data)

    def may_pay_as_bytes(self, unpacked: _Result) -> bool:
        """Whether it may be smaller as it is: xz takes no twentieth off what looks random, and is quick on the rest."""
        small = len(self.data) < _SMALL
        return small or unpacked.size > 0.95 * len(self.data) or not looks_random(self.data)

    def cost(self, packed: _Result) -> str:
        """What it costs that the picture is coded as bytes, `packed`, to stay the same byte for byte: a remark."""
        spared = packed.size - self.unpacked(*recipe.unpack(self.data, False)).size
        return f"; that costs {spared} bytes" if spared > 0 else ""


def _coded(encoder: Encoder, content: bytes, how: bytes = b"") -> _Result:
    out = io.BytesIO()
    report = encoder.encode(io.BytesIO(content), out, recipe=how)
    return _Result(out.getvalue(), report)


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


def _written(result: _Result, dst: Sink) -> Report:
    dst.write(result.blob)
    return result.report


def _noted(report: Report, kind: str, reason: str) -> Report:
    """The same with a note on why a picture stays as it is."""
    return replace(report, notes=(f"{kind}, coded as bytes: {reason}",))
