"""WebP files without loss, of many kinds, and one that is animated."""

import io

import numpy as np
from PIL import Image

DRAW = np.random.RandomState(3)
COLOURS = np.cumsum(DRAW.randint(-2, 3, (33, 31, 4)), axis=1).astype(np.uint8)
OPAQUE = np.concatenate([COLOURS[:, :, :3], np.full((33, 31, 1), 255, np.uint8)], axis=2)
HIDDEN = np.concatenate([COLOURS[:, :, :3], np.zeros((33, 31, 1), np.uint8)], axis=2)


def file(pixels, **options):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", **{"lossless": True, "exact": True, **options})
    return out.getvalue()


def animation():
    out = io.BytesIO()
    frames = [Image.fromarray(COLOURS), Image.fromarray(COLOURS[::-1].copy())]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    return out.getvalue()


METADATA = {"icc_profile": b"a profile of odd size", "exif": b"Exif\0\0 things", "xmp": b"<x/>"}
GOOD = {
    "rgb": file(COLOURS[:, :, :3].copy()),
    "rgba": file(COLOURS),
    "opaque": file(OPAQUE),
    "hidden-colours": file(HIDDEN),
    "one-pixel": file(COLOURS[:1, :1].copy()),
    "one-column": file(COLOURS[:, :1].copy()),
    "one-row": file(COLOURS[:1, :, :3].copy()),
    "metadata": file(COLOURS[:, :, :3].copy(), **METADATA),
    "metadata-and-alpha": file(COLOURS, **METADATA),
    "packed-less": file(COLOURS, method=0, quality=0),
}
