"""Unpacking and packing of pictures that are held as bytes."""

from catzip.compressor.recompression import choice
from catzip.compressor.recompression import method as recipe
from catzip.compressor.recompression.span import Span


def unpack(data: bytes, byte_exact: bool) -> tuple[bytes, bytes]:
    """What a PNG or WebP file is unpacked to, and a recipe."""
    content, how = (choice.byte_exact if byte_exact else choice.by_pixels)(Span.of(data))
    return content.read(0, content.size), how


def pack(content: bytes, how: bytes, repack: bool = False) -> bytes:
    """The file that the recipe makes of this content."""
    return b"".join(recipe.pack(Span.of(content), how, repack))
