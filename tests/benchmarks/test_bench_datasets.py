"""Benchmark data: what is found, what is verified, and what is said about it."""

import hashlib
import lzma
from pathlib import Path

import pytest

from catzip.benchmarks.data import corpora, dataset, datasets
from catzip.benchmarks.data.corpora import PublicCorpus
from catzip.benchmarks.data.dataset import DatasetError
from catzip.benchmarks.data.datasets import load

TEXT = bytes(range(97, 123)) * 40  # 1040 bytes


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, with `text8` redefined as a corpus of 1040 bytes whose test part is its last 100."""
    monkeypatch.setenv(dataset.DATA_VARIABLE, str(tmp_path))
    digest = "sha256:" + hashlib.sha256(TEXT).hexdigest()
    small = PublicCorpus("text8", len(TEXT), digest, (940, None), "its last 100 bytes", slice_test=50)
    monkeypatch.setitem(datasets.CORPORA, "text8", small)
    return tmp_path


@pytest.mark.parametrize("place", ["text8", "text8/text8", "text8.xz", "text8/text8.xz"])
def test_full_set(root: Path, place: str) -> None:
    path = root / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(lzma.compress(TEXT) if path.suffix else TEXT)
    (found,) = load("text8")
    assert found.data == TEXT[940:]
    assert found.description == "text8, the full public file (sha256 verified); test = its last 100 bytes"


def test_slice_and_limit(root: Path) -> None:
    (root / "text8").mkdir()
    (root / "text8" / "text8.100-300.xz").write_bytes(lzma.compress(TEXT[100:300]))
    (found,) = load("text8", limit=20)
    assert found.data == TEXT[100:120]
    assert found.description == (
        "text8 slice, bytes 100 to 300 of 1,040 (unverified); test = the first 50 bytes of the slice; "
        "first 20 bytes of these"
    )


def test_known_slice_is_verified(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "text8").mkdir()
    path = root / "text8" / "text8.100-300"
    path.write_bytes(TEXT[100:300])
    digest = hashlib.sha256(TEXT[100:300]).hexdigest()
    monkeypatch.setitem(datasets.SLICES, "text8.100-300", f"sha256:{digest}")
    assert "(sha256 verified)" in next(load("text8")).description
    path.write_bytes(TEXT[101:301])
    with pytest.raises(DatasetError, match="not the public file"):
        list(load("text8"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text8", TEXT[:-1], "has 1,039 bytes, but text8 has 1,040"),
        ("text8", TEXT[::-1], "its sha256 is not"),
        ("text8.xz", b"not xz", "cannot be read"),
    ],
)
def test_wrong_file(root: Path, name: str, content: bytes, message: str) -> None:
    (root / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        list(load("text8"))


def test_slice_of_another_length_than_its_name(root: Path) -> None:
    (root / "text8").mkdir()
    (root / "text8" / "text8.100-300").write_bytes(TEXT[:199])
    with pytest.raises(DatasetError, match="not the range in its name"):
        list(load("text8"))


def test_missing_names_the_remedy(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match=r"put the public file there as text8/text8 \(1,040 bytes"):
        list(load("text8"))
    monkeypatch.delenv(dataset.DATA_VARIABLE)
    with pytest.raises(DatasetError, match="set it to the folder"):
        list(load("text8"))


def test_path(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_bytes(b"abc")
    (found,) = load(str(tmp_path / "mine.txt"))
    assert (found.name, found.data) == ("mine.txt", b"abc")
    assert found.description == "mine.txt, the whole file of 3 bytes"
    with pytest.raises(DatasetError, match="one of: text8, enwik8"):
        list(load(str(tmp_path / "absent")))


def test_groups_name_corpora() -> None:
    assert len(corpora.GROUPS["calgary"]) == 18
    assert all(member in corpora.CORPORA for group in corpora.GROUPS.values() for member in group)
    assert set(corpora.GROUPS["calgary-english"]) < set(corpora.GROUPS["calgary"])


def test_samba_leaves_out_what_may_be_training_data() -> None:
    assert corpora.CORPORA["samba"].test[0] == 8_000_000
