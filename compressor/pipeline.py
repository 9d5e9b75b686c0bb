"""Streams in, streams out: everything one can do with a catzip file."""

from .access import read_range
from .compress import compress_stream
from .decompress import decompress_stream, list_frames, verify_stream
from .encoder import FRAME_SIZE
from .format.container import Frame
from .format.report import Listing, Progress, Report, Sink
from .selection.chooser import PlanFor

__all__ = [
    "FRAME_SIZE",
    "Frame",
    "Listing",
    "PlanFor",
    "Progress",
    "Report",
    "Sink",
    "compress_stream",
    "decompress_stream",
    "import_pictures",
    "list_frames",
    "read_range",
    "verify_stream",
]


def import_pictures() -> None:
    """Import what reads and makes pictures: where threads are going to code, a fork amid an import would leave half a
    module."""
    from . import pictures  # noqa: F401
    from .recompression import method  # noqa: F401
