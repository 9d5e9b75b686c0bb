"""The settings of zlib that made a stream, found by trying them on how it begins."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import product

from .deflate import HEAD, STEP, ZlibSettings

TRIAL = 1 << 22
"""Bytes of the beginning that settings are tried on, before they are tried on all of it: 4 MiB."""

_BUDGET = 1 << 27  # bytes deflated for trials of one stream in all, about 3 seconds
_ENOUGH = 1 << 15  # bytes of a stream that are hardly ever right by chance
_STEP = 1 << 12  # bytes between two looks at whether the result is still right
_FIXED = (
    1  # the type of a block whose codes are fixed, in bits 1 and 2 of a stream; 0 is that of a stored one
)
_MEMORIES = ((9, 8), range(7, 0, -1))  # nearly everyone has zlib's own, or libpng's and Pillow's
_MIN_LOOKAHEAD = 262  # bytes that a match does not reach back in a window


def candidates(stream: bytes, plain: bytes, whole: bool) -> Iterator[ZlibSettings]:
    """Settings that make `stream` of `plain`, as far as that was tried, the likely ones first.

    plain   how that begins which the stream holds
    stream  how it begins, as long as `plain` can become, or longer
    whole   whether that is all
    """
    left = _BUDGET
    wrong: dict[tuple[int, int, int], tuple[int, int]] = {}
    for settings in _all(stream, len(plain)):
        others = settings.level, settings.memory, settings.strategy
        window, place = wrong.get(others, (0, 0))
        if place and place <= (1 << min(window, settings.window)) - _MIN_LOOKAHEAD:
            continue  # so far, another window makes no difference
        place, same = _tried(settings, stream, plain, whole)
        if same:
            yield settings
        else:
            wrong[others] = settings.window, place
        left -= place
        if left < 0:
            return


def _tried(settings: ZlibSettings, stream: bytes, plain: bytes, whole: bool) -> tuple[int, bool]:
    """How much of `plain` was deflated, and whether all that came was right, or enough of it."""
    packer = zlib.compressobj(
        settings.level, zlib.DEFLATED, -settings.window, settings.memory, settings.strategy
    )
    place, step = HEAD, _STEP if settings.level else STEP
    for at in range(0, len(plain), step):
        piece = packer.compress(plain[at : at + step])
        if not stream.startswith(piece, place):
            return at + step, False
        place += len(piece)
        if place > _ENOUGH:
            return at + step, True
    return len(plain), not whole or stream.startswith(packer.flush(), place)


def _all(stream: bytes, length: int) -> Iterator[ZlibSettings]:
    """Every setting that can make a difference to so many bytes and fits the type of the first block."""
    head = stream[:HEAD]
    fixed = len(stream) > HEAD and stream[HEAD] >> 1 & 3 <= _FIXED
    stated = max(9, 8 + (head[0] >> 4))
    first = dict.fromkeys((stated, 15))
    windows = [
        each for each in range(15, 8, -1) if each not in first and (1 << each) - _MIN_LOOKAHEAD < length
    ]
    likely = _as_the_head_says(head[1] >> 6, fixed)
    others = [each for each in _levels(range(10), fixed) if each not in likely]
    for memories, kinds, sizes in (
        (_MEMORIES[0], likely, first),
        (_MEMORIES[1], likely, first),
        (_MEMORIES[0], others, first),
        (_MEMORIES[0], likely, windows),
        (_MEMORIES[0], others, windows),
        (_MEMORIES[1], likely, windows),
        (_MEMORIES[1], others, (*first, *windows)),
    ):
        for memory, window, (level, strategy) in product(memories, sizes, kinds):
            yield ZlibSettings(head, level, memory, strategy, window)


def _as_the_head_says(kind: int, fixed: bool) -> list[tuple[int, int]]:
    """Levels and strategies for which zlib writes this kind of level, 0 .. 3, into the head."""
    if kind == 0:
        return _levels((1, 0), False) + _OF_NO_LEVEL + list(product(range(9, 0, -1), [zlib.Z_FIXED] * fixed))
    return _levels(((2, 3, 4, 5), (6,), (9, 8, 7))[kind - 1], fixed) + _OF_NO_LEVEL


def _levels(levels: Iterable[int], fixed: bool) -> list[tuple[int, int]]:
    """These levels, each with every strategy to which it matters."""
    strategies = [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, *[zlib.Z_FIXED] * fixed]
    return list(product(levels, strategies))


_OF_NO_LEVEL = list(product((6,), (zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY)))
