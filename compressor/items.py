"""Content that is an array of items, such as images, and the models that code items of just that shape."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .errors import UnsuitableContentError
from .media.array import LONGEST, Header
from .model import Model, ModelSource, Purpose

OPENING = LONGEST + 12
"""Bytes of content that hold any header."""


def is_for_items(model: Model | Purpose) -> bool:
    """Whether a model codes nothing but arrays of its shape."""
    return model.medium == "array" and bool(model.shape)


@dataclass(frozen=True)
class Content:
    """What is known of content from how it begins.

    header  of the .npy file that it is; None if it is none
    length  its bytes; None if that is not known yet
    """

    header: Header | None
    length: int | None

    @classmethod
    def of(cls, opening: bytes, length: int | None) -> "Content":
        """Of content that begins with `opening`, which is all of it or at least `OPENING` bytes."""
        return cls(Header.read(opening), length)

    def holds(self, shape: Sequence[int]) -> bool:
        """Whether it is an array [N, *shape] of unsigned bytes and, as far as is known, nothing less or more."""
        header = self.header
        return (
            header is not None and header.is_plain and header.shape[1:] == tuple(shape) and not self._excess()
        )

    def suited(self, purposes: Iterable[Purpose]) -> list[str]:
        """The models of items that code it."""
        return [each.name for each in purposes if is_for_items(each) and self.holds(each.shape)]

    def cut(self, shape: Sequence[int], frame_size: int) -> tuple[int, int]:
        """Bytes of the first frame and of each other, at most `frame_size`, so that items stay whole if they can."""
        item, before = math.prod(shape), self.header.size if self.header else 0
        if not self.holds(shape) or not 0 < item <= frame_size - before:
            return frame_size, frame_size
        return before + (frame_size - before) // item * item, frame_size // item * item

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
    """Raise UnsuitableContentError if `model` codes items and this content, of `length` bytes, is no array of them."""
    content = replace(content, length=length)
    if not is_for_items(model) or content.holds(model.shape):
        return
    fitting = content.suited(models.purposes())
    remedy = (
        f"models for it: {', '.join(fitting)}"
        if fitting
        else "leave the model (-m) out to have it chosen by the content"
    )
    raise UnsuitableContentError(
        f"this is {content}; the model {model.name} codes arrays of shape {_shown(model.shape)}, uint8; {remedy}"
    )


def _shown(shape: Sequence[int]) -> str:
    """[N, 32, 32, 3]."""
    return f"[{', '.join(['N', *map(str, shape)])}]"
