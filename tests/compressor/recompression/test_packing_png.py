"""PNG files of every kind: the same rows and chunks, or the same bytes, when they are packed again; or left alone."""

import io
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing import pack, unpack
from PIL import Image
from png_files import BAD, GOOD, LATE, SIGNATURE, TEXTS, chunk, ihdr, png

from catzip.compressor.errors import CorruptError, NewerVersionError, PackingError
from catzip.compressor.format.numbers import PNG, PNG_EXACT, PNG_TUNED
from catzip.compressor.recompression import choice, chunks, filters
from catzip.compressor.recompression import content as content_module
from catzip.compressor.recompression import png as png_module
from catzip.compressor.recompression.asbytes import AsBytes, NotReproduced
from catzip.compressor.recompression.form import OPENING, Facts, Unpacked


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    """What Pillow sees: mode, size, pixels."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.mode, image.size, image.tobytes()


@pytest.mark.parametrize("name", GOOD)
def test_rows_are_unpacked(name):
    data, rows = GOOD[name]
    unpacked = Unpacked.from_bytes(unpack(data, False)[0])
    assert unpacked.rows == rows
    assert data.startswith(unpacked.front + data[len(unpacked.front) :][:4] + b"IDAT")
    assert data.endswith(unpacked.back)


@pytest.mark.parametrize("name", GOOD)
def test_packed_anew_it_has_the_same_rows_and_chunks(name):
    data, _ = GOOD[name]
    content, method = unpack(data, False)
    again = pack(content, method)
    assert len(again) <= 1.01 * len(data)
    assert unpack(again, False)[0] == content
    assert pixels(again) == pixels(data)


@pytest.mark.parametrize("name", GOOD)
def test_packed_byte_for_byte_it_is_the_same_file(name):
    data, _ = GOOD[name]
    content, method = unpack(data, True)
    assert pack(content, method) == data
    assert unpack(pack(content, method, repack=True), False)[0] == content


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("byte_exact", [False, True])
def test_what_is_broken_or_unusual_is_not_unpacked(name, byte_exact):
    tracemalloc.start()
    try:
        with pytest.raises(AsBytes) as caught:
            unpack(BAD[name], byte_exact)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert not isinstance(caught.value, NotReproduced)
    assert str(caught.value)


@pytest.mark.parametrize("cut", range(0, len(GOOD["interlaced-3x2"][0]), 3))
def test_no_part_of_a_file_is_unpacked(cut):
    with pytest.raises(AsBytes):
        unpack(GOOD["interlaced-3x2"][0][:cut], False)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize(
    "options", [{}, {"optimize": True}, {"compress_level": 2}, {"compress_type": 3}], ids=str
)
def test_what_pillow_writes_comes_back_byte_for_byte(mode, options):
    noise = np.cumsum(np.random.RandomState(3).randint(-2, 3, (60, 70, 4)), axis=1).astype(np.uint8)
    image = Image.fromarray(noise)
    image = Image.new("I;16", (70, 60), 777) if mode == "I;16" else image.convert(mode)
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(72, 72), icc_profile=b"profile" * 50, **options)
    data = out.getvalue()
    assert pack(*unpack(data, True)) == data
    assert pixels(pack(*unpack(data, False))) == pixels(data)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_picture_comes_back(data):
    bits, colour = data.draw(
        st.sampled_from(
            [(b, 0) for b in (1, 2, 4, 8, 16)] + [(8, 2), (16, 2), (8, 4), (16, 4), (8, 6), (16, 6)]
        )
    )
    width, height = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12))
    interlaced = bits >= 8 and data.draw(st.booleans())
    level, seed = data.draw(st.integers(1, 9)), data.draw(st.integers(0, 999))
    file, rows = png(width, height, bits, colour, interlaced=interlaced, level=level, seed=seed)
    content, method = unpack(file, True)
    assert Unpacked.from_bytes(content).rows == rows
    assert pack(content, method) == file
    assert unpack(pack(content, b"\0"), False)[0] == content


def test_a_stream_of_another_deflater_is_not_reproduced():
    rows = GOOD["31x33"][1]
    plain = b"".join(b"\0" + rows[at : at + 93] for at in range(0, len(rows), 93))
    packer = zlib.compressobj(6)
    stream = (
        packer.compress(plain[:999])
        + packer.flush(zlib.Z_FULL_FLUSH)
        + packer.compress(plain[999:])
        + packer.flush()
    )
    data = SIGNATURE + ihdr(31, 33, 8, 2) + TEXTS + chunk(b"IDAT", stream) + LATE + chunk(b"IEND")
    with pytest.raises(NotReproduced, match="zlib"):
        unpack(data, True)
    content, method = unpack(data, False)
    assert unpack(pack(content, method), False)[0] == content


def test_where_zlib_makes_other_bytes_the_error_says_what_to_do():
    content, method = unpack(GOOD["31x33"][0], True)
    other = method[:3] + b"\1" + method[4:]  # a level, in place of the 6 it was
    with pytest.raises(PackingError, match=r"zlib .* packed this PNG.*--repack"):
        pack(content, other)
    assert unpack(pack(content, other, repack=True), False)[0] == content


@pytest.mark.parametrize("name", GOOD)
def test_in_the_smallest_strips_it_is_the_same(name, monkeypatch):
    whole = unpack(GOOD[name][0], True)
    monkeypatch.setattr(png_module, "_STRIP", 1)
    monkeypatch.setattr(png_module, "_FEWEST", 8)
    monkeypatch.setattr(content_module, "_STRIP", 1)
    assert unpack(GOOD[name][0], True) == whole
    assert pack(*whole) == GOOD[name][0]


def test_more_empty_chunks_than_a_recipe_can_have_are_not_promised():
    many, _ = png(31, 33, cuts=[0] * 100_000)
    with pytest.raises(NotReproduced, match="its chunks are more"):
        unpack(many, True)
    few, _ = png(31, 33, cuts=[0] * 60_000)
    assert pack(*unpack(few, True)) == few


def test_chunks_without_end_are_not_looked_at(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CHUNKS", 100)
    with pytest.raises(AsBytes, match="more than 100 chunks"):
        unpack(png(31, 33, cuts=[0] * 100)[0], True)


def test_what_no_recipe_makes_small_enough_is_not_packed_anew(monkeypatch):
    flushed = zlib.compressobj(9)
    plain = b"\0" + b"\0".join(GOOD["31x33"][1][at : at + 93] for at in range(0, 93 * 33, 93))
    stream = flushed.compress(plain) + flushed.flush(zlib.Z_FULL_FLUSH) + flushed.flush()
    data = SIGNATURE + ihdr(31, 33, 8, 2) + chunk(b"IDAT", stream) + chunk(b"IEND")
    assert unpack(data, False)[1][0] in (PNG, PNG_TUNED)
    monkeypatch.setattr(choice, "GROWTH", -0.99)
    with pytest.raises(NotReproduced, match="larger by more than"):
        unpack(data, False)
    assert unpack(GOOD["31x33"][0], False)[1][0] == PNG_EXACT


CONTENT, METHOD = unpack(GOOD["31x33"][0], True)
INTERLACED = SIGNATURE + ihdr(31, 33, 1, 0, True)
HOSTILE = {
    "no-method-bytes": (CONTENT, METHOD[:1], CorruptError),
    "method-cut": (CONTENT, METHOD[:-1], CorruptError),
    "method-longer": (CONTENT, METHOD + b"\0", CorruptError),
    "anew-with-parameters": (CONTENT, b"\0\0", CorruptError),
    "level-10": (CONTENT, METHOD[:3] + b"\x0a" + METHOD[4:], CorruptError),
    "memory-0": (CONTENT, METHOD[:4] + b"\0" + METHOD[5:], CorruptError),
    "window-8": (CONTENT, METHOD[:6] + b"\x08" + METHOD[7:], CorruptError),
    "version-too-long": (CONTENT, METHOD[:7] + b"\x7f" + bytes(300), CorruptError),
    "many-runs": (CONTENT, METHOD[:7] + b"\0\x21" + bytes(33) + b"\xff\xff\xff\x7f", CorruptError),
    "many-empty-chunks": (
        CONTENT,
        METHOD[:7] + b"\0\x21" + bytes(33) + b"\1\0\xff\xff\xff\xff\x7f" + bytes(8),
        PackingError,
    ),
    "unknown-filter": (
        CONTENT,
        METHOD[:7] + b"\0\x21" + bytes([9]) * 33 + b"\1\x05\1" + bytes(8),
        CorruptError,
    ),
    "newer-format": (CONTENT, b"\x09", NewerVersionError),
    "webp-method": (CONTENT, b"\2", CorruptError),
    "no-content": (b"", b"\0", CorruptError),
    "content-cut": (CONTENT[: len(CONTENT) // 2], b"\0", CorruptError),
    "other-content": (b"x" * 999, b"\0", CorruptError),
    "never-unpacked": (
        Unpacked("png", Facts.read(CONTENT[:OPENING]).shape, INTERLACED, bytes(132), b"").to_bytes(),
        b"\0",
        CorruptError,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_recipes_raise_their_error(name):
    content, method, error = HOSTILE[name]
    with pytest.raises(error):
        pack(content, method)


def test_a_photograph_is_unpacked_and_packed_at_once():
    noise = np.cumsum(np.random.RandomState(0).randint(-3, 4, (512, 768, 3)), axis=1).astype(np.uint8)
    kinds = np.random.RandomState(1).randint(0, 5, 512)
    plain = np.concatenate(
        [kinds[:, None], filters.apply(noise, kinds.astype(np.uint8)).reshape(512, -1)], axis=1
    )
    stream = zlib.compress(plain.astype(np.uint8).tobytes())
    data = SIGNATURE + ihdr(768, 512, 8, 2) + chunk(b"IDAT", stream) + chunk(b"IEND")
    start = time.process_time()
    content, method = unpack(data, False)
    middle = time.process_time()
    assert Unpacked.from_bytes(content).rows == noise.tobytes()
    pack(content, method)
    assert middle - start < 1
    assert time.process_time() - middle < 2
