"""PNG and WebP files through the command line, in a process of its own."""

import json
import random
import re
import zlib

import numpy as np
import pytest
from clitools import catzip, contents
from png_files import BAD, SIGNATURE, chunk, ihdr, png
from test_packing_golden import CONTENT, GOOD, bad_path, good_path
from test_packing_pipeline import AS_BYTES, webp_file
from test_packing_refusals import BROKEN_BY_PACKING

from catzip.commands.files import STDIO
from catzip.compressor.pictures import is_same_picture

_RANDOM = random.Random(4)
SPECKLED, _ = png(20, 24, rows=[bytes(_RANDOM.choices(range(12), k=60)) for _ in range(24)], kinds=[4] * 24)


def foreign():
    """A smooth picture, in a stream that was flushed midway: zlib makes none like that by itself."""
    grain = np.random.RandomState(1).normal(0, 2, (100, 120, 1))
    y, x, channel = np.ogrid[:100, :120, :3]
    rows = (128 + 60 * np.sin(y / 17 + x / 23) + 9 * channel + grain).astype(np.uint8).reshape(100, -1)
    plain = b"".join(b"\0" + row.tobytes() for row in rows)
    flushed = zlib.compressobj(6)
    stream = flushed.compress(plain[:999]) + flushed.flush(zlib.Z_FULL_FLUSH)
    stream += flushed.compress(plain[999:]) + flushed.flush()
    return SIGNATURE + ihdr(120, 100, 8, 2) + chunk(b"IDAT", stream) + chunk(b"IEND")


FOREIGN = foreign()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.png").write_bytes(SPECKLED)
    (tmp_path / "broken.png").write_bytes(BAD["cut-in-idat"])
    (tmp_path / "a.jpg").write_bytes(AS_BYTES["jpeg"][0])
    return tmp_path


def test_the_same_file_comes_back(folder):
    for words in ((), ("--byte-exact",)):
        done = catzip("compress", "-f", "-v", *words, "a.png", cwd=folder)
        size = (folder / "a.png.catz").stat().st_size
        assert size < len(SPECKLED)
        assert f"a.png: {len(SPECKLED)} => {size} bytes" in done.stderr
        assert "PNG: unpacked; it comes back byte for byte" in done.stderr
        assert catzip("cat", "a.png.catz", cwd=folder).stdout == SPECKLED
    anew = catzip("cat", "--repack", "a.png.catz", cwd=folder).stdout
    assert is_same_picture(anew, SPECKLED)
    catzip("decompress", "--repack", "a.png.catz", "-o", "b.png", cwd=folder)
    assert (folder / "b.png").read_bytes() == anew


def test_with_pixels_the_same_pixels_and_chunks_come_back(folder):
    done = catzip("compress", "--pixels", "-v", "a.png", "broken.png", cwd=folder)
    size = (folder / "a.png.catz").stat().st_size
    assert "PNG: unpacked; its pixels and chunks come back, packed anew" in done.stderr
    done = catzip("decompress", "a.png.catz", "-o", "b.png", cwd=folder)
    written = (folder / "b.png").read_bytes()
    assert is_same_picture(written, SPECKLED)
    assert f"a.png.catz: {size} => {len(written)} bytes, b.png" in done.stderr
    assert f"{len(written)} bytes, ok" in catzip("test", "a.png.catz", cwd=folder).stderr
    assert catzip("cat", "broken.png.catz", cwd=folder).stdout == BAD["cut-in-idat"]
    done = catzip("compress", "--pixels", "--byte-exact", "a.png", cwd=folder, code=2)
    assert "exclude each other" in done.stderr


def test_what_repacking_would_break_fails_and_other_files_go_on(folder):
    (folder / "notes.txt").write_text("the cat sat on the mat " * 20)
    for name, reason in (("c2pa", "'caBX' may speak of the bytes"), ("zip-behind-the-end", "22 bytes more")):
        (folder / "signed.png").write_bytes(BROKEN_BY_PACKING[name][0])
        done = catzip("compress", "-f", "--pixels", "--rm", "signed.png", "notes.txt", cwd=folder, code=1)
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("catzip:")]
        assert line.startswith("catzip: signed.png: this PNG cannot be repacked: ")
        assert reason in line
        assert line.endswith("Leave out --pixels (in Python, byte_exact=False)")
        assert "signed.png" in contents(folder)
        assert not {"notes.txt", "signed.png.catz"} & set(contents(folder))
        catzip("decompress", "-f", "--rm", "notes.txt.catz", cwd=folder)
    catzip("compress", "--rm", "signed.png", cwd=folder)
    catzip("decompress", "signed.png.catz", cwd=folder)
    assert (folder / "signed.png").read_bytes() == BROKEN_BY_PACKING["zip-behind-the-end"][0]


def test_where_zlib_cannot_make_it_again_the_closing_line_says_so(folder):
    (folder / "foreign.png").write_bytes(FOREIGN)
    done = catzip("compress", "foreign.png", cwd=folder)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"foreign.png: {len(FOREIGN)} => ")
    found = re.search(
        r"; coded as bytes: zlib .* does not make .*; --pixels would save about (\d+) bytes$", line
    )
    whole = (folder / "foreign.png.catz").stat().st_size
    catzip("compress", "-f", "--pixels", "foreign.png", cwd=folder)
    saved = whole - (folder / "foreign.png.catz").stat().st_size
    assert int(found[1]) == pytest.approx(saved, rel=0.3)
    assert catzip("compress", "-f", "-v", "foreign.png", cwd=folder).stderr.count("coded as bytes") == 1


def test_what_is_promised_is_kept(folder):
    many, _ = png(64, 64, kinds=[4] * 64, cuts=[0] * 100_000)
    (folder / "many.png").write_bytes(many)
    catzip("compress", "many.png", cwd=folder)
    catzip("decompress", "-f", "many.png.catz", cwd=folder)
    assert (folder / "many.png").read_bytes() == many


@pytest.mark.parametrize("words", [(), ("--pixels",)], ids=["exact", "pixels"])
def test_rm_verifies_and_removes(words, folder):
    catzip("compress", "--rm", *words, "a.png", "broken.png", "a.jpg", cwd=folder)
    assert set(contents(folder)) == {"a.png.catz", "broken.png.catz", "a.jpg.catz"}
    catzip("decompress", "--rm", "a.png.catz", "broken.png.catz", "a.jpg.catz", cwd=folder)
    found = contents(folder)
    assert is_same_picture(found["a.png"], SPECKLED)
    assert found["a.png"] == SPECKLED or words
    assert (found["broken.png"], found["a.jpg"]) == (BAD["cut-in-idat"], AS_BYTES["jpeg"][0])


def test_rm_of_a_webp_that_comes_back_with_another_size(folder):
    pytest.importorskip("PIL.Image")
    y, x, channel = np.ogrid[:120, :120, :3]
    grain = np.random.RandomState(1).normal(0, 2.5, (120, 120, 1))
    photo = 128 + 60 * np.sin(y / 17 + x / 23) + 9 * channel + grain
    data = webp_file(photo.astype(np.uint8), method=0, quality=0)
    (folder / "a.webp").write_bytes(data)
    catzip("compress", "--rm", "--pixels", "a.webp", cwd=folder)
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
    packed = catzip("compress", "--pixels", cwd=folder, stdin=SPECKLED).stdout
    assert is_same_picture(catzip("decompress", cwd=folder, stdin=packed).stdout, SPECKLED)
    exact = catzip("compress", STDIO, cwd=folder, stdin=SPECKLED).stdout
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
