"""Listings: of files that can seek and pipes alike, and as the command prints them."""

from __future__ import annotations

import io
import json

from helpers import Pipe

from catzip.commands import list as command
from catzip.compressor.errors import CatzipError
from catzip.compressor.pipeline import list_frames

from .. import archive_mutation
from ..draw import Draw
from ..networks import tiny
from ..oracle import expect, outcome
from ..scratch import written
from .decoding import LARGEST, seeds

__all__ = ["LARGEST", "check", "mutate", "seeds"]


def check(data: bytes) -> None:
    """Raise where a file and a pipe are listed differently, or what is printed could do something to a terminal."""
    listing = outcome(list_frames, io.BytesIO(data))
    piped = outcome(list_frames, Pipe(data, 1000))
    facts = outcome(command.facts_of, str(written("file.catz", data)), tiny())
    if isinstance(listing, CatzipError):
        expect(type(piped) is type(listing), "a pipe is refused for another reason than a file")
        expect(type(facts) is type(listing), "the command refuses for another reason than the library")
        return
    expect(piped == listing, "a pipe is listed differently from a file")
    assert not isinstance(facts, CatzipError)
    expect(not data[listing.file_size :].strip(b"\0"), "bytes of the file are not listed")  # but for padding
    expect(facts["content"] == listing.content_size, "the command lists another size than the library")
    json.dumps(facts)
    for verbose in (False, True):
        text = command.table([facts], verbose)
        expect(text.replace("\n", "").isprintable(), "control characters are printed")


def mutate(data: bytes, draw: Draw) -> bytes:
    """Another file. What its payloads hold matters little, so nothing is coded."""
    return archive_mutation.mutate(data, draw, tiny(), coding=False)
