"""Tables of images: one for each data set, from all runs, with a row for each codec."""

from dataclasses import replace

from catzip.benchmarks import report
from catzip.benchmarks.results import Result, Run
from catzip.benchmarks.tables import image_tables

NAMES = ("kodak/kodim01", "kodak/kodim02", "kodak/kodim03")
OURS = Result(
    "",
    "idf-photo",
    "",
    original_bytes=900,
    compressed_bytes=400,
    compress_s=2.0,
    decompress_s=4.0,
    peak_memory_bytes=3 << 20,
    dimensions=1000,
    nll_bits=3000.0,
    models={"idf-photo": "00"},
    frames={"coded": 1},
)
PNG = Result("", "PNG", "Pillow", 900, 600, 0.5, 0.1, dimensions=1000)
JXL = replace(PNG, system="JPEG XL", compressed_bytes=None, missing="pip install 'catzip[bench]'")
FACTS = {"description": "Kodak, images 1 to 3 of 24", "bytes": 900, "image": [10, 20, 5], "dimensions": 1000}
PEERS = Run(
    command="catzip bench --dataset kodak --peers-only",
    date="2026-01-02",
    catzip="0.1.0",
    commit="abc",
    machine={"device": "cpu"},
    datasets={name: {**FACTS, "sha256": name} for name in NAMES},
    results=[replace(each, dataset=name) for name in NAMES for each in (PNG, JXL)],
)
STORED = replace(OURS, compressed_bytes=500, nll_bits=None, models={}, frames={"stored": 1}, compress_s=7.0)
MODEL = replace(
    PEERS,
    machine={"device": "cuda, GPU"},
    results=[
        replace(each, dataset=name) for name, each in zip(NAMES, (OURS, OURS, STORED), strict=True)
    ],
)  # fmt: skip


def cells(text: str, start: str) -> list[list[str]]:
    """The rows of tables that start like this."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {start}")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_rows_of_all_runs_and_published_ones() -> None:
    text = report.document([PEERS, MODEL])
    assert "## Images: kodak, 3 images" in text and text.count("## Images") == 1
    measured, published = cells(text, "PNG")
    assert measured == ["PNG", "3", "1,800", "4.8000", "-", "-", "1.50 s", "2", "0.002", "0.30 s", "10",
                        "0.01", "-", "-"]  # fmt: skip
    assert published == ["PNG", "-", "-", "4.35", *["-"] * 9, "published"]
    (ours,) = cells(text, "idf-photo")
    assert ours[:8] == ["idf-photo (stored, 1 of 3)", "3", "1,300", "3.4667", "-", "-", "11.00 s", "0.273"]
    assert ours[-1] == "cuda, GPU"
    assert cells(text, "JPEG XL (not run")[0][1:5] == ["3", "-", "-", "-"]
    assert "Kodak, images 1 to 3 of 24. Published figures are of all 24 images of the set, with other" in text
    assert text.count("## kodak: how this was measured") == 2 and PEERS.command in text


def test_gap_is_of_the_whole_set() -> None:
    whole = replace(MODEL, results=[replace(OURS, dataset=name) for name in NAMES])
    (ours,) = cells(report.document([whole]), "idf-photo")
    assert ours[3:6] == ["3.2000", "3.0000", "+6.667 %"]


def test_files() -> None:
    text = report.document([PEERS, MODEL])
    assert cells(text, "file")[0] == ["file", "PNG", "idf-photo (stored, 1 of 3)"]
    assert cells(text, "kodim03") == [["kodim03", "4.800", "4.000"]] and cells(text, "all")[0][1] == "4.800"
    assert "cuda, GPU: the slowest image took 7.00 s to compress, 4.00 s to decompress." in text


def test_a_stopped_run_says_of_how_many() -> None:
    text = report.terminal(replace(PEERS, results=PEERS.results[:2]))
    assert "PNG (1 of 3 files)" in text and "|" not in text


ARRAY = {"description": "MNIST test", "bytes": 728, "sha256": "x", "item": [10, 5], "dimensions": 600}


def test_arrays() -> None:
    """A set with picture formats beside it has no other table."""
    row = replace(OURS, dataset="mnist", system="idf-mnist", dimensions=600)
    single = replace(row, dimensions=100, files=2, compressed_bytes=70)
    peer = replace(PNG, dataset="mnist", system="PNG, one file each", dimensions=600)
    run = replace(PEERS, datasets={"mnist": ARRAY}, results=[row, single, peer])
    text = report.document([run])
    assert "## Images: mnist, 12 images" in text and "## mnist: how this was measured" in text
    assert "mnist, 728 bytes" not in text and "file |" not in text
    first, second = cells(text, "idf-mnist")
    assert first[1:4] == ["2", "70", "5.6000"] and "first 2 items, a file each" in first[0]
    assert second[1:4] == ["12", "400", "5.3333"] and second[7] == "6"
    assert "mnist, 728 bytes" in report.document([replace(run, results=[row])])


def test_an_image_without_peers_has_a_table() -> None:
    run = replace(
        MODEL, datasets={"photo.png": {**FACTS, "sha256": "y"}}, results=[replace(OURS, dataset="photo.png")]
    )
    assert [each.title for each in image_tables.image_sets([run])] == ["photo.png, 1 image"]
    assert "bits/sub-pixel" in report.terminal(run)
