"""What names a model on the command line and in files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """name for people, fingerprint (8 bytes) for files, medium for what its symbols are (see compressor.media)."""

    name: str
    medium: str
    fingerprint: bytes
