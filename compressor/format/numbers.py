"""The numbers that FORMAT.md gives to media and to the ways of packing a picture again, and the bounds beside them."""

from ..errors import NewerVersionError

MEDIA = {"bytes": 0, "text27": 1, "array": 2, "image": 3, "tokens": 4}
"""The number of each medium, by the name that a model states; it goes into files and is never used again."""

PNG, PNG_EXACT, WEBP, PNG_TUNED = range(4)
REPACKINGS = {PNG: "png", PNG_EXACT: "png-exact", WEBP: "webp", PNG_TUNED: "png-tuned"}
"""What listings call the ways of packing again: the first byte of what a packing frame holds."""

MAX_REPACKING = 1 << 24
"""Bytes that a packing frame can hold."""


def medium_of(number: int) -> str | None:
    """The name of the medium with this number; None if this version knows none."""
    return next((name for name, each in MEDIA.items() if each == number), None)


def side_limit(length: int) -> int:
    """The most bytes a side stream for `length` bytes of content can have, before it is compressed."""
    return 3 * length + 4096


def repacking_of(method: bytes) -> str:
    """How a packing frame that holds `method` packs again. Raises NewerVersionError for a way that is not known."""
    name = REPACKINGS.get(method[0]) if method else None
    if name is None:
        raise NewerVersionError(
            f"the file packs a picture in an unknown way, {method[:1].hex()}: install a newer catzip"
        )
    return name
