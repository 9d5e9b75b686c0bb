"""The wire format: members, frame heads, content checksums. FORMAT.md is its specification."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..errors import CorruptError, NewerVersionError, NotCatzipError, TruncatedError
from . import lzma2, trailer, varint
from .numbers import MAX_REPACKING, MEDIA, medium_of
from .reader import BLOCK, Reader

MAGIC = b"\x89CZ\r\n"  # not ASCII, and changed by any conversion of line ends
VERSION = 1
HEADER = MAGIC + bytes([VERSION])

END, STORED, XZ, CODED, PACKING = range(5)
KINDS = {STORED: "stored", XZ: "xz", CODED: "coded", PACKING: "packing"}

CHECK_SIZE = 8
FINGERPRINT_SIZE = 8
MAX_FRAME = (
    1 << 26
)  # content of an xz or coded frame; a stored frame, which is never held whole, has no limit
MAX_RATIO = 1 << 21  # content of a coded frame for each byte of its payload
_MAX_SHIFT = 62  # largest power of two a stored piece can be


class Head(NamedTuple):
    """What stands before the payload of a frame.

    kind         STORED, XZ, CODED or PACKING
    medium       name of the medium of a coded frame, else None
    fingerprint  of the model of a coded frame, else None
    length       bytes of content; 0 for a stored frame, which tells piece by piece, and for one of packing
    size         bytes of payload; 0 for a stored frame
    """

    kind: int
    medium: str | None = None
    fingerprint: bytes | None = None
    length: int = 0
    size: int = 0

    def to_bytes(self) -> bytes:
        """The head as it stands in the file."""
        wire = MEDIA[self.medium] if self.medium else 0
        tag = bytes([wire << 4 | self.kind]) + (self.fingerprint or b"")
        length = b"" if self.kind == PACKING else varint.encode(self.length)
        return tag if self.kind == STORED else tag + length + varint.encode(self.size)


class Frame(NamedTuple):
    """A frame of a file. Offsets count from the start of the file and of the content.

    kind         "stored", "xz", "coded" or "packing"
    offset, size bytes of the whole frame in the file
    start, length  bytes of the content; none of a packing frame
    check        its checksum; of a packing frame, of the repack method
    medium, fingerprint  of a coded frame, else None
    symbols, side  of a coded frame, else 0: how many symbols are coded, what the side stream takes in the
    file
    plan         of a coded frame, else empty: see `compressor.model.Plan`
    packing      of a packing frame, else None: how the content of its member is packed, for example "png"
    """

    kind: str
    offset: int
    size: int
    start: int
    length: int
    check: bytes
    medium: str | None = None
    fingerprint: bytes | None = None
    symbols: int = 0
    side: int = 0
    plan: tuple[int, ...] = ()
    packing: str | None = None


class Body(NamedTuple):
    """What is known of a frame beyond its head: see `Frame`."""

    length: int
    check: bytes
    symbols: int = 0
    side: int = 0
    plan: tuple[int, ...] = ()
    packing: str | None = None


def frame_of(head: Head, body: Body, offset: int, size: int, start: int) -> Frame:
    """The frame with this head and body at this place."""
    return Frame(
        kind=KINDS[head.kind],
        offset=offset,
        size=size,
        start=start,
        length=body.length,
        check=body.check,
        medium=head.medium,
        fingerprint=head.fingerprint,
        symbols=body.symbols,
        side=body.side,
        plan=body.plan,
        packing=body.packing,
    )


def checksum(data: bytes) -> bytes:
    """The checksum of a frame's content."""
    return hashlib.blake2b(data, digest_size=CHECK_SIZE).digest()


def read_frames(
    reader: Reader, take: Callable[[Head], Body], end: Callable[[], None] = lambda: None
) -> Iterator[Frame]:
    """Every frame of every member, in order.

    `take` is called with each head and reads the rest of that frame from the reader, its checksum included; `end` is
    called behind each member.
    Raises the errors of errors.py for anything FORMAT.md does not allow; what is damaged in a frame is told with its
    place, see `in_frame`.
    """
    start, number = 0, 0
    while _enter_member(reader, start):
        origin = reader.at - len(HEADER)
        entries: list[trailer.Entry] = []
        while True:
            offset, number = reader.at, number + 1
            with in_frame(number, offset):
                head = read_head(reader)
                if head is None:
                    break
                if head.kind == PACKING and entries:
                    raise CorruptError("a packing frame is not the first of its member")
                body = take(head)
            if len(entries) == trailer.MAX_FRAMES:
                raise CorruptError(f"a member has more than {trailer.MAX_FRAMES} frames")
            entries.append((reader.at - offset, body.length))
            yield frame_of(head, body, offset, reader.at - offset, start)
            start += body.length
        number -= 1  # the end of a member is no frame
        expected = trailer.pack(entries, reader.at - 1 - origin)
        if reader.exactly(len(expected) - 1) != expected[1:]:
            raise CorruptError("the index at the end does not match the frames before it")
        end()


