"""A small model of images, which needs their geometry, and images for it in files of many kinds."""

import hashlib
import io
import math
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from helpers import TableModel, npy
from numpy.typing import NDArray
from PIL import Image

from catzip.compressor.coding.pmf import TOTAL
from catzip.compressor.coding.stack import Stack
from catzip.compressor.errors import CorruptError, ModelMismatchError
from catzip.compressor.recompression import form

Plan = tuple[int, ...]
Samples = NDArray[np.uint8]

SEGMENT = 1 << 12


class ImageModel(TableModel):
    """Codes the difference to the pixel on the left; its plan is (width, channels)."""

    def __init__(self, name: str = "table-image") -> None:
        super().__init__(name, "image")
        weights = 0.8 ** np.minimum(np.arange(256), 256 - np.arange(256)) + 1e-4
        self.freqs = (1 + np.floor(weights / weights.sum() * (TOTAL - 256))).astype(np.uint32)
        self.freqs[0] += np.uint32(TOTAL - int(self.freqs.sum()))
        self.fingerprint = hashlib.sha256(name.encode()).digest()[:8]

    def plan(self, count: int, steps: int | None = None, shape: tuple[int, ...] = ()) -> Plan:
        if steps is not None:
            raise ModelMismatchError(f"{self.name} has no budgets of steps")
        height, width, channels = shape or (1, count, 1)
        assert height * width * channels == count
        return width, channels

    def segment_sizes(self, count: int, plan: Plan) -> list[int]:
        if len(plan) != 2 or not 1 <= math.prod(plan) <= count or count % math.prod(plan):
            raise CorruptError(f"the image model knows no plan {plan} for {count} symbols")
        return [min(SEGMENT, count - start) for start in range(0, count, SEGMENT)]

    def encode(self, symbols: Samples, plan: Plan) -> Iterator[Stack]:
        return super().encode(self._differences(symbols, plan), plan)

    def decode(self, stacks: Iterator[Stack], count: int, plan: Plan) -> Samples:
        rows = super().decode(stacks, count, plan).reshape(-1, *plan)
        rows[:, 0] = np.cumsum(rows[:, 0], axis=0, dtype=np.uint8)
        return np.cumsum(rows, axis=1, dtype=np.uint8).ravel()

    def nll(self, symbols: Samples, plan: Plan) -> float:
        return super().nll(self._differences(symbols, plan), plan)

    def _differences(self, symbols: Samples, plan: Plan) -> Samples:
        rows = symbols.reshape(-1, *plan)
        left = np.diff(rows, axis=1, prepend=np.uint8(0))
        left[:, 0] = np.diff(rows[:, 0], axis=0, prepend=np.uint8(0))
        return left.ravel()


def picture(height: int, width: int, samples: int, wide: bool = False, seed: int = 0) -> NDArray[np.uint16]:
    """A smooth picture with a little noise, [H, W, samples] of 8 or 16 bits; alpha is mostly opaque."""
    random = np.random.RandomState(seed)
    y, x, channel = np.mgrid[:height, :width, :samples]
    values = 128 + 60 * np.sin(y / 9 + channel) + 50 * np.cos(x / 11 + channel / 2)
    values += random.normal(0, 1.5, values.shape)
    if samples % 2 == 0:
        values[:, :, -1] = np.where(x[:, :, 0] % 17 == 16, values[:, :, -1], 255)
    top = 65535 if wide else 255
    scaled = (values * (257 if wide else 1)).clip(0, top)
    return scaled.astype(np.uint16 if wide else np.uint8)


def packed(content: NDArray[np.generic], order: str = ">") -> bytes:
    """The samples as bytes, those of 16 bits in this order."""
    return content.astype(f"{order}u{content.dtype.itemsize}").tobytes()


def pnm(content: NDArray[np.generic], head: bytes = b"P%c\n%d %d\n%d\n") -> bytes:
    height, width, samples = content.shape
    most = 65535 if content.itemsize == 2 else 255
    return head % (b"6" if samples == 3 else b"5", width, height, most) + packed(content)


def unpacked(content: NDArray[np.generic], back: bytes = b"\0\0\0\0IEND\xaeB`\x82") -> bytes:
    """As PNG, unpacked."""
    height, width, samples = content.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[samples]
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8 * content.itemsize, colour, 0, 0, 0)
    front = b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + header + struct.pack(">I", zlib.crc32(header))
    shape = form.Shape(width, height, 8 * content.itemsize, colour)
    return form.Unpacked("png", shape, front + b"text" * 9, packed(content), back).to_bytes()


def unpacked_webp(content: Samples) -> bytes:
    height, width, samples = content.shape
    word = width - 1 | (height - 1) << 14 | (samples == 4) << 28
    front = b"\x2f" + struct.pack("<I", word) + b"RIFF\0\0\0\0WEBP"
    shape = form.Shape.of_webp(front)
    assert shape is not None
    return form.Unpacked("webp", shape, front, packed(content), b"").to_bytes()


