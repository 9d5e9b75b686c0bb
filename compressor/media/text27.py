"""Text as 27 symbols, the alphabet of text8 (0 = space, 1 .. 26 = a .. z), plus what that loses.

Letters A-Z become a-z, and every run of other bytes becomes one space:

    "Call me Ishmael. Some"  ->  "call me ishmael some"

The side stream restores the rest. The text is read as pairs (gap, word): the bytes of a run, and the case
of the letters behind it. A text that starts with a letter has a virtual gap, noted as one space, before its
first word; one that ends with a gap has an empty word after it, noted as lower case. Ordinary pairs are
few, and full stop with capital go together, so the pairs are numbered by frequency and the stream is a
table and one number for each pair:

    side   = empty, if every pair is (" ", lower); else
             varint entries, entry * entries, planes, masks
    entry  = varint length of the gap (at least 1), case byte, gap
    planes = the numbers of all pairs, as one byte string for each byte they need, most significant first;
             they need as many bytes as (entries - 1) does, at least 1
    masks  = for each word of mixed case, one bit for each letter (1 = capital), top bit first, padded with 0

`side` is compressed by whoever stores it. Capitals and punctuation of English prose then cost about 0.35
bits for each byte of text.
"""

import re
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..coding.symbols import Symbols
from ..errors import CorruptError
from ..format import varint

LOWER, TITLE, UPPER, MIXED = range(
    4
)  # case of a word: none, only the first, all (two or more), anything else

_SPACE = b" "
_DEFAULT = bytes([LOWER]) + _SPACE
_CODES = np.zeros(256, np.uint8)  # symbol of each byte
_CODES[ord("a") : ord("z") + 1] = np.arange(1, 27)
_CODES[ord("A") : ord("Z") + 1] = np.arange(1, 27)
_LETTER = re.compile(rb"[A-Za-z]")
_CAPITAL_BIT = 0x20  # between "A" and "a"

_STROKE = 1 << 20

PER_SYMBOL = 72
"""Bytes of memory that `join` takes for each symbol, at most: arrays of places, of 8 bytes each."""

Entry = bytes
"""A pair: one byte for the case of the word, then the gap before it."""


def split(data: bytes) -> tuple[NDArray[np.uint8], bytes]:
    """The 27-symbol skeleton, uint8 [n], and the side stream."""
    content = np.frombuffer(data, np.uint8)
    codes = _CODES[content]
    letter = codes != 0
    after_gap = np.concatenate([[False], ~letter[:-1]]) if len(data) else letter
    symbols = codes[letter | ~after_gap]  # a gap keeps its first byte
    capital = letter & (content < ord("a"))
    gaps = _gaps(data, letter, after_gap)
    words = _Words.of(symbols)
    flags = capital[letter]  # [letters], in the order of the words
    cases = words.cases(flags)  # [pairs]
    if len(gaps) == 0 and not cases.any():
        return symbols, b""
    pairs = [bytes((case,)) + gaps.get(i, _SPACE) for i, case in enumerate(cases.tolist())]
    return symbols, _pack(pairs, words.masks(flags, cases))


def join(symbols: Symbols, side: bytes, length: int) -> bytes:
    """The text again, of `length` bytes. Raises CorruptError if `split` makes no such side stream for these
    symbols.
    """
    if len(symbols) and int(symbols.max()) > 26:
        raise CorruptError("a symbol of a text frame is outside 0..26")
    words = _Words.of(symbols)
    entries, numbers, masks = _unpack(side, words.pairs)
    sizes = np.array([len(entry) - 1 for entry in entries], np.int64)[numbers]  # [pairs]
    if words.virtual and entries[numbers[0]][1:] != _SPACE:
        raise CorruptError("the virtual gap of a text frame is not noted as one space")
    sizes = sizes[words.virtual :]
    spaces = symbols == 0
    if int(sizes.sum()) + int((~spaces).sum()) != length:
        raise CorruptError("the gaps of a text frame do not add up to its length")
    width = np.ones(len(symbols), np.int64)
    width[spaces] = sizes
    start = np.cumsum(width) - width  # where each symbol's bytes start
    out = np.zeros(length, np.uint8)
    cases = np.array([entry[0] for entry in entries], np.uint8)[numbers]
    capitals = words.capitals(cases, masks)
    out[start[~spaces]] = symbols[~spaces] + (ord("a") - 1) - _CAPITAL_BIT * capitals
    _fill_gaps(out, start[spaces], numbers[words.virtual :], entries)
    return out.tobytes()


def _gaps(data: bytes, letter: NDArray[np.bool_], after_gap: NDArray[np.bool_]) -> dict[int, bytes]:
    """The gaps that are not one space, by the number of their pair."""
    virtual = int(len(data) > 0 and bool(letter[0]))
    starts = np.flatnonzero(~letter & ~after_gap)
    ends = np.append(np.flatnonzero(letter & after_gap), len(data))[: len(starts)]
    plain = (ends - starts == 1) & (np.frombuffer(data, np.uint8)[starts] == ord(_SPACE))
    odd = np.flatnonzero(~plain)
    spans = zip((odd + virtual).tolist(), starts[odd].tolist(), ends[odd].tolist(), strict=True)
    return {pair: data[start:end] for pair, start, end in spans}


