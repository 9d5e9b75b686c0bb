"""Pictures through the pipeline: unpacked where that is smaller, coded as bytes with a note where it is not."""

import io
import random
import re
import zlib

import numpy as np
import pytest
from helpers import TEXT, Models, Pipe, TableModel, compress
from image_models import ImageModel, picture
from packing import unpack
from PIL import Image
from png_files import BAD, BASE, GOOD, SIGNATURE, TEXTS, chunk, ihdr, png
from webp_files import COLOURS, animation
from webp_files import GOOD as WEBPS
from webp_files import file as webp_file

import catzip
from catzip.compressor import picture_candidates
from catzip.compressor.encoder import Encoder
from catzip.compressor.errors import CorruptError, UnsuitableContentError
from catzip.compressor.pictures import is_same_picture
from catzip.compressor.pipeline import (
    compress_stream,
    decompress_stream,
    list_frames,
    read_range,
    verify_stream,
)
from catzip.compressor.recompression import method, packer
from catzip.compressor.recompression import png as png_module

NONE = Models()
IMAGES = Models(TableModel(), ImageModel(), default="table-bytes")
PHOTO, PHOTO_ROWS = png(
    60, 80, before=TEXTS, rows=[row.tobytes() for row in picture(80, 60, 3)], kinds=[0] * 80
)
_RANDOM = random.Random(4)
SPECKLED, _ = png(60, 80, rows=[bytes(_RANDOM.choices(range(20), k=180)) for _ in range(80)], kinds=[4] * 80)
ICON, _ = GOOD["one-pixel"]


def run(data, models=NONE, source=io.BytesIO, byte_exact=False, **options):
    """A file, what is reported of it, and what it decompresses to."""
    out, back = io.BytesIO(), io.BytesIO()
    report = compress_stream(source(data), out, models=models, byte_exact=byte_exact, **options)
    found = decompress_stream(io.BytesIO(out.getvalue()), back, models=models)
    assert report.file_size == found.file_size == len(out.getvalue())
    assert report.outer_size == len(data)
    assert found.outer_size == len(back.getvalue())
    return out.getvalue(), report, back.getvalue()


def as_bytes(data, models=NONE):
    """Bytes of the file where pictures are not known."""
    out = io.BytesIO()
    return Encoder(models).encode(io.BytesIO(data), out).file_size


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("byte_exact", [False, True])
@pytest.mark.parametrize("models", [NONE, IMAGES], ids=["xz", "image"])
def test_every_png_comes_back_and_is_never_larger(name, byte_exact, models):
    data = GOOD[name][0]
    if not byte_exact:
        data = data.removesuffix(b"and more behind the end")
    blob, report, back = run(data, models, byte_exact=byte_exact)
    assert len(blob) <= as_bytes(data, models)
    assert len(blob) <= len(data) + 64
    assert is_same_picture(back, data)
    assert back == data or not byte_exact
    assert len(report.notes) == 1


@pytest.mark.parametrize("name", WEBPS)
def test_every_webp_comes_back_and_is_never_larger(name):
    blob, _, back = run(WEBPS[name], IMAGES)
    assert len(blob) <= as_bytes(WEBPS[name], IMAGES)
    assert is_same_picture(back, WEBPS[name])
    assert run(WEBPS[name], IMAGES, byte_exact=True)[2] == WEBPS[name]


def jpeg():
    out = io.BytesIO()
    Image.fromarray(COLOURS[:, :, :3].copy()).save(out, "JPEG")
    return out.getvalue()


def gif():
    out = io.BytesIO()
    Image.fromarray(COLOURS[:, :, 0].copy()).save(out, "GIF")
    return out.getvalue()


AS_BYTES = {
    **{name: (data, "PNG, coded as bytes: .") for name, data in BAD.items()},
    "jpeg": (jpeg(), "JPEG, coded as bytes: it is lossy"),
    "gif": (gif(), "GIF, coded as bytes: "),
    "lossy-webp": (webp_file(COLOURS, lossless=False), "WebP, coded as bytes: it is lossy"),
    "animated-webp": (animation(), "WebP, coded as bytes: it is animated"),
}


