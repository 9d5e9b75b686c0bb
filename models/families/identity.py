"""What names a model on the command line and in files."""

from dataclasses import dataclass

ALPHABETS = {"bytes": 256, "text27": 27, "array": 256, "image": 256}
"""Symbols of each of `compressor.media`, which models do not import."""


@dataclass(frozen=True)
class Identity:
    """name for people, fingerprint (8 bytes) for files, medium for what its symbols are (see compressor.media)."""

    name: str
    medium: str
    fingerprint: bytes
