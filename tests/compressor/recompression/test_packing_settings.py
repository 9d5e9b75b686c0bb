"""The settings of zlib that made a stream are found, whichever they were."""

import time
import zlib

import numpy as np
import pytest

from catzip.compressor.recompression.settings import candidates

PLAIN = np.cumsum(np.random.RandomState(3).randint(-2, 3, 60_000)).astype(np.uint8).tobytes()


def deflated(found, plain):
    return b"".join(found.deflate([plain]))


def found(stream):
    """Settings that make it of PLAIN."""
    return next(each for each in candidates(stream, PLAIN, True) if deflated(each, PLAIN) == stream)


@pytest.mark.parametrize("memory", range(1, 10))
@pytest.mark.parametrize("strategy", range(5))
def test_settings_of_zlib_are_found(memory, strategy):
    for level in range(1, 10, 4):
        window = 9 + (level + memory + strategy) % 7
        packer = zlib.compressobj(level, zlib.DEFLATED, window, memory, strategy)
        stream = packer.compress(PLAIN) + packer.flush()
        assert deflated(found(stream), PLAIN) == stream


def test_a_changed_head_is_kept():
    """libpng writes a smaller window than it used, and others write a head of their own."""
    for head, window in ((b"\x48\x89", 15), (b"\x78\x01", 15), (b"\x78\xda", 11)):
        packer = zlib.compressobj(9, wbits=-window)
        stream = head + packer.compress(PLAIN) + packer.flush() + zlib.adler32(PLAIN).to_bytes(4)
        assert deflated(found(stream), PLAIN) == stream


def test_a_stream_of_another_deflater_is_given_up_in_bounded_time():
    plain = np.cumsum(np.random.RandomState(3).randint(-2, 3, 1 << 20)).astype(np.uint8).tobytes()
    packer = zlib.compressobj(9)
    stream = packer.compress(plain[:9999]) + packer.flush(zlib.Z_FULL_FLUSH) + packer.compress(plain[9999:])
    start = time.process_time()
    assert not list(candidates(stream + packer.flush(), plain, True))
    assert time.process_time() - start < 10
