"""WebP files without loss: the same pixels and chunks when they are packed again; others are left alone."""

import io
import struct
from dataclasses import replace

import numpy as np
import pytest
from packing import pack, unpack
from PIL import Image
from webp_files import COLOURS, GOOD, HIDDEN, animation, file

from catzip.compressor.errors import CorruptError, MissingDependencyError
from catzip.compressor.pictures import is_same_picture
from catzip.compressor.recompression import webp
from catzip.compressor.recompression.asbytes import AsBytes, NotReproduced
from catzip.compressor.recompression.form import OPENING, Facts, Unpacked


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.size, image.tobytes(), image.info.get("icc_profile"), image.info.get("exif")


def test_a_picture_that_no_encoder_could_pack_again_stays_as_it_is():
    """The format has room for one pixel more, each way, than libwebp writes."""
    data = bytearray(file(np.zeros((1, 16383, 3), np.uint8)))
    at = data.index(b"VP8L") + 9
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "little") & ~0x3FFF | 0x3FFF).to_bytes(4, "little")
    with pytest.raises(AsBytes, match="16384 x 1 pixels, and 16383 is the most"):
        webp.unpack(bytes(data))
    good = webp.unpack(GOOD["one-pixel"])
    wide = replace(good, shape=replace(good.shape, width=1 << 14), rows=bytes(4 << 14))
    with pytest.raises(CorruptError, match="larger than one can be"):
        webp.pack(wide)


@pytest.mark.parametrize("name", GOOD)
def test_the_same_pixels_and_chunks_come_back(name):
    data = GOOD[name]
    content, method = unpack(data, False)
    again = pack(content, method)
    assert method == b"\2"
    assert is_same_picture(again, data)
    assert pixels(again) == pixels(data)
    assert again.startswith(b"RIFF" + struct.pack("<I", len(again) - 8))
    with pytest.raises(NotReproduced):
        unpack(data, True)


def test_rows_are_the_pixels():
    assert Unpacked.from_bytes(unpack(GOOD["rgba"], False)[0]).rows == COLOURS.tobytes()
    assert Unpacked.from_bytes(unpack(GOOD["hidden-colours"], False)[0]).rows == HIDDEN.tobytes()
    facts = Facts.read(unpack(GOOD["metadata"], False)[0][:OPENING])
    assert (facts.kind, facts.shape.width, facts.shape.height, facts.shape.channels) == ("webp", 31, 33, 3)


def large():
    """16384 x 16384 pixels in a few bytes."""
    return (
        b"RIFF"
        + struct.pack("<I", 30)
        + b"WEBPVP8L"
        + struct.pack("<I", 18)
        + b"\x2f\xff\xff\xff\x0f"
        + bytes(13)
    )


BAD = {
    "lossy": (file(COLOURS, lossless=False), "lossy"),
    "lossy-without-alpha": (file(COLOURS[:, :, :3].copy(), lossless=False), "lossy"),
    "animated": (animation(), "animated"),
    "cut": (GOOD["rgba"][:-9], "broken"),
    "cut-in-the-header": (GOOD["rgba"][:14], "broken"),
    "longer": (GOOD["rgba"] + b"\0\0", "broken"),
    "no-picture": (b"RIFF\x04\0\0\0WEBP", "broken"),
    "header": (GOOD["rgba"][:20] + b"\0" + GOOD["rgba"][21:], "broken"),
    "pixels": (GOOD["rgba"][:40] + bytes(len(GOOD["rgba"]) - 40), "broken"),
    "bomb": (large(), "too many"),
}


@pytest.mark.parametrize("name", BAD)
def test_others_are_left_alone(name):
    data, reason = BAD[name]
    with pytest.raises(AsBytes, match=reason):
        unpack(data, False)


def test_damaged_content_is_refused():
    content, method = unpack(GOOD["rgba"], False)
    unpacked = Unpacked.from_bytes(content)
    headless = Unpacked("webp", unpacked.shape, unpacked.front[:9], unpacked.rows, b"")
    for damaged in (content[:-400], headless.to_bytes(), b""):
        with pytest.raises(CorruptError):
            pack(damaged, method)


def test_without_pillow_files_stay_and_the_error_says_what_to_install(monkeypatch):
    content, method = unpack(GOOD["rgba"], False)

    def missing():
        raise MissingDependencyError("WebP pictures need Pillow. Install it: pip install 'catzip[images]'")

    monkeypatch.setattr(webp, "_pillow", missing)
    with pytest.raises(AsBytes, match="Pillow"):
        unpack(GOOD["rgba"], False)
    with pytest.raises(MissingDependencyError, match=r"catzip\[images\]"):
        pack(content, method)
