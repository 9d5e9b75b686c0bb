"""What names a model on the command line and in files."""

from typing import NamedTuple

from ...compressor.coding.vocabulary import Vocabulary

TOKENS = "tokens"
"""The medium of a model that has a vocabulary."""


class Identity(NamedTuple):
    """name for people, fingerprint (8 bytes) for files, medium for what its symbols are (see compressor.media), and
    their vocabulary where the medium is `TOKENS`."""

    name: str
    medium: str
    fingerprint: bytes
    vocabulary: Vocabulary | None = None