@contextmanager
def in_frame(number: int, offset: int) -> Iterator[None]:
    """Say of damage that is found meanwhile which frame of the file it is in, from 1, and where that begins.

    A file that ends early is told of by where it ends.
    """
    try:
        yield
    except TruncatedError:
        raise
    except CorruptError as error:
        raise CorruptError(f"frame {number} at byte {offset}: {error}") from error


def check_header(header: bytes, first: bool) -> None:
    """Raise unless these bytes, at the start of a file or behind a member, are the header of a member."""
    if not header.startswith(MAGIC[: len(header)]) or not header:
        if first:
            raise NotCatzipError("not a catzip file")
        raise CorruptError("a member does not begin as one")
    if len(header) < len(HEADER):
        raise TruncatedError("the file ends inside its header")
    version = header[len(MAGIC)]
    if version == 0:
        raise CorruptError("the file states format version 0, which does not exist")
    if version > VERSION:
        raise NewerVersionError(
            f"the file has format version {version}, this catzip knows {VERSION}: install a newer catzip"
        )


def stored_pieces(reader: Reader) -> Iterator[int]:
    """The lengths of the pieces of a stored frame; read each piece before asking for the next."""
    total = 0
    while size := reader.varint():
        length = 1 << size if size <= _MAX_SHIFT else size - _MAX_SHIFT
        if piece_head(length) != varint.encode(size):
            raise CorruptError("the length of a stored piece is not written in its one spelling")
        total += length
        if total >= 1 << 63:
            raise CorruptError("a stored frame is longer than 2**63 bytes")
        yield length
    if not total:
        raise CorruptError("a stored frame is empty")


def skip_stored(reader: Reader) -> int:
    """Pass over the pieces of a stored frame; the length of its content."""
    total = 0
    for length in stored_pieces(reader):
        reader.skip(length)
        total += length
    return total


def piece_head(length: int) -> bytes:
    """What stands before a stored piece of this length, in the fewest bytes."""
    if length > 1 and length & (length - 1) == 0:
        return varint.encode(length.bit_length() - 1)
    return varint.encode(length + _MAX_SHIFT)


def _enter_member(reader: Reader, content: int) -> bool:
    """Read the header of the next member; False at the end of the file, behind `content` bytes of content."""
    end = reader.at
    header = reader.up_to(len(HEADER))
    if end:
        if _is_padding(header, reader):
            reader.padding = reader.at - end
            return False
        if not header.startswith(MAGIC[: len(header)]):
            raise CorruptError(
                f"there are bytes behind the end of the file that are no catzip file. What stands before them, {end} "
                f"bytes with {content} bytes of content, is whole: catzip cat writes that to standard output"
            )
    check_header(header, first=not end)
    return True


def _is_padding(opening: bytes, reader: Reader) -> bool:
    """Whether nothing but zero bytes, or nothing, begins like this: as of tapes and padded transfers."""
    block = opening
    while block and block == bytes(len(block)):
        block = reader.up_to(BLOCK)
    return not block


def read_head(reader: Reader) -> Head | None:
    """The next head, or None at the end of the member."""
    tag = reader.exactly(1)[0]
    kind, wire = tag & 0xF, tag >> 4
    if kind > PACKING:
        raise NewerVersionError(f"the file has a frame of unknown kind {kind}: install a newer catzip")
    if kind != CODED and wire:
        raise CorruptError("reserved bits of a frame are not zero")
    if kind == END:
        return None
    if kind == STORED:
        return Head(STORED)
    if kind == PACKING:
        return Head(PACKING, size=_recipe_size(reader))
    medium = medium_of(wire) if kind == CODED else None
    if kind == CODED and medium is None:
        raise NewerVersionError(f"the file has a medium of unknown number {wire}: install a newer catzip")
    fingerprint = reader.exactly(FINGERPRINT_SIZE) if kind == CODED else None
    length, size = reader.varint(), reader.varint()
    if not 1 <= length <= MAX_FRAME:
        raise CorruptError(f"a frame states a length of {length}; 1 to {MAX_FRAME} is possible")
    if not 1 <= size < length or length > size * (lzma2.MAX_RATIO if kind == XZ else MAX_RATIO):
        raise CorruptError(f"a frame states {size} bytes of payload for {length} bytes of content")
    return Head(kind, medium, fingerprint, length, size)


def _recipe_size(reader: Reader) -> int:
    """Bytes of payload of a packing frame."""
    size = reader.varint()
    if not 1 <= size <= MAX_REPACKING:
        raise CorruptError(
            f"a packing frame states {size} bytes of payload; 1 to {MAX_REPACKING} is possible"
        )
    return size
