"""PNG and WebP files through the command line, in a process of its own."""

import json
import random

import numpy as np
import pytest
from clitools import catzip, contents
from png_files import BAD, png
from test_packing_golden import CONTENT, GOOD, bad_path, good_path
from test_packing_pipeline import AS_BYTES, webp_file

from catzip.cli.files import STDIO
from catzip.compressor.pipeline import is_same_picture

_RANDOM = random.Random(4)
SPECKLED, _ = png(20, 24, rows=[bytes(_RANDOM.choices(range(12), k=60)) for _ in range(24)], kinds=[4] * 24)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.png").write_bytes(SPECKLED)
    (tmp_path / "broken.png").write_bytes(BAD["cut-in-idat"])
    (tmp_path / "a.jpg").write_bytes(AS_BYTES["jpeg"][0])
    return tmp_path


def test_a_png_comes_back_with_its_pixels_and_chunks(folder):
    done = catzip("compress", "-v", "a.png", cwd=folder)
    size = (folder / "a.png.catz").stat().st_size
    assert size < len(SPECKLED)
    assert f"a.png: {len(SPECKLED)} => {size} bytes" in done.stderr
    assert "PNG: unpacked" in done.stderr
    assert "--byte-exact" in done.stderr
    done = catzip("decompress", "a.png.catz", "-o", "b.png", cwd=folder)
    written = (folder / "b.png").read_bytes()
    assert is_same_picture(written, SPECKLED)
    assert f"a.png.catz: {size} => {len(written)} bytes, b.png" in done.stderr
    assert catzip("cat", "a.png.catz", cwd=folder).stdout == written
    assert f"{len(written)} bytes, ok" in catzip("test", "a.png.catz", cwd=folder).stderr


def test_byte_for_byte(folder):
    done = catzip("compress", "--byte-exact", "-v", "a.png", cwd=folder)
    assert "byte for byte" in done.stderr
    assert catzip("cat", "a.png.catz", cwd=folder).stdout == SPECKLED
    anew = catzip("cat", "--repack", "a.png.catz", cwd=folder).stdout
    assert is_same_picture(anew, SPECKLED)
    catzip("decompress", "--repack", "a.png.catz", "-o", "b.png", cwd=folder)
    assert (folder / "b.png").read_bytes() == anew


@pytest.mark.parametrize("words", [(), ("--byte-exact",)], ids=["anew", "exact"])
def test_rm_verifies_and_removes(words, folder):
    catzip("compress", "--rm", *words, "a.png", "broken.png", "a.jpg", cwd=folder)
    assert set(contents(folder)) == {"a.png.catz", "broken.png.catz", "a.jpg.catz"}
    catzip("decompress", "--rm", "a.png.catz", "broken.png.catz", "a.jpg.catz", cwd=folder)
    found = contents(folder)
    assert is_same_picture(found["a.png"], SPECKLED)
    assert found["a.png"] == SPECKLED or not words
    assert (found["broken.png"], found["a.jpg"]) == (BAD["cut-in-idat"], AS_BYTES["jpeg"][0])


def test_rm_of_a_webp_that_comes_back_with_another_size(folder):
    pytest.importorskip("PIL.Image")
    y, x, channel = np.ogrid[:120, :120, :3]
    grain = np.random.RandomState(1).normal(0, 2.5, (120, 120, 1))
    photo = 128 + 60 * np.sin(y / 17 + x / 23) + 9 * channel + grain
    data = webp_file(photo.astype(np.uint8), method=0, quality=0)
    (folder / "a.webp").write_bytes(data)
    catzip("compress", "--rm", "a.webp", cwd=folder)
    assert "a.webp" not in contents(folder)
    catzip("decompress", "a.webp.catz", cwd=folder)
    back = (folder / "a.webp").read_bytes()
    assert is_same_picture(back, data) and len(back) != len(data)


def test_what_stays_as_bytes_is_said_with_v_alone(folder):
    done = catzip("compress", "-v", "broken.png", "a.jpg", cwd=folder)
    assert "  PNG, coded as bytes: it is broken: it ends early" in done.stderr
    assert "  JPEG, coded as bytes: it is lossy" in done.stderr
    done = catzip("compress", "-f", "broken.png", "a.jpg", cwd=folder)
    assert "coded as bytes" not in done.stderr
    catzip("decompress", "-f", "broken.png.catz", "a.jpg.catz", cwd=folder)
    assert (folder / "broken.png").read_bytes() == BAD["cut-in-idat"]
    assert (folder / "a.jpg").read_bytes() == AS_BYTES["jpeg"][0]


def test_pipes(folder):
    packed = catzip("compress", cwd=folder, stdin=SPECKLED).stdout
    assert is_same_picture(catzip("decompress", cwd=folder, stdin=packed).stdout, SPECKLED)
    exact = catzip("compress", "--byte-exact", STDIO, cwd=folder, stdin=SPECKLED).stdout
    assert catzip("decompress", cwd=folder, stdin=exact).stdout == SPECKLED


def test_list_speaks_of_the_content_and_of_the_packing(folder):
    blob = good_path("png").read_bytes()
    (found,) = json.loads(catzip("list", "--json", cwd=folder, stdin=blob).stdout)
    assert found["content"] == len(CONTENT)
    assert [frame["packing"] for frame in found["frames"]] == ["png", None]
    assert found["frames"][0]["bits_per_symbol"] is None
    lines = catzip("list", "-v", cwd=folder, stdin=blob).stdout.decode().splitlines()
    assert lines[2].split()[-3:-1] == ["png", "packing"]
    assert catzip("cat", "--range", "0", "8", good_path("png"), cwd=folder).stdout == b"\x89UPNG\r\n\n"


def test_a_webp(folder):
    (folder / "a.webp.catz").write_bytes(good_path("webp").read_bytes())
    catzip("decompress", "a.webp.catz", cwd=folder)
    assert is_same_picture((folder / "a.webp").read_bytes(), GOOD["webp"][0])


def test_where_zlib_makes_other_bytes_nothing_is_written_and_the_remedy_works(folder):
    before = contents(folder)
    name = bad_path("picture-with-another-check")
    for words in (("decompress", "-o", "c.png"), ("test",)):
        done = catzip(*words, name, cwd=folder, code=1)
        assert "makes other bytes of it" in done.stderr
        assert "--repack" in done.stderr
    assert contents(folder) == before
    catzip("test", "--repack", name, cwd=folder)
    catzip("decompress", "--repack", name, "-o", "c.png", cwd=folder)
    assert is_same_picture((folder / "c.png").read_bytes(), GOOD["png"][0])
