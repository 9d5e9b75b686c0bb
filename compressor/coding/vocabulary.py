"""What the symbols of a model stand for where the model says it: pieces of bytes, such as word pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .pmf import MAX_SYMBOLS

LONGEST = 255
"""Bytes that a piece can have."""


class Vocabulary:
    """The pieces of an alphabet: symbol k stands for the bytes of piece k.

    One piece may be empty. Its symbol is the escape, which stands for one byte that is sent beside the symbols. A
    vocabulary without an escape has to have each of the 256 bytes as a piece, so that it can spell any content. Several
    symbols may have the same piece.

    pieces   bytes of each symbol, 0 to 255 of them
    widths   bytes that each symbol stands for, 1 to 255: uint8 [K]
    escape   the symbol of the empty piece; None if there is none
    singles  whether each byte is a piece by itself: bool [256]

    Raises ValueError for pieces that cannot be: fewer than 2 or more than 65,536, a piece that is too long, two
    escapes, or a byte that cannot be spelled.
    """

    __slots__ = ("__weakref__", "escape", "pieces", "singles", "widths")

    def __init__(self, pieces: Sequence[bytes]) -> None:
        lengths = [len(piece) for piece in pieces]
        if not 2 <= len(pieces) <= MAX_SYMBOLS or max(lengths) > LONGEST:
            raise ValueError(
                f"a vocabulary of {len(pieces)} pieces of up to {max(lengths, default=0)} bytes; 2 to {MAX_SYMBOLS} "
                f"of up to {LONGEST} are possible"
            )
        if lengths.count(0) > 1:
            raise ValueError(f"a vocabulary has {lengths.count(0)} empty pieces; 1 is possible")
        self.pieces = tuple(pieces)
        self.escape = lengths.index(0) if 0 in lengths else None
        self.widths: NDArray[np.uint8] = np.maximum(np.array(lengths, np.uint8), np.uint8(1))
        self.singles: NDArray[np.bool_] = np.zeros(256, np.bool_)
        self.singles[[piece[0] for piece in pieces if len(piece) == 1]] = True
        if self.escape is None and not self.singles.all():
            missing = int(self.singles.argmin())
            raise ValueError(
                f"a vocabulary has neither a piece for the byte {missing} nor an empty one, the escape"
            )

    @classmethod
    def from_tensors(cls, data: NDArray[np.uint8], lengths: NDArray[np.uint8]) -> Vocabulary:
        """The vocabulary whose pieces have these lengths, uint8 [K], and lie end to end in `data`, uint8 [B].

        Raises ValueError for what the constructor refuses, and where the lengths do not add up to B.
        """
        ends = np.cumsum(lengths, dtype=np.int64)
        if (int(ends[-1]) if len(ends) else 0) != len(data):
            raise ValueError(f"the pieces of a vocabulary do not add up to its {len(data)} bytes")
        whole, starts = data.tobytes(), ends - lengths
        return cls([whole[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)])

    def to_tensors(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The bytes of all pieces, uint8 [B], and their lengths, uint8 [K]: the inverse of `from_tensors`."""
        lengths = np.array([len(piece) for piece in self.pieces], np.uint8)
        return np.frombuffer(b"".join(self.pieces), np.uint8), lengths

    def __len__(self) -> int:
        """The size of the alphabet, K."""
        return len(self.pieces)

    def spell(self, symbols: NDArray[np.unsignedinteger], escaped: bytes) -> bytes:
        """The bytes that symbols [n] stand for, with `escaped` for each escape."""
        return b"".join([self.pieces[symbol] or escaped for symbol in symbols.tolist()])
