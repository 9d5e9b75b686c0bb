"""What the pipeline tells about a file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from .container import Frame
from .numbers import PNG_EXACT, REPACKINGS
from .reader import Reader

Progress = Callable[[int, int | None], None]
"""Called with the bytes of content done, and in all if that is known."""


class Sink(Protocol):
    """What output is written to."""

    def write(self, data: bytes, /) -> object:
        """Write all of `data`."""
        ...


@dataclass(frozen=True)
class Report:
    """A file, as compressed, decompressed, verified or listed.

    content_size  bytes of content
    file_size     bytes of the catzip file
    frames        every frame, in order
    packed_size   where the content is an unpacked picture, bytes of that picture as it was read or written, and of
                  all else in the file; else, and where it is not known, None
    notes         what there is to say of how pictures were coded, for people
    padding       zero bytes behind the end of the file, which are no part of it
    remark        what is to be said in any case, for people; empty if nothing is
    """

    content_size: int
    file_size: int
    frames: tuple[Frame, ...]
    packed_size: int | None = None
    notes: tuple[str, ...] = ()
    padding: int = 0
    remark: str = ""

    @classmethod
    def of(cls, reader: Reader, frames: Iterable[Frame]) -> "Report":
        """The report on a file that is read to its end as `frames` is consumed."""
        seen = tuple(frames)
        size = reader.at - reader.padding
        return cls(sum(frame.length for frame in seen), size, seen, padding=reader.padding)

    @property
    def outer_size(self) -> int:
        """Bytes of what was compressed, or decompressed, as far as that is known."""
        return self.content_size if self.packed_size is None else self.packed_size

    @property
    def is_packed_anew(self) -> bool:
        """Whether a picture comes back with the same pixels and chunks, but perhaps not byte for byte."""
        return any(frame.packing not in (None, REPACKINGS[PNG_EXACT]) for frame in self.frames)

    @property
    def ratio(self) -> float:
        """Content size to file size."""
        return self.content_size / self.file_size

    @property
    def fingerprints(self) -> tuple[bytes, ...]:
        """The models it takes to decode the file, in order of appearance."""
        return tuple(dict.fromkeys(frame.fingerprint for frame in self.frames if frame.fingerprint))

    @property
    def side_size(self) -> int:
        """Bytes of the file that restore what models do not see, such as capitals in a 27-symbol text."""
        return sum(frame.side for frame in self.frames)


Listing = Report
"""What `list_frames` gives: the same facts, from the heads of the frames alone."""
