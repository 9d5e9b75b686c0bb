"""Arrays of bytes in .npy files (NumPy's format, versions 1 to 3): the items are the symbols, the header is the side.

    93 NUMPY, version, length | {'descr': '|u1', 'fortran_order': False, 'shape': (500, 32, 32, 3), }, spaces | items

Only the header of unsigned bytes in C order is taken off. Of any other content, and of an array from its second frame
on, all bytes are symbols. What a header says is matched, never evaluated or unpickled.
"""

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..coding.symbols import Symbols
from ..errors import CorruptError

LONGEST = 10_000
"""Bytes of a header's text; NumPy reads no longer ones either."""

_MAGIC = b"\x93NUMPY"
_WIDTHS = {b"\1\0": 2, b"\2\0": 4, b"\3\0": 4}  # version -> bytes of the length of the text
_START = len(_MAGIC) + 2
_PAIR = rb"""\s*(?P<quote>['"])(?P<key>descr|fortran_order|shape)(?P=quote)\s*:\s*(?:
    (?P<mark>['"])(?P<text>[\w<>|=\[\]]*)(?P=mark)  # '|u1'
    | (?P<word>True|False)
    | \((?P<numbers>(?:\s*\d{1,18}\s*,)*(?:\s*\d{1,18})?\s*)\)  # (500, 32, 32, 3)
    | (?P<fields>\[[^\]]*\])  # of a structured type
    )\s*(?:,|(?=\}))"""
_KINDS = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}


class ArrayHeader(NamedTuple):
    """The header of a .npy file.

    size     its bytes, up to the items
    type     of an item, as NumPy writes it: "|u1", "<f4"
    fortran  whether the first index runs fastest
    shape    of the array
    """

    size: int
    type: str
    fortran: bool
    shape: tuple[int, ...]

    @classmethod
    def read(cls, data: bytes) -> "ArrayHeader | None":
        """The header that `data` starts with; None if it starts with none, or with one NumPy would not write."""
        size = _extent(data)
        start = _START + _WIDTHS[data[6:8]] if size else 0
        if not 0 < size <= len(data) or size - start > LONGEST:
            return None
        pairs = _pairs(data[start:size].strip())
        if pairs.keys() != {"descr", "fortran_order", "shape"}:
            return None
        kind, order, shape = pairs["descr"], pairs["fortran_order"]["word"], pairs["shape"]["numbers"]
        if (kind["text"] is None and kind["fields"] is None) or order is None or shape is None:
            return None
        name = (kind["text"] or b"structured").decode("ascii")
        return cls(size, name, order == b"True", tuple(map(int, re.findall(rb"\d+", shape))))

    @property
    def is_plain(self) -> bool:
        """Whether the array is of unsigned bytes, in C order."""
        return self.type == "|u1" and not self.fortran

    def __str__(self) -> str:
        """`an array of shape [500, 28, 28], uint8`."""
        order = ", in Fortran order" if self.fortran else ""
        return f"an array of shape {list(self.shape)}, {_type_name(self.type)}{order}"


def split(data: bytes) -> tuple[NDArray[np.uint8], bytes]:
    """The items as symbols 0 .. 255, uint8 [n], and the header; or all bytes, and nothing."""
    header = ArrayHeader.read(data)
    at = header.size if header is not None and header.is_plain and header.size < len(data) else 0
    return np.frombuffer(data, np.uint8, offset=at), data[:at]


def join(symbols: Symbols, side: bytes, length: int) -> bytes:
    """The bytes again, of `length`. Raises CorruptError for a side stream that is no header, or a wrong length.

    It looks at no more of the header than where it ends: what is taken for a header may grow in a later version.
    """
    if len(side) + len(symbols) != length:
        raise CorruptError("header and items of an array frame do not add up to its length")
    if side and _extent(side) != len(side):
        raise CorruptError("the side stream of an array frame is not the header of an array")
    return side + symbols.tobytes()


def _extent(data: bytes) -> int:
    """Bytes of the .npy header that `data` starts with, by its own account; 0 for none."""
    width = _WIDTHS.get(data[len(_MAGIC) : _START])
    if not data.startswith(_MAGIC) or width is None or len(data) < _START + width:
        return 0
    return _START + width + int.from_bytes(data[_START : _START + width], "little")


def _pairs(text: bytes) -> dict[str, dict[str, bytes | None]]:
    """What stands in the text of a header, by key; nothing if it is not as it should be."""
    pairs: dict[str, dict[str, bytes | None]] = {}
    at, pair = 1, re.compile(_PAIR, re.VERBOSE)  # here, for few files are arrays
    while text.startswith(b"{") and (found := pair.match(text, at)) is not None:
        key = found["key"].decode()
        if key in pairs:
            return {}
        pairs[key] = found.groupdict()
        at = found.end()
    return pairs if text[at:].strip() == b"}" else {}


def _type_name(kind: str) -> str:
    """`uint8` for "|u1"."""
    found = re.fullmatch(r"[<>|=]([biufc])(\d+)", kind)
    if found is None:
        return f"of type {kind}"
    return "bool" if found[1] == "b" else f"{_KINDS[found[1]]}{8 * int(found[2])}"
