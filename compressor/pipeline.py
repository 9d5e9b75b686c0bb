"""Streams in, streams out: everything one can do with a catzip file."""

from .access import read_range
from .chooser import PlanFor
from .container import Frame
from .decoder import decompress_stream, list_frames, verify_stream
from .encoder import FRAME_SIZE
from .report import Listing, Progress, Report, Sink
from .unpacking import are_same_picture, compress_stream, is_same_picture

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
