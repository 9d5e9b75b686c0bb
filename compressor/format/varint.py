"""Variable-length integers: 7 bits to a byte, low bits first, the top bit set on all bytes but the last.

Only the shortest form of a number is valid, so that a value has one representation. At most 9 bytes: 0 ..
2**63 - 1.
"""

from ..errors import CorruptError, TruncatedError

MAX_BYTES = 9


def encode(value: int) -> bytes:
    """The bytes of `value`, 0 <= value < 2**63."""
    if not 0 <= value < 1 << 63:
        raise ValueError(f"{value} does not fit a variable-length integer: expected 0 .. 2**63 - 1")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode(data: bytes, at: int) -> tuple[int, int]:
    """The number that starts at `data[at]` and the offset behind it.

    Raises TruncatedError when the data ends inside it, CorruptError when it is too long or not the shortest
    form.
    """
    value = 0
    for place in range(MAX_BYTES):
        if at + place >= len(data):
            raise TruncatedError("the data ends inside a number")
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            if byte == 0 and place > 0:
                raise CorruptError("a number is not written in its shortest form")
            return value, at + place + 1
    raise CorruptError(f"a number is longer than {MAX_BYTES} bytes")
