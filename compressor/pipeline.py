"""Streams in, streams out: everything one can do with a catzip file."""

from .access import read_range
from .compress import are_same_picture, compress_stream, is_same_picture
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
    "are_same_picture",
    "compress_stream",
    "decompress_stream",
    "is_same_picture",
    "list_frames",
    "read_range",
    "verify_stream",
]
