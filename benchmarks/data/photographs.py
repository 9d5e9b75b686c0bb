"""The photographs on which lossless compression of images is measured, each an image file of its own.

    kodak      kodak/kodim01.png ..., the 24 scans of the Kodak Lossless True Color Image Suite, or the first 12
    mcmaster   mcmaster/1.* ... 18.*, scans of film (Zhang et al., Color demosaicking by local directional
               interpolation and nonlocal adaptive thresholding, 2011), in any format without loss

A PNG is measured as it lies there. Of another format, the image as PPM: what would decode it is not at stake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .dataset import DATA_VARIABLE, Dataset, DatasetError
from .imagefile import COMPRESSED, format_of, opened, shape

if TYPE_CHECKING:
    from PIL.Image import Image

_SUFFIXES = (".png", ".webp", ".tif", ".tiff", ".ppm", ".bmp")


@dataclass(frozen=True)
class Photographs:
    """One set.

    stem    how a file is called, less the suffix
    count   images of the whole set
    known   so many of the first are enough; `digest` is the sha256 of their pixels, one image after another
    """

    title: str
    stem: str
    count: int
    known: int
    digest: str


SETS = {
    "kodak": Photographs(
        "Kodak", "kodim{:02}", 24, 12, "94c8f79bb087acb8668011c17903a037c551641fe7b1636233bb0f137134bcb9"
    ),
    "mcmaster": Photographs(
        "McMaster", "{}", 18, 18, "69b048a3f3133eb826ad548bf70e179bec6c3c97cabcfb48228bd3aae8d023d6"
    ),
}


def photographs(name: str, root: Path, limit: int | None = None) -> Iterator[Dataset]:
    """The first `limit` images of a set below this folder, each a data set. Raises DatasetError."""
    known = SETS[name]
    paths = _paths(name, known, root)
    images = [_read(path) for path in paths]
    _check(name, known, [image for _, image in images])
    whole = len(paths) == known.count
    extent = f"all {known.count} images" if whole else f"images 1 to {len(paths)} of {known.count}"
    of_which = f" of the first {known.known}" if len(paths) > known.known else ""
    description = f"{known.title}, {extent} (sha256 of the pixels{of_which} verified)"
    if limit is not None and limit < len(paths):
        description += f"; first {limit} of these"
    for path, (data, image) in list(zip(paths, images, strict=True))[:limit]:
        found = (format_of(image), len(data)) if format_of(image) in COMPRESSED else None
        kept = data if image.format == "PNG" else _ppm(image)
        yield Dataset(f"{name}/{path.stem}", kept, description, image=shape(image), found=found)


def of_file(path: Path, data: bytes) -> Dataset | None:
    """The image in a file; None if it is none that is read whole, or if there is no Pillow to tell."""
    try:
        image = opened(data)
    except ImportError:
        return None
    if image is None:
        return None
    height, width, channels = shape(image)
    kind = format_of(image)
    described = f"{path.name}, {kind}, {width} x {height} pixels of {channels} samples, {len(data):,} bytes"
    found = (kind, len(data)) if kind in COMPRESSED else None
    return Dataset(path.name, data, described, image=shape(image), found=found)


def _paths(name: str, known: Photographs, root: Path) -> list[Path]:
    """All files of the set, or the first of them where some others are missing."""
    found = []
    for number in range(1, known.count + 1):
        stem = root / name / known.stem.format(number)
        path = next((each for each in map(stem.with_suffix, _SUFFIXES) if each.is_file()), None)
        if path is None and number <= known.known:
            raise DatasetError(
                f"{name} is not in {DATA_VARIABLE}={root}: put its images there as {name}/{stem.name}.png and so on "
                f"({known.known} of {known.count} are enough)"
            )
        found += [path] if path is not None else []
    return found if len(found) == known.count else found[: known.known]


def _read(path: Path) -> tuple[bytes, Image]:
    try:
        data = path.read_bytes()
        image = opened(data)
    except ImportError as error:
        raise DatasetError(f"{path.name}: images need Pillow: pip install 'catzip[images]'") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error}): fetch it again") from error
    if image is None or image.mode != "RGB":
        raise DatasetError(f"{path} is not a whole lossless image of three colours: fetch it again")
    return data, image


def _check(name: str, known: Photographs, images: list[Image]) -> None:
    digest = hashlib.sha256()
    for image in images[: known.known]:
        digest.update(image.tobytes())
    if digest.hexdigest() != known.digest:
        raise DatasetError(
            f"the images of {name} are not the public ones: the sha256 of the pixels of the first {known.known} "
            f"is not {known.digest}; fetch them again"
        )


def _ppm(image: Image) -> bytes:
    """As PNM of three colours: the same bytes whatever the version of Pillow."""
    return b"P6\n%d %d\n255\n" % image.size + image.tobytes()
