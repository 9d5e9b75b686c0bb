"""Small files that are coded with each of the tiny models, and how: seeds that decode in milliseconds."""

from __future__ import annotations

import io
from functools import cache
from unittest.mock import patch

from golden_cases import ARRAY, PROSE
from golden_neural_cases import LETTERS, images

from catzip.compressor.coding.model import Plan
from catzip.compressor.format import lzma2
from catzip.compressor.pipeline import compress_stream

from .networks import tiny

_ITEMS = images(2, (8, 6, 3), shared=0.8)
_PHOTO = images(1, (10, 8, 3), shared=0.8)

CASES: dict[str, tuple[str, bytes, Plan | None]] = {
    "bytes": ("tiny-bytes", PROSE[:60], (20, 3)),
    "bytes-segments": ("tiny-bytes", PROSE[:60], (30, 1)),
    "refined": ("tiny-refined", PROSE[:60], (20, 3)),
    "text27": ("tiny-text27", LETTERS[:120].capitalize(), (40, 3)),
    "letters": ("tiny-text27", LETTERS[:80], (20, 2)),
    "chunks": ("tiny-chunks", LETTERS[:110], None),
    "images": ("tiny-images", _ITEMS, None),
    "images-few-steps": ("tiny-images", _ITEMS, (10, 1)),
    "flow": ("tiny-flow", _ITEMS, None),
    "flow-segments": ("tiny-flow", _ITEMS, (1,)),
    "photo": ("tiny-photo", _PHOTO, None),
    "photo-segments": ("tiny-photo", _PHOTO, (8, 3, 5, 2, 1)),
    "photo-corrected": ("tiny-photo", _PHOTO, (8, 3, 5, 2, 3)),
    "photo-plain": ("tiny-photo", _PHOTO, (8, 3, 5, 2)),
    "table-text": ("table-text27", PROSE[:200], (30,)),
    "table-items": ("table-array", ARRAY, None),
    "words": ("words", b" the cat sat on a mat and ate\xff soup with rice in Rome, but" * 3, (9,)),
    "table-image": ("table-image", _PHOTO, None),
}
"""Name -> model, content, and how it is cut (None: as the model likes)."""


@cache
def files() -> dict[str, bytes]:
    """A file of each case."""
    return {f"coded-{name}": _coded(*case) for name, case in CASES.items()}


def _coded(model: str, content: bytes, plan: Plan | None) -> bytes:
    """`content` as that model codes it, though xz would make it smaller."""
    out = io.BytesIO()
    with patch.object(lzma2, "compress", lambda data, *more: data + bytes(9)):
        compress_stream(
            io.BytesIO(content),
            out,
            models=tiny(),
            model=model,
            plan_for=(lambda model, count, shape: plan) if plan else None,
        )
    assert tiny().by_name(model).fingerprint in out.getvalue(), f"{model} does not shrink its content"
    return out.getvalue()
