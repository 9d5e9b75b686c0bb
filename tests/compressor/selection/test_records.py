"""Records of bytes: found where content is binary and repeats at a distance, told to models of bytes, never of text."""

import numpy as np
import pytest
from helpers import TEXT

from catzip.compressor.coding.symbols import Symbols
from catzip.compressor.selection.records import record_length


def table(record: int, count: int, seed: int = 0) -> Symbols:
    """Records whose bytes stay as they were in the record before, three times in four."""
    random = np.random.RandomState(seed)
    rows = random.randint(0, 256, (count, record))
    for i in range(1, count):
        rows[i] = np.where(random.rand(record) < 0.75, rows[i - 1], rows[i])
    return rows.astype(np.uint8).ravel()


@pytest.mark.parametrize("record", [2, 3, 12, 24, 216, 1000])
def test_the_length_of_records_is_found(record: int):
    assert record_length(table(record, 40_000 // record)) == record


def test_a_bitmap_that_is_nearly_empty_has_the_length_of_its_rows():
    rows = np.zeros((300, 100), np.uint8)
    rows[50:200, 20:23] = [24, 255, 3]
    assert record_length(rows.ravel()) == 100


def test_binary_content_without_records_has_those_of_machine_words():
    assert record_length(np.random.RandomState(0).randint(0, 256, 50_000).astype(np.uint8)) == 8


@pytest.mark.parametrize(
    "text", [TEXT.encode() * 20, b"1,2,3\n" * 5000, "Größe, größer\r\n".encode() * 900, b"", b"\0" * 20]
)
def test_text_and_what_is_too_short_have_none(text: bytes):
    assert record_length(np.frombuffer(text, np.uint8)) == 0


def test_one_byte_that_fills_all_has_none_that_stands_out():
    assert record_length(np.zeros(50_000, np.uint8)) == 8
