"""Vocabularies, and a network of no skill that has one in its weight file."""

from catzip.compressor.coding.vocabulary import Vocabulary
from catzip.models.checkpoint import Checkpoint
from catzip.models.families import wordlist
from catzip.models.families.autoregressive.random import random_checkpoint
from catzip.models.networks.recurrent import AutoregressiveConfig

_STEM = b"the cat sat on a mat and ate fish soup with rice in Rome but dogs run far from home each day"

FRONT = [b"", *(b" " + word for word in _STEM.split()), *(bytes([byte]) for byte in b"\n,.catsfrmo")]
"""Pieces of prose, of which the first is the escape."""


def vocabulary(size: int, front: list[bytes] = FRONT) -> Vocabulary:
    """So many pieces: first these, then some that are never met."""
    return Vocabulary([*front, *(b"\0\xff%d" % i for i in range(size - len(front)))])


STEMS = [b" whale", b" harpoon", b" captain", b" ocean", b" sail", b" white", b" and the", b" a long voyage"]
WORDS = Vocabulary([b"", *STEMS, *(bytes([byte]) for byte in range(32, 123))])
CONFIG = AutoregressiveConfig(
    alphabet=len(WORDS), width=16, state=20, depth=1, hidden=0, embed=4, ngrams=((1, 8), (2, 6))
)


def pieces(**changes: object) -> Checkpoint:
    """A network with the vocabulary WORDS, whose mixture learns from the file; or with other tensors, or without."""
    network = random_checkpoint(CONFIG, "pieces")
    arrays = network.arrays | wordlist.tensors(WORDS) | changes
    arrays = {name: array for name, array in arrays.items() if array is not None}
    return Checkpoint(network.config | {"medium": "tokens"}, arrays)
