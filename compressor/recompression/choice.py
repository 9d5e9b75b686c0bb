"""Which repack method a picture gets: every one that is given was followed once, with the limits that a decoder has."""

from collections.abc import Iterator
from itertools import islice

from ..errors import CatzipError
from ..format import numbers
from . import chunks, deflate, method, png, webp
from .asbytes import AsBytes, NotReproduced
from .content import PictureContent
from .exact import Exact, checksum
from .form import OPENING, Shape
from .png import Opened
from .settings import TRIAL, candidates
from .span import Span, spool
from .tuned import Tuned

GROWTH = 0.01
"""By how much a PNG that is packed anew may be larger than it was."""

_WHOLE = 16  # settings that are tried on a whole file
_FLAT = 200  # bytes of pixels to one of the file, from which on the file takes least as it is
_SMALL = 1 << 16  # bytes of a file for which that is not so


def byte_exact(file: Span) -> tuple[Span, bytes]:
    """What a PNG or WebP file is unpacked to, and the repack method that makes the same bytes again.

    Raises AsBytes for a file that cannot be unpacked, NotReproduced for one that could, but has no such method.
    """
    if _is_webp(file):
        method.unpack(file)
        raise NotReproduced("WebP is not made again byte for byte")
    opened = _opened(file)
    return opened.content.span, _exact(opened)


def by_pixels(file: Span) -> tuple[Span, bytes]:
    """What a PNG or WebP file is unpacked to, and a repack method for the same pixels and chunks.

    A PNG does not become larger by more than a hundredth with the zlib here. Raises AsBytes for a file that cannot be
    unpacked, NotReproduced for one that would grow.
    """
    if _is_webp(file):
        return method.unpack(file), bytes([numbers.WEBP])
    opened = _opened(file)
    content = opened.content.span
    for how in _anew(opened):
        packed = spool()
        for piece in method.pack(content, how):
            packed.write(piece)
        made = Span.whole(packed)
        if made.size <= file.size * (1 + GROWTH) and method.unpack(made).same_as(content):
            return content, how
    try:
        return content, _exact(opened)
    except NotReproduced as error:
        raise NotReproduced(
            f"packed anew, the PNG would be larger by more than {100 * GROWTH:.0f} %"
        ) from error


def broken_by_packing(file: Span) -> str:
    """Why a PNG or WebP file would not be whole with its pixels packed otherwise; empty if it would, or is broken."""
    try:
        return webp.broken_by_packing(file) if _is_webp(file) else chunks.cut(file).broken_by_packing
    except AsBytes:
        return ""


def _is_webp(file: Span) -> bool:
    return file.read(0, len(webp.RIFF)) == webp.RIFF


def _opened(file: Span) -> Opened:
    """A PNG, unpacked. Raises AsBytes for one that cannot be, or is better left as it is."""
    shape = Shape.of_png(file.read(0, OPENING))
    if shape is not None and shape.size > _FLAT * max(_SMALL, file.size):
        raise AsBytes("its pixels are so alike that they compress best as they are")
    return png.unpack(file)


def _exact(opened: Opened) -> bytes:
    """The repack method that makes the same bytes again. Raises NotReproduced."""
    content, kinds, stream = opened.content, opened.kinds, _stream(opened)
    plain = _first(content.filtered(kinds), TRIAL + 1)
    tries = candidates(stream.read(0, 2 * TRIAL), plain[:TRIAL], len(plain) <= TRIAL)
    file = opened.parts.span
    for settings in islice(tries, _WHOLE):
        if not _same(settings.deflate(content.filtered(kinds)), stream):
            continue
        check = checksum(file.blocks(0, file.size))
        exact = Exact(settings, deflate.VERSION, kinds.tobytes(), opened.parts.runs, check)
        return _verified(bytes([numbers.PNG_EXACT]) + exact.to_bytes(), content, stream)
    raise NotReproduced(f"zlib {deflate.VERSION} does not make its compressed pixels again, at any setting")


def _verified(how: bytes, content: PictureContent, stream: Span) -> bytes:
    """The same repack method, once it was read and followed as a decoder would. Raises NotReproduced if none could."""
    try:
        exact = Exact.from_bytes(how[1:], png.lines(content.facts.shape))
        exact.assemble(content, stream)
    except CatzipError as error:
        raise NotReproduced("its chunks are more than a repack method can have") from error
    if len(how) > numbers.MAX_REPACKING:
        raise NotReproduced("its repack method would be too long")
    return how


def _stream(opened: Opened) -> Span:
    """The zlib stream of a file, without the chunks around it."""
    out = spool()
    for block in opened.parts.stream():
        out.write(block)
    return Span.whole(out, opened.content.span.look_up)


def _same(pieces: Iterator[bytes], stream: Span) -> bool:
    """Whether these are the bytes of the stream; False as soon as they are not."""
    at = 0
    for piece in pieces:
        if stream.read(at, len(piece)) != piece:
            return False
        at += len(piece)
    return at == stream.size


def _anew(opened: Opened) -> Iterator[bytes]:
    """Repack methods for the same pixels and chunks, the one that takes no parameters first."""
    yield bytes([numbers.PNG])
    for tuned in Tuned.tries(opened.content, opened.kinds):
        yield bytes([numbers.PNG_TUNED]) + tuned.to_bytes()


def _first(pieces: Iterator[bytes], count: int) -> bytes:
    """The first `count` bytes, or all."""
    held: list[bytes] = []
    left = count
    for piece in pieces:
        held.append(piece[:left])
        left -= len(held[-1])
        if not left:
            break
    return b"".join(held)
