"""About what an unpacked picture would take, from a look at some of its rows."""

from dataclasses import replace

from . import lzma2
from .items import OPENING, Content
from .media.image import split_part
from .media.raster import Raster
from .model import ModelSource
from .packing.span import Span
from .probe import probe

_SAMPLE = 1 << 19  # bytes of rows that are looked at


def estimate(content: Span, models: ModelSource, name: str | None) -> int:
    """About how many bytes the unpacked picture would take, with the model `name`, or the one for images."""
    raster = Content.of(content.read(0, OPENING), content.size).raster
    default = models.default_for_images() if name is None else name
    if raster is None or default is None:
        start = max(0, (content.size - _SAMPLE) // 2)
        sample = content.read(start, _SAMPLE)
        return lzma2.rough_size(sample) * content.size // max(1, len(sample))
    rows, part = _middle(content, raster)
    symbols, side = split_part(rows, part)
    model = models.by_name(default)
    bits = probe(model, symbols, part.shape) * len(symbols)
    coded = min(bits / 8, lzma2.rough_size(symbols.tobytes())) + lzma2.rough_size(side)
    return round(coded * raster.height / part.height)


def _middle(content: Span, raster: Raster) -> tuple[bytes, Raster]:
    """Rows from the middle of an image, and how these lie."""
    height = max(1, min(raster.height, _SAMPLE // raster.stride))
    first = (raster.height - height) // 2
    rows = content.read(raster.start + first * raster.stride, height * raster.stride)
    return rows, replace(raster, start=0, height=height)
