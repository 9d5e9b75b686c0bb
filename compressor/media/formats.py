"""Where the pixels are in files that hold an image uncompressed: unpacked PNG and WebP, PNM, BMP, TIFF, .npy.

Grey or colour, with alpha or without, 8 or 16 bits. Anything else (a palette, fewer bits, other colours) is no image.
What is found here decides how well a file is coded, and never whether it comes back.
"""

import re
import struct

from ..recompression.kinds import MAGICS
from . import tiff
from .array import LONGEST, ArrayHeader
from .look import Look
from .raster import Raster

OPENING = LONGEST + 12
"""Bytes at the start of a file that hold any of the headers, but that of a TIFF, which can be anywhere."""

_GAP = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+"
_PNM = re.compile(rb"P([56])%b(\d{1,9})%b(\d{1,9})%b(255|65535)[ \t\r\n\v\f]" % (_GAP, _GAP, _GAP))
_GREYS = bytes(value for grey in range(256) for value in (grey, grey, grey, 0))  # a palette of BMP
_MASKS = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)  # of R, G, B in a BMP: as where no masks are
_RGB, _BITFIELDS = 0, 3  # how a BMP is packed
_INDEX = 3  # the colour type of a PNG with a palette


def find(look: Look) -> Raster | None:
    """The image in a file; None if there is none. That its rows are all there is not known then."""
    opening = look(0, OPENING)
    for read in (_unpacked, _pnm, _bmp, _npy):
        raster = read(opening)
        if raster is not None:
            return raster
    return tiff.find(look)


def _unpacked(opening: bytes) -> Raster | None:
    """The raster of a PNG or a WebP in its unpacked form."""
    if not opening.startswith(tuple(MAGICS)):
        return None
    from ..recompression import form  # which most files do without

    facts = form.Facts.read(opening)
    if facts is None or facts.shape.bits < 8 or facts.shape.colour == _INDEX:
        return None
    shape = facts.shape
    return Raster(facts.start, shape.height, shape.width, shape.channels, wide=shape.bits == 16)


def _pnm(opening: bytes) -> Raster | None:
    """The raster of a binary PGM (P5) or PPM (P6)."""
    found = _PNM.match(opening)
    if found is None:
        return None
    kind, width, height, most = map(int, found.groups())
    if not (width and height):
        return None
    return Raster(found.end(), height, width, 3 if kind == 6 else 1, wide=most == 65535)


def _bmp(opening: bytes) -> Raster | None:
    """The raster of a BMP of 24 or 32 bits, or of 8 where the palette is all greys."""
    if not opening.startswith(b"BM") or len(opening) < 54:
        return None
    start, size, width, height, planes, bits, packing = struct.unpack_from("<IIiiHHI", opening, 10)
    masks = packing == _BITFIELDS and bits == 32 and opening[54:66] == _MASKS
    greys = bits == 8 and opening[14 + size :].startswith(_GREYS)
    if planes != 1 or size < 40 or width < 1 or not height or not (packing == _RGB or masks):
        return None
    if bits not in (24, 32) and not greys:
        return None
    samples = bits // 8
    return Raster(start, abs(height), width, samples, -width * samples % 4, swapped=samples > 1)


def _npy(opening: bytes) -> Raster | None:
    """The raster of an array [H, W], [H, W, C] or [N, H, W, C] of unsigned bytes, with C = 1, 3 or 4."""
    header = ArrayHeader.read(opening)
    if header is None or not header.is_plain or not 2 <= len(header.shape) <= 4 or 0 in header.shape:
        return None
    *images, height, width, samples = (*header.shape, 1) if len(header.shape) == 2 else header.shape
    if samples not in (1, 3, 4):
        return None
    return Raster(header.size, height * (images[0] if images else 1), width, samples)
