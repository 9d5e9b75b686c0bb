"""CIFAR-10 in each form it is found in, arrays in general, and PNG, WebP and JPEG XL beside them."""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from catzip.benchmarks.data import cifar10
from catzip.benchmarks.data.dataset import DATA_VARIABLE, Dataset, DatasetError, npy
from catzip.benchmarks.data.datasets import load
from catzip.benchmarks.measuring import picture_peers

SMOOTH = np.add.outer(np.arange(32), np.arange(32))[..., None] + np.arange(3) * 9
PIXELS = ((SMOOTH[None] + np.arange(7)[:, None, None, None] * 20) % 256).astype(np.uint8)  # [7, 32, 32, 3]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, with CIFAR-10 redefined as 7 images, of which the first 6 are the slice."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.setattr(cifar10, "IMAGES", 7)
    monkeypatch.setattr(cifar10, "SLICE_IMAGES", 6)
    monkeypatch.setattr(cifar10, "SLICE_DIGEST", hashlib.sha256(PIXELS[:6].tobytes()).hexdigest())
    (tmp_path / "cifar10").mkdir()
    return tmp_path


def binary(pixels: np.ndarray) -> bytes:
    """As in the public file: a label, then the channels one after another."""
    return b"".join(bytes([3]) + image.transpose(2, 0, 1).tobytes() for image in pixels)


def save_mosaic(path: Path, pixels: np.ndarray) -> None:
    """A mosaic of 3 x 2 tiles."""
    image = pytest.importorskip("PIL.Image")
    tiles = pixels.reshape(2, 3, 32, 32, 3).swapaxes(1, 2).reshape(64, 96, 3)
    image.fromarray(tiles).save(path, lossless=True)


@pytest.mark.parametrize("folder", ["", "cifar10"])
def test_full_set(root: Path, folder: str) -> None:
    path = root / folder / "cifar-10-batches-bin" / "test_batch.bin"
    path.parent.mkdir()
    path.write_bytes(binary(PIXELS))
    (found,) = load("cifar10")
    assert (found.items == PIXELS).all() and found.item == (32, 32, 3)
    assert found.description == (
        "CIFAR-10 test, all 7 images, the full public file (sha256 of the first 6 verified)"
    )
    path.write_bytes(binary(PIXELS)[:-1])
    with pytest.raises(DatasetError, match=r"has 21,510 bytes, but the public file has 21,511"):
        list(load("cifar10"))
    path.write_bytes(binary(PIXELS[::-1]))
    with pytest.raises(DatasetError, match="not the public test set"):
        list(load("cifar10"))


def test_slice_and_limit(root: Path) -> None:
    save_mosaic(root / "cifar10" / cifar10.SLICE, PIXELS[:6])
    (found,) = load("cifar10", limit=4)
    assert found.data == npy(PIXELS[:4]) and found.dimensions == 4 * 3072
    what = "CIFAR-10 test, images 0 to 5 of 7 (sha256 verified)"
    assert found.description == f"{what}; first 4 items of these"
    save_mosaic(root / "cifar10" / cifar10.SLICE, PIXELS[1:])
    with pytest.raises(DatasetError, match="not the public test set"):
        list(load("cifar10"))
    (root / "cifar10" / cifar10.SLICE).write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="cannot be read"):
        list(load("cifar10"))


def test_pickle_is_not_opened(root: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"put the binary version .* as cifar-10-batches-bin/test_batch\.bin"
    ):
        list(load("cifar10"))
    (root / "cifar-10-batches-py").mkdir()
    (root / "cifar-10-batches-py" / "test_batch").write_bytes(b"a pickle")
    with pytest.raises(DatasetError, match="is a pickle, which is not opened as it can run code"):
        list(load("cifar10"))


@pytest.mark.skipif(
    not (Path(os.environ.get(DATA_VARIABLE) or "/nowhere") / "cifar10" / cifar10.SLICE).is_file(),
    reason="CATZIP_DATA has no CIFAR-10 slice",
)
def test_the_real_slice() -> None:
    (found,) = load("cifar10")
    assert found.items.shape == (500, 32, 32, 3) and "images 0 to 499 of 10,000" in found.description


def test_an_array_in_a_file_has_items(tmp_path: Path) -> None:
    path = tmp_path / "mine.npy"
    path.write_bytes(npy(PIXELS))
    (found,) = load(str(path), limit=2)
    assert found.data == npy(PIXELS[:2]) and found.item == (32, 32, 3) and found.is_pictures
    path.write_bytes(npy(PIXELS)[:-1])
    (found,) = load(str(path), limit=200)
    assert len(found.data) == 200 and found.item == () and found.dimensions == 200


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 500])
def test_sheet(count: int) -> None:
    pixels = np.arange(count, dtype=np.uint32).astype(np.uint8).reshape(count, 1, 1, 1).repeat(3, axis=3)
    sheet = picture_peers.on_sheet(pixels)[0]
    assert (sheet.reshape(-1, 3)[:count, 0] == pixels[:, 0, 0, 0]).all()
    assert count <= sheet.shape[0] * sheet.shape[1] <= count + 1
    if count == 500:
        assert sheet.shape == (20, 25, 3)


@pytest.mark.parametrize("items", [PIXELS, PIXELS[..., 0]], ids=["colours", "grey"])
def test_formats_restore(items: np.ndarray) -> None:
    pytest.importorskip("PIL")
    dataset = Dataset.of_items("smooth", items, "")
    results = {name: job() for name, job in picture_peers.picture_jobs(dataset)}
    ways = ("one file each", "one sheet of 4 x 2")
    assert list(results) == [f"{form}, {way}" for form in ("PNG", "WebP", "JPEG XL") for way in ways]
    for name, result in results.items():
        assert result.missing or (result.rate is not None and result.rate < 3 and result.system == name)
        assert "does not" not in (result.missing or "") and result.dimensions == items.size


def test_other_pixels_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    image = pytest.importorskip("PIL.Image")
    monkeypatch.setattr(picture_peers, "_decode", lambda form, file: image.fromarray(PIXELS[0]))
    (_, job), *_ = picture_peers.picture_jobs(Dataset.of_items("smooth", PIXELS, ""))
    with pytest.raises(RuntimeError, match="PNG, one file each did not restore the images of smooth"):
        job()


def test_without_pillow_is_a_row(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    (root / "cifar10" / cifar10.SLICE).write_bytes(b"")
    jobs = dict(picture_peers.picture_jobs(Dataset.of_items("smooth", PIXELS, "")))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pillow_jxl", None)
        assert jobs["JPEG XL, one file each"]().missing == "pip install 'catzip[bench]'"
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert jobs["PNG, one file each"]().missing == "pip install 'catzip[images]'"
    with pytest.raises(DatasetError, match="images need Pillow"):
        list(load("cifar10"))


def test_only_images_have_pictures() -> None:
    assert not list(picture_peers.picture_jobs(Dataset("text", b"abc", "")))
    assert not list(picture_peers.picture_jobs(Dataset.of_items("rows", PIXELS[:, 0, :, 0], "")))
