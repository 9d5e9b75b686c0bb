"""FORMAT.md says what the code does."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
from helpers import TEXT, compress
from safetensors import safe_open

import catzip.compressor.format.container as container
from catzip.compressor import media
from catzip.compressor.coding import vocabulary
from catzip.compressor.coding.pmf import MAX_SYMBOLS, PRECISION
from catzip.compressor.format import limits, lzma2, numbers, payload, trailer, varint
from catzip.compressor.media import planes, raster
from catzip.compressor.recompression import exact, kinds, png
from catzip.models.families import lanes, wordlist
from catzip.models.families.idf import corrections
from catzip.models.layers import grid, logistics
from catzip.models.registry import Registry

DOC = (Path(container.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")


def tables() -> list[list[dict[str, str]]]:
    """Every table: a list of rows, each from heading to cell."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", DOC, re.MULTILINE):
        heading, _, *rows = [
            [cell.strip() for cell in line.strip("|\n").split("|")] for line in block.splitlines()
        ]
        found.append([dict(zip(heading, row, strict=True)) for row in rows])
    return found


def table(*headings: str, holding: str) -> dict[str, dict[str, str]]:
    """The one table with these headings and a row of this name, by the names of its rows."""
    matches = [t for t in tables() if tuple(t[0]) == headings and any(holding in row.values() for row in t)]
    assert len(matches) == 1
    return {next(iter(row.values())): row for row in matches[0]}


def test_header():
    rows = table("field", "size", "value", holding="magic")
    text = b"".join(bytes.fromhex(row["value"].strip("`")) for row in rows.values())
    assert text == container.HEADER
    assert [int(row["size"]) for row in rows.values()] == [len(container.MAGIC), 1]


def test_kinds():
    rows = table("kind", "name", "what follows the tag", holding="stored")
    assert {int(kind): row["name"] for kind, row in rows.items()} == {container.END: "end", **container.KINDS}


def test_frame_fields():
    rows = table("field", "size", "meaning", holding="fingerprint")
    assert int(rows["fingerprint"]["size"]) == container.FINGERPRINT_SIZE
    assert int(rows["check"]["size"]) == container.CHECK_SIZE == len(container.checksum(b""))
    assert rows["length"]["meaning"].endswith(f"1 .. {container.MAX_FRAME}")
    follows = table("kind", "name", "what follows the tag", holding="stored")["3"]["what follows the tag"]
    head = container.Head(container.CODED, "text27", b"\xaa" * 8, 300, 200).to_bytes()
    assert head == b"\x13" + b"\xaa" * 8 + varint.encode(300) + varint.encode(200)
    assert follows == "fingerprint, length, size, payload, check"


def test_media():
    rows = table("medium", "name", "symbols", "side stream", holding="text27")
    assert rows.pop(str(numbers.MEDIA[media.TOKENS]))["symbols"].startswith(f"at most {MAX_SYMBOLS}: ")
    assert {(row["name"], int(wire), int(row["symbols"].split(":")[0])) for wire, row in rows.items()} == {
        (name, medium.wire, medium.alphabet) for name, medium in media.MEDIA.items()
    }
    assert numbers.MEDIA.keys() == {*media.MEDIA, media.TOKENS}


def test_vocabularies():
    assert f"a piece of 0 .. {vocabulary.LONGEST} bytes" in DOC
    assert f"PMFs of {PRECISION} bits over 2 .. {MAX_SYMBOLS} symbols" in DOC
    assert f"`{wordlist.BYTES}`, u1 [B]" in DOC and f"`{wordlist.LENGTHS}`, u1 [K]" in DOC


def test_filters_of_planes():
    rows = table("filter", "name", "prediction", holding="high")
    assert {row["name"]: int(number) for number, row in rows.items()} == {
        name.lower(): getattr(planes, name) for name in ("NONE", "LEFT", "UP", "HIGH")
    }
    assert f"{planes.ALIKE} is added to the filter" in DOC


def test_coded_fields():
    rows = table("field", "size", "meaning", holding="plan count")
    assert rows["plan count"]["meaning"].endswith(f"0 .. {payload.MAX_PLAN}")
    factor, constant = map(int, re.findall(r"(\d+) \* length \+ (\d+)", rows["side length"]["meaning"])[0])
    assert numbers.side_limit(1000) == factor * 1000 + constant


def test_trailer_fields():
    rows = table("field", "size", "meaning", holding="crc")
    assert list(rows) == ["body", "crc", "entries", "end"]
    assert int(rows["crc"]["size"]) == trailer.CRC_SIZE
    tail = trailer.pack([(300, 400), (7, 8)], 321)[::-1]
    assert tail[:2] == varint.encode(321)
    assert tail[6:] == varint.encode(300) + varint.encode(400) + b"\0"