@pytest.mark.parametrize("name", AS_BYTES)
@pytest.mark.parametrize("source", [io.BytesIO, Pipe])
def test_what_is_coded_as_bytes_comes_back_as_it_is(name, source):
    data, note = AS_BYTES[name]
    blob, report, back = run(data, IMAGES, source)
    assert back == data
    assert "packing" not in {frame.kind for frame in report.frames}
    assert len(blob) == as_bytes(data, IMAGES)
    assert len(report.notes) == 1
    assert report.notes[0].startswith(note.rstrip("."))


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"RIFF", b"RIFF\4\0\0\0WAVE", TEXT.encode()])
def test_of_other_content_there_is_no_note(data):
    _, report, back = run(data, IMAGES)
    assert (back, report.notes, report.packed_size) == (data, (), None)


def test_a_model_sees_the_pixels():
    blob, report, back = run(PHOTO, IMAGES)
    kinds = [(frame.kind, frame.medium, frame.packing) for frame in report.frames]
    assert kinds == [("packing", None, "png"), ("coded", "image", None)]
    assert report.frames[1].symbols == 60 * 80 * 3
    assert is_same_picture(back, PHOTO)
    assert list_frames(io.BytesIO(blob)).frames == report.frames
    assert report.notes[0].startswith("PNG: unpacked")


def test_pipe_and_file_give_the_same():
    for data in (PHOTO, ICON, BAD["cut-in-idat"], WEBPS["rgba"]):
        assert run(data, IMAGES, Pipe)[0] == run(data, IMAGES)[0]


def test_a_small_icon_stays_as_it_is():
    _, report, back = run(ICON)
    assert back == ICON
    assert report.notes[0].startswith("PNG, coded as bytes: its pixels would take")
    assert report.packed_size is None


def test_a_named_model_of_images_is_used_on_images_alone():
    assert run(PHOTO, IMAGES, model="table-image")[1].frames[1].kind == "coded"
    with pytest.raises(UnsuitableContentError, match="This PNG cannot be unpacked: it is broken"):
        run(BAD["cut-in-idat"], IMAGES, model="table-image")
    with pytest.raises(UnsuitableContentError):
        run(jpeg(), IMAGES, model="table-image")


def test_no_model_of_bytes_codes_many_pixels(monkeypatch):
    models, draw = Models(TableModel(), default="table-bytes"), random.Random(3)
    letters, _ = png(
        60, 80, 8, 0, rows=[bytes(draw.choices(TEXT.encode(), k=60)) for _ in range(80)], kinds=[4] * 80
    )
    assert "coded" in {frame.kind for frame in run(letters, models)[1].frames}
    monkeypatch.setattr(picture_candidates, "_PATIENCE", 4000)
    assert "coded" not in {frame.kind for frame in run(letters, models)[1].frames}
    assert run(PHOTO, IMAGES)[1].frames[1].kind == "coded"


def test_a_named_model_of_bytes_sees_the_bytes():
    _, report, back = run(PHOTO, IMAGES, model="table-bytes")
    assert back == PHOTO
    assert "packing" not in {frame.kind for frame in report.frames}


def test_what_byte_exactness_costs_is_said():
    plain = b"".join(b"\0" + PHOTO_ROWS[at : at + 180] for at in range(0, len(PHOTO_ROWS), 180))
    flushed = zlib.compressobj(1)
    stream = flushed.compress(plain[:999]) + flushed.flush(zlib.Z_FULL_FLUSH)
    stream += flushed.compress(plain[999:]) + flushed.flush()
    data = SIGNATURE + ihdr(60, 80, 8, 2) + chunk(b"IDAT", stream) + chunk(b"IEND")
    blob, report, back = run(data, byte_exact=True)
    assert back == data
    anew = run(data)[0]
    spared = int(re.search(r"; --pixels would save about (\d+) bytes$", report.remark)[1])
    assert report.notes == (f"PNG, {report.remark}",)
    assert spared == pytest.approx(len(blob) - len(anew), rel=0.25)


