"""Streams in, streams out: everything one can do with a catzip file."""

from .access import read_range
from .chooser import PlanFor
from .container import Frame
from .decoder import decompress_stream, list_frames, verify_stream
from .encoder import FRAME_SIZE, compress_stream
from .report import Listing, Progress, Report, Sink

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
    "list_frames",
    "read_range",
    "verify_stream",
]
