"""Content that is an array of items or an image, and the models that code just that."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..coding.model import Model, ModelSource, Purpose
from ..coding.symbols import Symbols
from ..errors import UnsuitableContentError
from ..media import formats, image, medium_for
from ..media.array import ArrayHeader
from ..media.look import Look
from ..media.raster import Raster
from .records import record_length

OPENING = formats.OPENING
"""Bytes of content that hold any header."""

_IMAGES = (
    "images, grey or colour, of 8 or 16 bits, in files of the kinds PNG, WebP (lossless), PNM, BMP, "
    "TIFF (uncompressed) and .npy"
)


def is_for_items(model: Model | Purpose) -> bool:
    """Whether a model codes nothing but arrays of its shape."""
    return model.medium == "array" and bool(model.shape)


def is_for_images(model: Model | Purpose) -> bool:
    """Whether a model codes nothing but images, of any size."""
    return model.medium == "image"


@dataclass(frozen=True)
class Content:
    """What is known of content from how it begins.

    header  of the .npy file that it is; None if it is none
    length  its bytes; None if that is not known yet
    raster  where its pixels are; None if it is no image
    """

    header: ArrayHeader | None
    length: int | None
    raster: Raster | None = None

    @classmethod
    def of(cls, opening: bytes, length: int | None, look: Look | None = None) -> "Content":
        """What content is that begins with `opening`, which is all of it or at least `OPENING` bytes.

        `look` sees the rest too; without it, an image whose header is not in the opening may be missed.
        """
        raster = formats.find(look or (lambda at, size: opening[at : at + size]))
        if raster is not None and length is not None and raster.part(0, length) is None:
            raster = None
        return cls(ArrayHeader.read(opening), length, raster)

    def holds(self, shape: Sequence[int]) -> bool:
        """Whether it is an array [N, *shape] of unsigned bytes and, as far as is known, nothing less or more."""
        header = self.header
        return (
            header is not None and header.is_plain and header.shape[1:] == tuple(shape) and not self._excess()
        )

    def suits(self, model: Model | Purpose) -> bool:
        """Whether a model can code it; those that are for neither items nor images can."""
        if is_for_images(model):
            return self.raster is not None
        return not is_for_items(model) or self.holds(model.shape)

    def suited(self, purposes: Iterable[Purpose]) -> list[str]:
        """The models of items that code it, then those of images."""
        fitting = [each for each in purposes if self.suits(each)]
        return [each.name for chosen in (is_for_items, is_for_images) for each in fitting if chosen(each)]

    def default(self, models: ModelSource) -> str | None:
        """The model for such items, or for images; None if it is neither, or there is none."""
        if self.header is not None:
            items = next(
                (each.name for each in models.purposes() if is_for_items(each) and self.suits(each)), None
            )
            if items is not None:
                return items
        return None if self.raster is None else models.default_for_images()

    def cut(self, model: Model, frame_size: int) -> tuple[int, int]:
        """Bytes of the first frame and of each other, at most `frame_size`.

        If they can, items or rows stay whole where the model codes such.
        """
        if is_for_images(model) and self.raster is not None:
            return self.raster.cut(frame_size)
        item, before = math.prod(model.shape), self.header.size if self.header else 0
        if not is_for_items(model) or not self.holds(model.shape) or not 0 < item <= frame_size - before:
            return frame_size, frame_size
        return before + (frame_size - before) // item * item, frame_size // item * item

    def part(self, start: int, length: int) -> Raster | None:
        """The whole rows of an image among `length` bytes from offset `start`; None if there are none."""
        return None if self.raster is None else self.raster.part(start, length)

    def split(self, model: Model, data: bytes, start: int) -> tuple[Symbols, bytes, tuple[int, ...]]:
        """The model's symbols [n] of `data`, which begins at offset `start`, the side stream, and their shape.

        Of an image that is (height, width, channels), of bytes in records (records, bytes of one), else ().
        """
        if not is_for_images(model):
            symbols, side = medium_for(model).split(data)
            record = record_length(symbols) if model.medium == "bytes" else 0
            return symbols, side, (len(symbols) // record, record) if record else ()
        part = self.part(start, len(data))
        return *image.split_part(data, part), () if part is None else part.shape

    def __str__(self) -> str:
        excess = self._excess()
        wrong = (
            f", with {excess} bytes behind its end"
            if excess > 0
            else f", of which {-excess} bytes are missing"
        )
        return f"{self.header or 'not an array in a .npy file'}{wrong if excess else ''}"

    def _excess(self) -> int:
        """Bytes that there are more than the header says; 0 where that is not known."""
        if self.header is None or not self.header.is_plain or self.length is None:
            return 0
        return self.length - self.header.size - math.prod(self.header.shape)


def check_fit(content: Content, model: Model, models: ModelSource, length: int | None) -> None:
    """Raise UnsuitableContentError if this content, of `length` bytes, is not what `model` codes and nothing else."""
    content = replace(content, length=length)
    if content.suits(model):
        return
    fitting = content.suited(models.purposes())
    remedy = (
        f"models for it: {', '.join(fitting)}"
        if fitting
        else "leave the model (-m) out to have it chosen by the content"
    )
    if is_for_images(model):
        this, codes = str(content.header or "not such an image"), _IMAGES
    else:
        this, codes = str(content), f"arrays of shape {_shown(model.shape)}, uint8"
    raise UnsuitableContentError(f"this is {this}; the model {model.name} codes {codes}; {remedy}")


def _shown(shape: Sequence[int]) -> str:
    """[N, 32, 32, 3]."""
    return f"[{', '.join(['N', *map(str, shape)])}]"
