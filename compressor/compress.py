"""Compression of whatever a file is: a packed picture is unpacked first, where that makes it smaller."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO, cast

from .coding.model import ModelSource
from .coding.rounding import rounded_to_nearest
from .encoder import FRAME_SIZE, Encoder
from .format.reader import Ahead, Reader
from .format.report import Progress, Report, Sink
from .recompression.kinds import OPENING, kind_of
from .selection.chooser import PlanFor

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
    source, opening = _peeked(src, OPENING)
    kind = kind_of(opening)
    if kind is None or (model is not None and models.by_name(model).medium != "image"):
        return encoder.encode(source, dst, size_hint=size_hint)
    if kind in _REMARKS:
        report = encoder.encode(source, dst, size_hint=size_hint)
        return replace(report, notes=(f"{kind}, coded as bytes: {_REMARKS[kind]}",))
    from .pictures import compress_picture  # which most files do without

    return compress_picture(source, dst, kind, encoder, byte_exact, size_hint)


def _peeked(src: BinaryIO, size: int) -> tuple[BinaryIO, bytes]:
    """A source that still has all that `src` has, and how that begins: `size` bytes, or all."""
    here = src.tell() if src.seekable() else 0
    data = Reader(src).up_to(size)
    if src.seekable():
        src.seek(here)
        return src, data
    return cast(BinaryIO, Ahead(data, src)), data
