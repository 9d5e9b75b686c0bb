"""The command line, but each frame is coded with the model that is named, also where xz would be smaller.

`catzip compress -m MODEL` keeps whichever is smaller, so a model that loses to xz would have no figures. The files are
ordinary ones. Content that the model does not shrink at all is still stored.
"""

from __future__ import annotations

from unittest.mock import patch

from ...cli import main
from ...compressor.selection import chooser


class _NoXz:
    """In place of `lzma2` where frames are chosen: nothing gets smaller by it."""

    @staticmethod
    def compress(data: bytes) -> bytes:
        """Longer than `data`, so that it is never chosen."""
        return data + b"\0"


if __name__ == "__main__":
    with patch.object(chooser, "lzma2", _NoXz):
        main()
