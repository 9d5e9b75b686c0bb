"""Photographs and other image files, and MNIST: what is found, what is verified, and what counts as the same image."""

import gzip
import hashlib
import io
import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from catzip.benchmarks.data import imagefile, mnist, photographs
from catzip.benchmarks.data.dataset import DATA_VARIABLE, Dataset, DatasetError
from catzip.benchmarks.data.datasets import load
from catzip.benchmarks.data.photographs import Photographs
from catzip.benchmarks.measuring import picture_peers

images = pytest.importorskip("PIL.Image")

SMOOTH = np.add.outer(np.arange(24) * 3, np.arange(36) * 2)[..., None] + np.arange(4) * 9
PIXELS = (SMOOTH % 251).astype(np.uint8)  # [24, 36, 4]
SCANS = [np.roll(PIXELS[..., :3], shift, axis=0) for shift in range(4)]


def packed(pixels: np.ndarray, form: str, **options: object) -> bytes:
    """An image file."""
    out = io.BytesIO()
    images.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, with `kodak` redefined as 4 images of which the first 2 are enough."""
    digest = hashlib.sha256(b"".join(scan.tobytes() for scan in SCANS[:2])).hexdigest()
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.setitem(photographs.SETS, "kodak", Photographs("Kodak", "kodim{:02}", 4, 2, digest))
    (tmp_path / "kodak").mkdir()
    return tmp_path


def put(root: Path, count: int, form: str = "PNG") -> None:
    for i, scan in enumerate(SCANS[:count]):
        suffix = {"PNG": "png", "WEBP": "webp"}[form]
        (root / "kodak" / f"kodim{i + 1:02}.{suffix}").write_bytes(packed(scan, form, lossless=True))


def test_the_first_are_enough(root: Path) -> None:
    put(root, 3)
    found = list(load("kodak"))
    assert [each.name for each in found] == ["kodak/kodim01", "kodak/kodim02"]
    assert found[1].data == (root / "kodak" / "kodim02.png").read_bytes()
    assert found[0].image == (24, 36, 3) and found[0].dimensions == 24 * 36 * 3
    assert found[0].found == ("PNG", len(found[0].data))
    assert found[0].description == "Kodak, images 1 to 2 of 4 (sha256 of the pixels verified)"
    (first,) = load("kodak", limit=1)
    assert first.description.endswith("verified); first 1 of these")


def test_all_of_them(root: Path) -> None:
    put(root, 4)
    found = list(load("kodak"))
    assert len(found) == 4
    assert found[3].description == "Kodak, all 4 images (sha256 of the pixels of the first 2 verified)"


def test_other_formats_become_ppm(root: Path) -> None:
    put(root, 2, "WEBP")
    first = next(load("kodak"))
    assert first.data == b"P6\n36 24\n255\n" + SCANS[0].tobytes()
    assert first.found == ("WebP", (root / "kodak" / "kodim01.webp").stat().st_size)


def test_wrong_photographs(root: Path) -> None:
    put(root, 1)
    with pytest.raises(DatasetError, match=r"put its images there as kodak/kodim02\.png and so on"):
        list(load("kodak"))
    (root / "kodak" / "kodim02.png").write_bytes(b"no image")
    with pytest.raises(DatasetError, match="not a whole lossless image of three colours"):
        list(load("kodak"))
    (root / "kodak" / "kodim02.png").write_bytes(packed(SCANS[3], "PNG"))
    with pytest.raises(DatasetError, match="the images of kodak are not the public ones"):
        list(load("kodak"))


@pytest.mark.skipif(
    not (Path(os.environ.get(DATA_VARIABLE) or "/nowhere") / "kodak").is_dir(),
    reason="CATZIP_DATA has no photographs",
)
@pytest.mark.parametrize("name", ["kodak", "mcmaster"])
def test_the_real_ones(name: str) -> None:
    assert all(min(each.image[:2]) >= 500 for each in load(name))


CONTENTS = {
    "photo.png": (packed(PIXELS, "PNG"), (24, 36, 4)),
    "grey.png": (packed(PIXELS[..., 0], "PNG"), (24, 36, 1)),
    "deep.png": (packed(PIXELS[..., 0].astype(np.uint16) * 200, "PNG"), (24, 36, 1)),
    "lossless.webp": (packed(PIXELS[..., :3], "WEBP", lossless=True), (24, 36, 3)),
    "photo.ppm": (packed(PIXELS[..., :3], "PPM"), (24, 36, 3)),
    "photo.bmp": (packed(PIXELS[..., :3], "BMP"), (24, 36, 3)),
    "lossy.webp": (packed(PIXELS[..., :3], "WEBP", quality=50), ()),
    "photo.jpg": (packed(PIXELS[..., :3], "JPEG"), ()),
    "broken.png": (packed(PIXELS, "PNG")[:60], ()),
    "text": (b"P6 is how some texts begin", ()),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_files(name: str, tmp_path: Path) -> None:
    data, shape = CONTENTS[name]
    (tmp_path / name).write_bytes(data)
    (found,) = load(str(tmp_path / name), limit=50)
    assert (found.name, found.image) == (name, shape)
    assert found.data == (data if shape else data[:50])
    assert (found.found is not None) == (bool(shape) and name.endswith((".png", ".webp")))


def test_16_bits_of_colours_are_no_image_here() -> None:
    """Pillow would read their high bytes."""
    data = bytearray(packed(PIXELS, "PNG"))
    data[24] = 16
    assert imagefile.opened(bytes(data)) is None


def test_same_image() -> None:
    data = packed(PIXELS, "PNG")
    assert imagefile.same_image(data, packed(PIXELS, "PNG", compress_level=0))
    assert not imagefile.same_image(data, packed(PIXELS, "PNG", dpi=(72, 72)))
    assert not imagefile.same_image(data, packed(PIXELS, "WEBP", lossless=True, exact=True))
    assert not imagefile.same_image(data, packed(np.roll(PIXELS, 1, axis=0), "PNG"))
    assert not imagefile.same_image(data, data[:-30])
    assert imagefile.same_image(b"abc", b"abc") and not imagefile.same_image(b"abc", b"abd")


def test_peers_of_an_image_file() -> None:
    data = packed(PIXELS, "PNG", dpi=(72, 72))
    dataset = Dataset("photo", data, "", image=(24, 36, 4), found=("PNG", len(data)))
    results = {name: job() for name, job in picture_peers.picture_jobs(dataset)}
    assert list(results) == ["PNG, the file as found", "PNG", "WebP", "JPEG XL"]
    assert results["PNG, the file as found"].compressed_bytes == len(data)
    for result in results.values():
        assert result.dimensions == PIXELS.size
        assert result.missing or (result.rate is not None and result.rate < 2)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB"])
def test_peers_of_other_modes(mode: str) -> None:
    out = io.BytesIO()
    images.fromarray(PIXELS).convert(mode).save(out, "PNG")
    dataset = Dataset("photo", out.getvalue(), "", image=(24, 36, 1))
    for _, job in picture_peers.picture_jobs(dataset):
        result = job()
        assert result.missing in (None, "pip install 'catzip[bench]'")


def test_what_a_format_does_not_take_is_a_row() -> None:
    data = packed(PIXELS[..., 0].astype(np.uint16) * 200, "PNG")
    jobs = dict(picture_peers.picture_jobs(Dataset("deep", data, "", image=(24, 36, 1))))
    assert jobs["PNG"]().rate is not None
    assert "does not take it (pixels of mode I;16)" in (jobs["WebP"]().missing or "")


DIGITS = np.arange(5 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(5, 28, 28)
IDX = b"".join(number.to_bytes(4, "big") for number in (0x803, 5, 28, 28)) + DIGITS.tobytes()


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress)],
    ids=["plain", "gz", "xz"],
)
def test_mnist(root: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, pack: object) -> None:
    monkeypatch.setattr(mnist, "DIGEST", hashlib.sha256(IDX).hexdigest())
    with pytest.raises(DatasetError, match="put the official test images there as mnist/t10k"):
        list(load("mnist"))
    (root / "mnist").mkdir()
    (root / "mnist" / (mnist.FILE + suffix)).write_bytes(pack(IDX))  # type: ignore[operator]
    (found,) = load("mnist", limit=3)
    assert (found.items == DIGITS[:3]).all() and found.is_pictures
    assert found.description == "MNIST test, all 5 images (sha256 verified); first 3 items of these"
    (root / "mnist" / (mnist.FILE + suffix)).write_bytes(pack(IDX[::-1]))  # type: ignore[operator]
    with pytest.raises(DatasetError, match="not the official file"):
        list(load("mnist"))
