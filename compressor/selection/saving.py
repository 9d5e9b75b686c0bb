"""About what an unpacked picture would take, from a look at some of its rows."""

from ..coding.model import ModelSource
from ..format import lzma2
from ..media.image import split_part
from ..media.raster import Raster
from ..recompression.span import Span
from .items import OPENING, Content
from .probing import probe

_BANDS = 4
_BAND = 1 << 19  # bytes of rows in each


def estimate(content: Span, models: ModelSource, name: str | None) -> int:
    """About how many bytes the unpacked picture would take, with the model `name`, or the one for images."""
    raster = Content.of(content.read(0, OPENING), content.size).raster
    default = models.default_for_images() if name is None else name
    if raster is None or default is None:
        sample = _sample(content, Raster(0, content.size, 1, 1))
        return lzma2.rough_size(sample) * content.size // len(sample)
    rows = _sample(content, raster)
    part = raster._replace(start=0, height=len(rows) // raster.stride)
    symbols, side = split_part(rows, part)
    bits = probe(models.by_name(default), symbols, part.shape) * len(symbols)
    coded = min(bits / 8, lzma2.rough_size(symbols.tobytes())) + lzma2.rough_size(side)
    return round(coded * raster.height / part.height)


def _sample(content: Span, raster: Raster) -> bytes:
    """Rows from all over an image, or all of it."""
    height = max(1, _BAND // raster.stride)
    if _BANDS * height >= raster.height:
        return content.read(raster.start, raster.height * raster.stride)
    starts = (band * (raster.height - height) // (_BANDS - 1) for band in range(_BANDS))
    bands = (content.read(raster.start + start * raster.stride, height * raster.stride) for start in starts)
    return b"".join(bands)
