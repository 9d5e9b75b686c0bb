"""Whether bytes lie in records of one length, as tables of numbers, bitmaps and programs do, and of which."""

import numpy as np

from ..coding.symbols import Symbols

LONGEST = 1024  # bytes of a record that is looked for
_USUAL = 8  # bytes of a record where no length stands out: machine words, and what compilers align to
_SAMPLE = 1 << 15  # bytes that are looked at, in the middle
_BINARY = 0.07  # the share of bytes that no text has, from which on content is binary
_OFTEN, _STANDS_OUT = 0.1, 1.2  # the share of bytes that must repeat, and how many times that at `_USUAL`
_NEARLY = 0.9  # of the most repeats: what a multiple of the record may have beyond the record itself
_NO_TEXT = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))


def record_length(symbols: Symbols) -> int:
    """Bytes of a record in ``symbols`` [n], 2 to `LONGEST`; 0 for text, and for what is too short to tell."""
    start = max(0, (len(symbols) - _SAMPLE) // 2)
    sample = symbols[start : start + _SAMPLE]
    data = sample.tobytes()
    if len(data) < 4 * _USUAL or len(data) - len(data.translate(None, _NO_TEXT)) < _BINARY * len(data):
        return 0
    # The most frequent byte repeats at every distance: it does not count.
    counts = np.bincount(sample, minlength=256)
    shown = np.flatnonzero(sample != counts.argmax()).astype(np.uint32)
    distances = np.arange(2, min(LONGEST, len(sample) // 4) + 1)
    shares = np.array([_repeats(sample, shown, distance) for distance in distances.tolist()])
    best = shares.max()
    if best < _OFTEN or best < _STANDS_OUT * shares[_USUAL - 2]:
        return _USUAL
    return int(distances[shares >= _NEARLY * best][0])


def _repeats(sample: Symbols, shown: Symbols, distance: int) -> float:
    """The share of the bytes at the places ``shown`` that were the same at this distance."""
    places = shown[np.searchsorted(shown, distance) :]
    same = np.count_nonzero(sample[places] == sample[places - distance])
    return same / len(places) if len(places) else 0.0
