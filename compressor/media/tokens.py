"""Pieces of a vocabulary, such as word pieces: what a symbol stands for is the model's to say.

A symbol is a piece of 1 to 255 bytes; the content is the pieces, one after the other. A byte that no piece spells is
an escape, the symbol of the empty piece, and stands in the side stream, in the order of the escapes:

    vocabulary "the", " ", "cat", "", "s"     "the cats!"  ->  0 1 2 4 3, side "!"

So a symbol stands for one byte at least, and the side stream has no more bytes than the content. An encoder may cut
the content as it likes, because a decoder needs nothing but the pieces. This one takes the longest piece each time.
"""

from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..coding.symbols import Symbols, symbol_type
from ..coding.vocabulary import LONGEST, Vocabulary
from ..errors import CorruptError

PER_SYMBOL = 4
"""Bytes of memory that `join` takes for each symbol, at most: its width, and whether it is an escape."""

_BLOCK = 1 << 12  # symbols that are spelled at a time, up to 1 MB of content


class Tokens(NamedTuple):
    """The medium of one vocabulary."""

    vocabulary: Vocabulary

    def split(self, data: bytes) -> tuple[Symbols, bytes]:
        """The symbols [n] of the longest pieces, from the start, and the bytes of the escapes."""
        index = _index(self.vocabulary)
        symbols, side, at, size = [], bytearray(), 0, len(data)
        blocks = [np.zeros(0, symbol_type(len(self.vocabulary)))]
        while at < size:
            symbol, width = index.longest(data[at : at + LONGEST])
            if width == 0:
                side.append(data[at])
            symbols.append(symbol)
            at += width or 1
            if len(symbols) == _BLOCK or at == size:
                blocks.append(np.array(symbols, blocks[0].dtype))
                symbols.clear()
        return np.concatenate(blocks), bytes(side)

    def join(self, symbols: Symbols, side: bytes, length: int) -> bytes:
        """The content again, of `length` bytes.

        Raises CorruptError for a symbol without a piece, another length, a side stream that is too long or too short,
        or a byte in it that is a piece: that has one spelling.
        """
        words = self.vocabulary
        if len(symbols) and int(symbols.max()) >= len(words):
            raise CorruptError(f"a symbol of a frame of tokens is outside 0..{len(words) - 1}")
        if int(words.widths[symbols].sum(dtype=np.int64)) != length:
            raise CorruptError("the pieces of a frame of tokens do not add up to its length")
        escapes = 0 if words.escape is None else int(np.count_nonzero(symbols == words.escape))
        if escapes != len(side):
            raise CorruptError(f"a frame of tokens has {escapes} escapes and {len(side)} bytes for them")
        if words.singles[np.frombuffer(side, np.uint8)].any():
            raise CorruptError("a frame of tokens escapes a byte that is a piece")
        out, at = bytearray(length), 0
        escaped = (side[i : i + 1] for i in range(len(side)))
        for start in range(0, len(symbols), _BLOCK):
            block = symbols[start : start + _BLOCK].tolist()
            part = b"".join([words.pieces[symbol] or next(escaped) for symbol in block])
            out[at : at + len(part)] = part
            at += len(part)
        return bytes(out)


class _Index:
    """Finds the longest piece that some bytes begin with.

    The pieces are sorted. The last one that is not behind the bytes has in common with them whatever piece they begin
    with, so that is the piece itself or one of those that it begins with in turn.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        numbers = {
            piece: symbol for symbol, piece in enumerate(vocabulary.pieces) if piece
        }  # the last of equals
        self._pieces = sorted(numbers)
        self._symbols = [numbers[piece] for piece in self._pieces]
        self._shorter = self._prefixes()
        self._escape = vocabulary.escape or 0  # not None wherever nothing is found

    def longest(self, data: bytes) -> tuple[int, int]:
        """The symbol of the longest piece that `data` begins with, and how long it is; the escape and 0 for none."""
        pieces = self._pieces
        i = bisect_right(pieces, data) - 1
        while i >= 0:
            if data.startswith(pieces[i]):
                return self._symbols[i], len(pieces[i])
            i = self._shorter[i]
        return self._escape, 0

    def _prefixes(self) -> list[int]:
        """For each piece the longest other piece that it begins with; -1 if there is none."""
        found: list[int] = []
        for i, piece in enumerate(self._pieces):
            before = i - 1
            while before >= 0 and not piece.startswith(self._pieces[before]):
                before = found[before]
            found.append(before)
        return found


@lru_cache(maxsize=4)
def _index(vocabulary: Vocabulary) -> _Index:
    """The index of a vocabulary, which takes a while to make for each frame anew."""
    return _Index(vocabulary)
