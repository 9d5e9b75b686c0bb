"""Unpacking and packing of pictures that are held as bytes."""

from catzip.compressor.recompression import choice, method
from catzip.compressor.recompression.span import Span


def unpack(data: bytes, byte_exact: bool) -> tuple[bytes, bytes]:
    """What a PNG or WebP file is unpacked to, and a repack method."""
    content, how = (choice.byte_exact if byte_exact else choice.by_pixels)(Span.of(data))
    return content.read(0, content.size), how


def pack(content: bytes, how: bytes, repack: bool = False) -> bytes:
    """The file that the repack method makes of this content."""
    return b"".join(method.pack(Span.of(content), how, repack))