def test_limits_in_prose():
    assert f"at most {trailer.MAX_FRAMES} frames" in DOC
    assert f"1 to {varint.MAX_BYTES} bytes" in DOC


def test_overhead_in_prose():
    listed = re.search(r"(header \d+,[^.]*)\.", DOC)[1]
    parts = [int(number) for number in re.findall(r"\d+", listed)]
    assert sum(parts) == int(re.search(r"at most (\d+) bytes beside its payload", DOC)[1]) == 40
    assert len(compress(b"")) == int(re.search(r"An empty file has (\d+) bytes", DOC)[1])
    assert len(compress(b"a")) == int(re.search(r"one byte has (\d+)", DOC)[1])
    assert len(compress(TEXT.encode())) < len(TEXT)


def test_fingerprint():
    """As the text says, without the code that it is about."""
    path = Registry().info("idf-mnist")["path"]
    with safe_open(path, framework="numpy") as file:
        table = json.loads(file.metadata()["catzip"])
        decisive = {
            key: table.get(key) for key in re.findall(r"`(family)`,\n`(model)` and `(coding)`", DOC)[0]
        }
        digest = hashlib.sha256(as_json(decisive))
        for name in sorted(file.keys()):
            tensor = file.get_tensor(name)
            digest.update(as_json([name, f"{tensor.dtype.kind}{tensor.dtype.itemsize}", list(tensor.shape)]))
            digest.update(tensor.tobytes())
    assert digest.digest()[:8].hex() == table["fingerprint"]


def as_json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def test_packing():
    rows = table("format", "name", "content", "parameters", "what comes out", holding="png-exact")
    assert {int(number): row["name"] for number, row in rows.items()} == numbers.REPACKINGS
    assert f"The content is at most {kinds.MAX_CONTENT} bytes" in DOC
    sizes = table("field", "size", "meaning", holding="fingerprint")["size"]["meaning"]
    assert sizes.endswith(f"of a packing frame, 1 .. {numbers.MAX_REPACKING}")
    fields = table("field", "size", "meaning", holding="strategy")
    assert list(fields) == [
        "head",
        "level",
        "memory",
        "strategy",
        "window",
        "version",
        "filters",
        "chunks",
        "check",
    ]
    assert int(fields["check"]["size"]) == exact.CHECK_SIZE
    assert f"nor of more than {png.MAX_LINES} rows" in DOC.replace("\n", " ")


def test_unpacked_pictures():
    magics = table("field", "size", "meaning", holding="front")["magic"]["meaning"]
    found = re.findall(r"`([0-9A-F ]+)` of a (\w+)", magics)
    assert {bytes.fromhex(text): kind.lower() for text, kind in found} == kinds.MAGICS


def test_corrections():
    """The frequencies of their weights, by Python's integers and the numbers of the text."""
    text = re.search(r"Corrections come before.*?\n\n", DOC, re.DOTALL)
    assert text
    scale, total, most = (
        int(re.search(pattern, text[0])[1])  # type: ignore[index]
        for pattern in (r"floor\(2\^(\d+) / ", r"\(2\^(\d+) - ", r"symbols w \+ (\d+);")
    )
    for spread in range(1, 16):
        mass = {w: 2**scale // (4 * w * w + 2**spread) ** 2 for w in range(-most, most + 1)}
        rows = {w: 1 + each * (2**total - len(mass)) // sum(mass.values()) for w, each in mass.items()}
        rows[0] += 2**total - sum(rows.values())
        assert corrections.weight_pmf(np.array([spread])).freqs[0].tolist() == list(rows.values())
    for steps, exponent in zip(
        re.findall(r"floor\(S / 2\^(\d+) \+", text[0]), corrections.EXPONENTS, strict=True
    ):
        assert int(steps) == exponent + grid.ACT - logistics.MEAN
    assert f"for the code {corrections.BIAS}." in text[0]


def test_claims():
    assert f"at most {lzma2.MAX_RATIO} times its size" in DOC
    assert f"at most {container.MAX_RATIO} times if it is 3" in DOC
    assert f"at least side length / {lzma2.MAX_RATIO}" in DOC
    assert f"behind the pixels of each row, 0 .. {raster.MAX_PADDING} " in DOC
    assert re.search(rf"T at\s+most {lanes.MAX_STEPS},", DOC)
    assert f"and is {limits.CREDIT} at most" in DOC
    assert "p + floor(p^2 / 8192) of work" in DOC and limits.allowance(1 << 13) == 1 << 14
