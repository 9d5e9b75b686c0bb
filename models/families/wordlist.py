"""The vocabulary in the weight file of a model of tokens: two tensors beside those of its family.

    vocabulary.bytes    uint8 [B]  the pieces, one behind the other
    vocabulary.lengths  uint8 [K]  their bytes, in the order of the symbols; 0 for the escape

So the vocabulary is part of the fingerprint, as all tensors are.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...compressor.coding.pmf import MAX_SYMBOLS
from ...compressor.coding.vocabulary import LONGEST, Vocabulary
from .. import checkpoint
from ..schema import Declared, Tensor
from .identity import TOKENS

BYTES, LENGTHS = "vocabulary.bytes", "vocabulary.lengths"


def declared(medium: str, found: Mapping[str, Tensor]) -> Declared:
    """The tensors of a vocabulary in a file that has the tensors ``found``; none for another medium.

    Raises ValueError for a vocabulary that is not there, or larger than one can be.
    """
    if medium != TOKENS:
        return {}
    if missing := {BYTES, LENGTHS} - found.keys():
        raise ValueError(f"it has no tensor {min(missing)}")
    pieces, lengths = found[BYTES].shape, found[LENGTHS].shape
    if not len(pieces) == len(lengths) == 1 or pieces[0] > LONGEST * lengths[0] or lengths[0] > MAX_SYMBOLS:
        raise ValueError(f"a vocabulary has tensors of the shapes {pieces} and {lengths}, which cannot be")
    return {BYTES: Tensor("uint8", pieces), LENGTHS: Tensor("uint8", lengths)}


def alphabet(found: Mapping[str, Tensor]) -> int | None:
    """The pieces of the vocabulary among the tensors ``found``; None if there is none."""
    return found[LENGTHS].shape[0] if LENGTHS in found else None


def taken(medium: str, arrays: checkpoint.Arrays) -> tuple[Vocabulary | None, checkpoint.Arrays]:
    """The vocabulary of a model of this medium, None where it has none, and the tensors beside it.

    Raises ValueError for a vocabulary that cannot be.
    """
    if medium != TOKENS:
        return None, arrays
    rest = {name: array for name, array in arrays.items() if name not in (BYTES, LENGTHS)}
    return Vocabulary.from_tensors(arrays[BYTES], arrays[LENGTHS]), rest


def tensors(vocabulary: Vocabulary) -> checkpoint.Arrays:
    """What the weight file of a model with this vocabulary has beside the tensors of the network."""
    return dict(zip((BYTES, LENGTHS), vocabulary.to_tensors(), strict=True))
