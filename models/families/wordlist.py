"""The vocabulary in the weight file of a model of tokens: two tensors beside those of its family.

    vocabulary.bytes    uint8 [B]  the pieces, one behind the other
    vocabulary.lengths  uint8 [K]  their bytes, in the order of the symbols; 0 for the escape

So the vocabulary is part of the fingerprint, as all tensors are.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...compressor.coding.vocabulary import LONGEST, Vocabulary
from .. import checkpoint
from ..schema import Declared, Tensor
from .identity import TOKENS

BYTES, LENGTHS = "vocabulary.bytes", "vocabulary.lengths"


def declared(medium: str, found: Mapping[str, Tensor]) -> Declared:
    """The tensors of a vocabulary in a file that has the tensors ``found``; none for another medium.

    Raises ValueError for a vocabulary that is larger than one can be.
    """
    if medium != TOKENS:
        return {}
    sizes = [found[name].shape if name in found else (0,) for name in (BYTES, LENGTHS)]
    if any(len(shape) != 1 for shape in sizes) or sizes[0][0] > LONGEST * sizes[1][0]:
        raise ValueError(f"a vocabulary has tensors of the shapes {sizes}, which cannot be")
    return {name: Tensor("uint8", shape) for name, shape in zip((BYTES, LENGTHS), sizes, strict=True)}


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
