"""Repack methods: how an unpacked picture is packed again. What a packing frame holds.

format (1) | parameters of the format: none but for a PNG that comes back byte for byte, see exact.py, or is packed with
             settings of its own, see tuned.py
"""

from collections.abc import Iterator

from ..errors import CorruptError
from ..format.numbers import PNG, PNG_EXACT, PNG_TUNED, REPACKINGS, WEBP, repacking_of
from . import png, webp
from .asbytes import AsBytes
from .content import PictureContent
from .exact import Exact
from .form import Unpacked
from .kinds import MAX_CONTENT
from .span import Span
from .tuned import Tuned

_STRIPS = 1 << 27  # bytes of memory that strips take, at the most

MAX_FILE = MAX_CONTENT + (1 << 20)
"""Bytes of a file that is looked at: deflate makes nothing much larger."""


def memory(method: bytes, size: int) -> int:
    """About how many bytes of memory `pack` takes for content of `size` bytes. A PNG is packed in strips; libwebp
    holds about 40 bytes for each pixel."""
    return 14 * size if repacking_of(method) == REPACKINGS[WEBP] else _STRIPS


def pack(content: Span, method: bytes, repack: bool = False) -> Iterator[bytes]:
    """The file that `content` is the unpacked form of, a piece at a time.

    repack  pack a PNG anew where the repack method would make the same bytes again

    Raises, before any piece, CorruptError; PackingError where the zlib here does not make the same bytes;
    MissingDependencyError.
    """
    picture, name = PictureContent.read(content), repacking_of(method)
    if name.partition("-")[0] != picture.facts.kind:
        raise CorruptError(
            f"a repack method for {name} does not fit its content, which is {picture.facts.kind}"
        )
    if name in (REPACKINGS[PNG], REPACKINGS[WEBP]) and len(method) > 1:
        raise CorruptError("a repack method is longer than it should be")
    if name == REPACKINGS[WEBP]:
        return iter([webp.pack(Unpacked.from_bytes(content.read(0, content.size)))])
    lines = png.lines(picture.facts.shape)
    if name == REPACKINGS[PNG_EXACT]:
        exact = Exact.from_bytes(method[1:], lines)
        if not repack:
            return exact.pack(picture)
    tuned = Tuned.from_bytes(method[1:], lines) if name == REPACKINGS[PNG_TUNED] else None
    stream = tuned.stream(picture) if tuned else png.anew(picture)
    return png.assemble(picture, stream, [(stream.size, 1)])


def unpack(file: Span) -> Span:
    """What a PNG or WebP file is unpacked to (see form.py), however it is packed. Raises AsBytes if it cannot be."""
    if file.read(0, len(webp.RIFF)) != webp.RIFF:
        return png.unpack(file).content.span
    content = webp.unpack(file.read(0, file.size)).to_bytes()
    if len(content) > MAX_CONTENT:
        raise AsBytes(f"its pixels and chunks are {len(content)} bytes, more than {MAX_CONTENT}")
    return Span.of(content)