def test_a_file_too_large_to_look_at_is_coded_as_bytes(monkeypatch):
    monkeypatch.setattr(method, "MAX_FILE", len(PHOTO) - 1)
    for source in (io.BytesIO, Pipe):
        _, report, back = run(PHOTO, source=source)
        assert back == PHOTO
        assert "larger than 256 MiB" in report.notes[0]


def test_content_too_large_to_hold_is_coded_as_bytes_or_refused(monkeypatch):
    blob = run(SPECKLED)[0]
    monkeypatch.setattr(png_module, "MAX_CONTENT", 5000)
    assert run(SPECKLED)[2] == SPECKLED
    monkeypatch.setattr(packer, "MAX_CONTENT", 5000)
    with pytest.raises(CorruptError, match="larger than 5000"):
        decompress_stream(io.BytesIO(blob), io.BytesIO(), models=NONE)


def test_ranges_and_listings_speak_of_what_it_is_unpacked_to():
    content, _ = unpack(SPECKLED, False)
    words = random.Random(1).randbytes(100)
    first, second = compress(words, NONE), run(SPECKLED, frame_size=3000)[0]
    blob = first + second + compress(words, NONE)
    whole = words + content + words
    listing = list_frames(io.BytesIO(blob))
    assert listing.content_size == len(whole)
    assert [frame.length for frame in listing.frames if frame.kind == "packing"] == [0]
    for start, length in (
        (0, len(whole)),
        (50, 60),
        (99, 5),
        (100, 1),
        (3000, 4000),
        (len(whole) - 120, 999),
    ):
        assert read_range(io.BytesIO(blob), start, length, models=NONE) == whole[start : start + length]
    out = io.BytesIO()
    report = decompress_stream(io.BytesIO(blob), out, models=NONE)
    picture = out.getvalue()[100:-100]
    assert is_same_picture(picture, SPECKLED)
    assert (report.content_size, report.outer_size) == (len(whole), len(picture) + 200)


def test_nothing_of_a_damaged_picture_is_given_out():
    blob = bytearray(run(SPECKLED, frame_size=3000)[0])
    blob[-200] ^= 1
    out = io.BytesIO()
    with pytest.raises(CorruptError):
        decompress_stream(io.BytesIO(blob), out, models=NONE)
    assert not out.getvalue()
    with pytest.raises(CorruptError):
        verify_stream(io.BytesIO(blob), models=NONE)


def test_pictures_are_the_same_or_not():
    other, _ = png(60, 80, before=TEXTS)
    assert is_same_picture(other, png(60, 80, before=TEXTS, kinds=[4] * 80, cuts=(7,))[0])
    assert not is_same_picture(other, png(60, 80, kinds=[4] * 80)[0])
    assert not is_same_picture(PHOTO, other)
    assert not is_same_picture(PHOTO, BASE)
    assert not is_same_picture(PHOTO, PHOTO[:-1])
    assert not is_same_picture(PHOTO, WEBPS["rgb"])


def test_the_python_interface(tmp_path):
    noise = np.cumsum(np.random.RandomState(0).randint(-3, 4, (8, 8, 3)), axis=1).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    data, path = out.getvalue(), tmp_path / "a.png.catz"
    assert catzip.decompress(catzip.compress(data)) == data
    assert is_same_picture(catzip.decompress(catzip.compress(data, byte_exact=False)), data)
    assert is_same_picture(catzip.decompress(catzip.compress(data), repack=True), data)
    with catzip.open(path, "wb") as file:
        file.write(data)
    with catzip.open(path) as file:
        assert file.read() == data
    with catzip.open(path, repack=True) as file:
        assert is_same_picture(file.read(), data)
    with pytest.raises(ValueError, match="when reading"):
        catzip.open(path, "wb", repack=True)
