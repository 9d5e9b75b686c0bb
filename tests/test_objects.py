"""Compressor and Decompressor: the bytes of the module's functions, and each model loaded once."""

import sys
from array import array
from concurrent.futures import ThreadPoolExecutor

import pytest

import catzip

TEXTS = [f"Text {i}: it is not the same as the others, but much of it is. ".encode() * 20 for i in range(6)]


def test_the_bytes_are_those_of_the_functions():
    compressor = catzip.Compressor(threads=1)
    blobs = [compressor.compress(text) for text in TEXTS]
    assert blobs == [catzip.compress(text) for text in TEXTS]
    decompressor = catzip.Decompressor(threads=1)
    assert [decompressor.decompress(blob) for blob in blobs] == TEXTS


def test_a_model_is_loaded_when_it_is_needed_and_once(loaded):
    compressor, decompressor = catzip.Compressor(), catzip.Decompressor()
    assert loaded == []
    blobs = [compressor.compress(text) for text in TEXTS]
    assert loaded == ["ar-bytes"]
    assert [decompressor.decompress(blob) for blob in blobs] == TEXTS
    assert loaded == ["ar-bytes"] * 2
    assert (
        decompressor.decompress(compressor.compress(b"nothing but letters " * 50))
        == b"nothing but letters " * 50
    )
    assert loaded == ["ar-bytes"] * 2 + ["ar-text8"] * 2


def test_a_model_that_is_named_is_loaded_at_once(loaded):
    compressor = catzip.Compressor("ar-bytes-s")
    assert loaded == ["ar-bytes-s"]
    assert compressor.compress(TEXTS[0]) == catzip.compress(TEXTS[0], "ar-bytes-s")
    assert compressor.compress(TEXTS[0]) != catzip.compress(TEXTS[0])


def test_the_options_are_those_of_the_functions():
    assert catzip.Compressor(effort="fast").compress(TEXTS[1]) == catzip.compress(TEXTS[1], effort="fast")
    named = catzip.Compressor("ardm-text8", steps=5)
    assert named.compress(TEXTS[2][:200]) == catzip.compress(TEXTS[2][:200], "ardm-text8", steps=5)


def test_mistakes_are_told_before_there_is_anything_to_compress():
    with pytest.raises(catzip.ModelNotFoundError, match="no-such-model"):
        catzip.Compressor("no-such-model")
    with pytest.raises(catzip.ModelMismatchError, match="ar-bytes codes symbol by symbol"):
        catzip.Compressor("ar-bytes", steps=5)
    with pytest.raises(ValueError, match="goes with the name of a model"):
        catzip.Compressor(steps=5)
    with pytest.raises(ValueError, match="a model was named"):
        catzip.Compressor("ar-bytes", effort="fast")
    with pytest.raises(ValueError, match="effort 'faster'"):
        catzip.Compressor(effort="faster")
    with pytest.raises(ValueError, match="cannot be negative"):
        catzip.Decompressor(max_size=-1)
    with pytest.raises(ValueError, match="0 threads"):
        catzip.Decompressor(threads=0)


def test_a_limit_is_that_of_each_call():
    blob = catzip.compress(TEXTS[0])
    decompressor = catzip.Decompressor(max_size=len(TEXTS[0]))
    for _ in range(2):
        assert decompressor.decompress(blob) == TEXTS[0]
        with pytest.raises(catzip.LimitError):
            decompressor.decompress(catzip.compress(TEXTS[0] + b"."))
    with pytest.raises(catzip.LimitError):
        catzip.Decompressor(memlimit=1000).decompress(blob)
    assert catzip.Decompressor(memlimit=0, max_size=sys.maxsize).decompress(blob) == TEXTS[0]


def test_an_object_is_as_good_after_an_error_as_before():
    compressor, decompressor = catzip.Compressor("ardm-cifar10"), catzip.Decompressor()
    with pytest.raises(catzip.UnsuitableContentError):
        compressor.compress(TEXTS[0])
    with pytest.raises(catzip.NotCatzipError):
        decompressor.decompress(TEXTS[0])
    blob = catzip.compress(TEXTS[0])
    with pytest.raises(catzip.CorruptError):
        decompressor.decompress(blob[:-1] + bytes([blob[-1] ^ 1]))
    assert decompressor.decompress(blob) == TEXTS[0]


@pytest.mark.parametrize("buffer", [bytearray(TEXTS[0]), memoryview(TEXTS[0]), array("I", range(500))])
def test_any_buffer_is_taken(buffer):
    blob = bytearray(catzip.Compressor().compress(buffer))
    assert catzip.Decompressor().decompress(memoryview(blob)) == bytes(buffer)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_share_an_object(threads):
    """While they load its models, too."""
    compressor, decompressor = catzip.Compressor(threads=threads), catzip.Decompressor(threads=threads)
    with ThreadPoolExecutor(4) as pool:
        blobs = list(pool.map(compressor.compress, TEXTS))
        assert list(pool.map(decompressor.decompress, blobs)) == TEXTS
    assert blobs == [catzip.compress(text) for text in TEXTS]
