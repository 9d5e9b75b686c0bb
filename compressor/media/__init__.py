"""Media: what kind of content a model codes, and how a file becomes its symbols and back.

A medium splits bytes into symbols, which the model codes, and a side stream of whatever else it takes to
restore the bytes. The law: join(*split(data), len(data)) == data for every data. `join` trusts nothing it
is given. Most media are the same for every model; what the symbols of `tokens` stand for, the model says. So
whoever has a model asks `medium_for`. To add a medium, write its module, its line in `MEDIA` and its number in
`format/numbers.py`.
"""

from collections.abc import Callable
from typing import NamedTuple

from ..coding.model import ALPHABETS, Model
from ..coding.symbols import Symbols
from ..format import numbers
from . import array, image, raw, text27, tokens


class Medium(NamedTuple):
    """One way to see a file.

    wire      its number in files, 0 .. 15
    alphabet  how many symbols there are, at most 65,536
    split     data -> (symbols [n] of the type that `symbol_type` has for the alphabet, side), with n <= len(data) and
              len(side) <= `numbers.side_limit`(len(data))
    per_byte, per_symbol  what `join` takes of memory, at most, for each byte of the data and for each symbol
    join      (symbols, side, length) -> the data, of `length` bytes; raises CorruptError
    """

    wire: int
    alphabet: int
    split: Callable[[bytes], tuple[Symbols, bytes]]
    join: Callable[[Symbols, bytes, int], bytes]
    per_byte: int = 2
    per_symbol: int = 0

    def memory(self, symbols: int, length: int) -> int:
        """Bytes of memory that `join` takes for this many symbols and bytes of data, at the most."""
        return self.per_byte * length + self.per_symbol * symbols


MEDIA: dict[str, Medium] = {
    "bytes": Medium(wire=numbers.MEDIA["bytes"], alphabet=ALPHABETS["bytes"], split=raw.split, join=raw.join),
    "text27": Medium(
        wire=numbers.MEDIA["text27"],
        alphabet=ALPHABETS["text27"],
        split=text27.split,
        join=text27.join,
        per_byte=3,
        per_symbol=text27.PER_SYMBOL,
    ),
    "array": Medium(
        wire=numbers.MEDIA["array"], alphabet=ALPHABETS["array"], split=array.split, join=array.join
    ),
    "image": Medium(
        wire=numbers.MEDIA["image"], alphabet=ALPHABETS["image"], split=image.split, join=image.join
    ),
}
"""Every medium that is the same for all models, by the name that a model states."""

TOKENS = "tokens"
"""The medium whose symbols are the pieces of the model's vocabulary."""


def medium_for(model: Model) -> Medium:
    """The medium of a model, with its vocabulary if it has one."""
    if model.vocabulary is None:
        return MEDIA[model.medium]
    medium = tokens.Tokens(model.vocabulary)
    return Medium(
        wire=numbers.MEDIA[TOKENS],
        alphabet=len(model.vocabulary),
        split=medium.split,
        join=medium.join,
        per_symbol=tokens.PER_SYMBOL,
    )