def bmp(content: Samples, top_down: bool = False, masks: bool = False) -> bytes:
    """A BMP as it comes, bottom up, or not; of 32 bits with masks, or without."""
    height, width, samples = content.shape
    stored = content if top_down else content[::-1]
    stored = stored[:, :, [2, 1, 0, 3][:samples] if samples > 1 else [0]].reshape(height, -1)
    rows = np.pad(stored, ((0, 0), (0, -stored.shape[1] % 4)))
    greys = bytes(value for grey in range(256) for value in (grey, grey, grey, 0)) * (samples == 1)
    rest = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) if masks else greys
    start = 54 + len(rest)
    rows_up = -height if top_down else height
    sizes = struct.pack("<IiiHHIIiiII", 40, width, rows_up, 1, 8 * samples, 3 * masks, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + rows.size, 0, 0, start) + sizes + rest + rows.tobytes()


def tiff(
    content: NDArray[np.generic],
    order: str = "<",
    first: bool = False,
    rows: int = 7,
    **tags: tuple[int, ...],
) -> bytes:
    """A TIFF in strips of so many rows, with the directory last, or first; `tags` are t259=(5,) and the like."""
    height, width, samples = content.shape
    strips = -(-height // rows)
    stride = width * samples * content.itemsize
    values: dict[int, tuple[int, ...]] = {
        256: (width,),
        257: (height,),
        258: (8 * content.itemsize,) * samples,
        259: (1,),
        262: (2 if samples >= 3 else 1,),
        273: (0,) * strips,
        277: (samples,),
        278: (rows,),
        279: tuple(stride * min(rows, height - i * rows) for i in range(strips)),
    } | {int(tag[1:]): value for tag, value in tags.items()}
    table = 2 + 12 * len(values) + 4
    longer = sum(4 * len(value) for value in values.values() if len(value) > 1)
    start = 8 + (table + longer if first else 0)
    at = 8 if first else start + content.nbytes
    if "t273" not in tags:
        values[273] = tuple(start + i * rows * stride for i in range(strips))
    entries, behind = b"", b""
    for tag, value in sorted(values.items()):
        offset = value[0] if len(value) == 1 else at + table + len(behind)
        entries += struct.pack(f"{order}HHII", tag, 4, len(value), offset)
        behind += struct.pack(f"{order}{len(value)}I", *value) if len(value) > 1 else b""
    whole = struct.pack(f"{order}H", len(values)) + entries + bytes(4) + behind
    opening = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", at)
    pixels = packed(content, order)
    return opening + (whole + pixels if first else pixels + whole)


def saved(content: Samples, kind: str) -> bytes:
    """As Pillow writes it."""
    out = io.BytesIO()
    Image.fromarray(content[:, :, 0] if content.shape[2] == 1 else content).save(out, kind)
    return out.getvalue()


Files = dict[str, tuple[bytes, NDArray[np.generic]]]


def files(height: int, width: int) -> Files:
    """Files of every kind that is known, and the samples [H, W, S] in them, in the order of their rows."""
    found: Files = {}
    for samples in (1, 2, 3, 4):
        for wide in (False, True):
            content = picture(height, width, samples, wide)
            name = f"{samples} of {16 if wide else 8} bits"
            found[f"png {name}"] = unpacked(content), content
            found[f"tiff {name}"] = tiff(content), content
            found[f"tiff big-endian {name}"] = tiff(content, ">", first=True), content
            if samples in (1, 3):
                found[f"pnm {name}"] = pnm(content), content
            if wide:
                continue
            found[f"pillow tiff {name}"] = saved(content, "TIFF"), content
            if samples in (3, 4):
                found[f"webp {name}"] = unpacked_webp(content), content
            if samples != 2:
                found[f"npy {name}"] = npy(content), content
                found[f"bmp {name}"] = bmp(content), content[::-1]
                found[f"bmp top down {name}"] = bmp(content, top_down=True), content
                found[f"pillow bmp {name}"] = saved(content, "BMP"), content[::-1]
    grey, colour, alpha = (picture(height, width, samples) for samples in (1, 3, 4))
    found["npy [H, W]"] = npy(grey[:, :, 0]), grey
    other = picture(height, width, 3, seed=1)
    found["npy [N, H, W, C]"] = npy(np.stack([colour, other])), np.concatenate([colour, other])
    found["bmp with masks"] = bmp(alpha, masks=True), alpha[::-1]
    found["pnm with comments"] = pnm(colour, b"P%c # a\n#b\r\n\t%d\n #5 5\n%d\n%d "), colour
    return found