def _fill_gaps(
    out: NDArray[np.uint8], starts: NDArray[np.int64], numbers: NDArray[np.int64], entries: list[Entry]
) -> None:
    """Write the gap of each pair at its start, about `_STROKE` bytes at a time so that index arrays stay small."""
    table = np.frombuffer(b"".join(entries), np.uint8)
    length = np.array([len(entry) for entry in entries], np.int64)
    source = (np.cumsum(length) - length + 1)[
        numbers
    ]  # where each pair's gap is in the table, behind the case
    size = length[numbers] - 1
    for pair in np.flatnonzero(size >= _STROKE).tolist():
        start, first = int(starts[pair]), int(source[pair])
        out[start : start + int(size[pair])] = table[first : first + int(size[pair])]
    short = size < _STROKE
    starts, source, size = starts[short], source[short], size[short]
    ends = np.cumsum(size)
    cuts = np.searchsorted(ends, np.arange(_STROKE, int(ends[-1]) if len(ends) else 0, _STROKE)).tolist()
    for first, last in pairwise([0, *cuts, len(starts)]):
        part = slice(first, last)
        if first == last:
            continue
        inner = np.arange(int(size[part].sum())) - np.repeat(
            ends[part] - size[part] - ends[first] + size[first], size[part]
        )
        out[np.repeat(starts[part], size[part]) + inner] = table[np.repeat(source[part], size[part]) + inner]


def _pack(pairs: list[Entry], masks: bytes) -> bytes:
    """The side stream of these pairs."""
    number = Counter(pairs)
    entries = sorted(number, key=lambda entry: (-number[entry], entry))
    for i, entry in enumerate(entries):
        number[entry] = i
    table = b"".join(varint.encode(len(entry) - 1) + entry for entry in entries)
    numbers = np.fromiter((number[pair] for pair in pairs), np.int64, len(pairs))
    planes = [
        (numbers >> 8 * plane & 0xFF).astype(np.uint8) for plane in reversed(range(_planes(len(entries))))
    ]
    return varint.encode(len(entries)) + table + b"".join(plane.tobytes() for plane in planes) + masks


def _planes(entries: int) -> int:
    """How many bytes the number of a pair takes."""
    return max(1, ((entries - 1).bit_length() + 7) // 8)


def _unpack(side: bytes, pairs: int) -> tuple[list[Entry], NDArray[np.int64], bytes]:
    """Entries, number of each pair int64 [pairs], masks. Raises CorruptError."""
    if not side:
        return [_DEFAULT], np.zeros(pairs, np.int64), b""
    count, at = varint.decode(side, 0)
    if not 1 <= count <= pairs:
        raise CorruptError(f"the side stream of a text frame has {count} entries for {pairs} pairs")
    entries: list[Entry] = []
    for _ in range(count):
        size, at = varint.decode(side, at)
        entry = side[at : at + 1 + size]
        if size == 0 or len(entry) != 1 + size or entry[0] > MIXED or _LETTER.search(entry, 1):
            raise CorruptError("the side stream of a text frame has an impossible entry")
        entries.append(entry)
        at += 1 + size
    numbers = np.zeros(pairs, np.int64)
    for _ in range(_planes(count)):
        plane = np.frombuffer(side[at : at + pairs], np.uint8)
        if len(plane) != pairs:
            raise CorruptError("the side stream of a text frame ends early")
        numbers = numbers << 8 | plane
        at += pairs
    if int(numbers.max()) >= count:
        raise CorruptError("the side stream of a text frame names an entry that it does not have")
    return entries, numbers, side[at:]


class _Words(NamedTuple):
    """Where the words of a skeleton are, counted in letters.

    pairs    how many (gap, word) pairs there are
    virtual  1 if the first gap is the virtual one, else 0
    lengths  letters of each word, int64 [pairs]; only the last can be 0
    """

    pairs: int
    virtual: int
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, symbols: NDArray[np.uint8]) -> "_Words":
        """The words of `symbols` [n]. Raises CorruptError for two spaces in a row, which no skeleton has."""
        spaces = np.flatnonzero(symbols == 0)
        if len(spaces) > 1 and int(np.diff(spaces).min()) == 1:
            raise CorruptError("a text frame has two spaces in a row")
        virtual = int(len(symbols) > 0 and symbols[0] != 0)
        starts = np.concatenate([[-1] * virtual, spaces]).astype(np.int64)
        return cls(len(starts), virtual, np.diff(starts, append=len(symbols)) - 1)

    def cases(self, flags: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """The case of each word, uint8 [pairs], from one flag for each letter (True = capital)."""
        ends = np.cumsum(self.lengths)
        before = np.concatenate([[0], np.cumsum(flags)])  # capitals before each letter
        capitals = before[ends] - before[ends - self.lengths]
        first = np.append(flags, False)[ends - self.lengths] & (self.lengths > 0)
        cases = np.full(self.pairs, MIXED, np.uint8)
        cases[capitals == self.lengths] = UPPER
        cases[first & (capitals == 1)] = TITLE
        cases[capitals == 0] = LOWER
        return cases

    def masks(self, flags: NDArray[np.bool_], cases: NDArray[np.uint8]) -> bytes:
        """The flags of the letters of words of mixed case, packed."""
        return np.packbits(flags[np.repeat(cases == MIXED, self.lengths)]).tobytes()

    def capitals(self, cases: NDArray[np.uint8], masks: bytes) -> NDArray[np.uint8]:
        """One flag for each letter, uint8: the inverse of `cases` and `masks`. Raises CorruptError."""
        flags = np.repeat(cases == UPPER, self.lengths).astype(np.uint8)
        titles = (cases == TITLE) & (self.lengths > 0)
        flags[(np.cumsum(self.lengths) - self.lengths)[titles]] = 1
        mixed = np.repeat(cases == MIXED, self.lengths)
        count = int(mixed.sum())
        if len(masks) != (count + 7) // 8:
            raise CorruptError("the side stream of a text frame has the wrong length")
        bits = np.unpackbits(np.frombuffer(masks, np.uint8))
        flags[mixed] = bits[:count]
        if bits[count:].any() or (self.cases(flags != 0) != cases).any():
            raise CorruptError("the side stream of a text frame does not note case as it is")
        return flags
