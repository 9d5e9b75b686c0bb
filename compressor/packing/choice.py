"""Which recipe a picture gets: every one that is given was followed once, with the limits that a decoder has."""

from collections.abc import Iterator
from itertools import islice

from ..errors import CatzipError
from . import chunks, deflate, png, recipe, webp
from .asbytes import AsBytes, NotReproduced
from .exact import Exact, checksum
from .png import Opened
from .settings import TRIAL, candidates
from .span import Span, spool
from .tuned import Tuned

GROWTH = 0.01
"""By how much a PNG that is packed anew may be larger than it was."""

_WHOLE = 4  # settings that are tried on a whole file


def byte_exact(file: Span) -> tuple[Span, bytes]:
    """What a PNG or WebP file is unpacked to, and the recipe that makes the same bytes again.

    Raises AsBytes for a file that cannot be unpacked, NotReproduced for one that could, but without such a recipe.
    """
    if _is_webp(file):
        recipe.unpack(file)
        raise NotReproduced("WebP is not made again byte for byte")
    opened = png.unpack(file)
    return opened.content.span, _exact(opened)


def by_pixels(file: Span) -> tuple[Span, bytes]:
    """What a PNG or WebP file is unpacked to, and a recipe for the same pixels and chunks.

    A PNG does not become larger by more than a hundredth with the zlib here. Raises AsBytes for a file that cannot be
    unpacked, or would grow.
    """
    if _is_webp(file):
        return recipe.unpack(file), bytes([recipe.WEBP])
    opened = png.unpack(file)
    content = opened.content.span
    for how in _anew(opened):
        packed = spool()
        for piece in recipe.pack(content, how):
            packed.write(piece)
        made = Span.whole(packed)
        if made.size <= file.size * (1 + GROWTH) and recipe.unpack(made).same_as(content):
            return content, how
    try:
        return content, _exact(opened)
    except NotReproduced as error:
        raise AsBytes(f"packed anew it would be larger by more than {GROWTH:.0%}") from error


def broken_by_packing(file: Span) -> str:
    """Why a PNG or WebP file would not be whole with its pixels packed otherwise; empty if it would, or is broken."""
    try:
        return webp.broken_by_packing(file) if _is_webp(file) else chunks.cut(file).broken_by_packing
    except AsBytes:
        return ""


def _is_webp(file: Span) -> bool:
    return file.read(0, len(webp.RIFF)) == webp.RIFF


def _exact(opened: Opened) -> bytes:
    """The recipe that makes the same bytes again. Raises NotReproduced."""
    file, content, kinds = opened.parts.span, opened.content, opened.kinds
    plain = _first(content.filtered(kinds), TRIAL + 1)
    stream = _first(opened.parts.stream(), 2 * TRIAL)
    whole = len(plain) <= TRIAL
    check = b""
    for settings in islice(candidates(stream, plain[:TRIAL], whole), _WHOLE):
        check = check or checksum(file.blocks(0, file.size))
        exact = Exact(settings, deflate.VERSION, kinds.tobytes(), opened.parts.runs, check)
        how = bytes([recipe.PNG_EXACT]) + exact.to_bytes()
        if len(how) <= recipe.MAX_RECIPE and _makes(content.span, how, file):
            return how
    raise NotReproduced(f"zlib {deflate.VERSION} does not make its compressed pixels again, at any setting")


def _makes(content: Span, how: bytes, file: Span) -> bool:
    """Whether the recipe makes this file of the content."""
    try:
        pieces = recipe.pack(content, how)
    except CatzipError:
        return False
    at = 0
    for piece in pieces:
        if file.read(at, len(piece)) != piece:
            return False
        at += len(piece)
    return at == file.size


def _anew(opened: Opened) -> Iterator[bytes]:
    """Recipes for the same pixels and chunks, the one that takes no parameters first."""
    yield bytes([recipe.PNG])
    for tuned in Tuned.tries(opened.kinds.tobytes()):
        yield bytes([recipe.PNG_TUNED]) + tuned.to_bytes()


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
