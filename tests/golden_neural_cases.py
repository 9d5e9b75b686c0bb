"""The neural goldens: files made with tiny networks (`golden_networks.py`), and files that have one fault each.

All of it lies in tests/golden/neural/. The weights are written once and never anew: files name them by fingerprint.
"""

import io
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
from golden_networks import NETWORKS, PROSE
from helpers import compress
from numpy.typing import NDArray

from catzip.compressor.coding.model import Model, Plan
from catzip.compressor.errors import CatzipError, CorruptError, ModelNotFoundError
from catzip.compressor.format import lzma2, payload
from catzip.compressor.format.container import CODED, Head
from catzip.compressor.format.writer import Choice, Writer
from catzip.models.backends.workers import Workers
from catzip.models.families.idf import codec as idf
from catzip.models.families.idf import segment
from catzip.models.families.idf.corrections import Weights
from catzip.models.families.idf.digests import grained
from catzip.models.families.idf.flow import Flow
from catzip.models.registry import Registry

LETTERS = re.sub(rb"[^a-z]+", b" ", PROSE.lower()).strip()


def images(count: int, shape: tuple[int, ...], shared: float = 0.0) -> bytes:
    """An .npy file of smooth pictures [count, *shape] with a little noise, of which all channels share so much."""
    random = np.random.RandomState(6)
    y, x, _ = np.indices(shape) / 4
    slope, phase = random.normal(0, 0.2, (2, count, 2, 1, 1, 1)), random.rand(count, 1, 1, shape[-1])
    smooth = np.sin(slope[0, :, 0] * y + slope[0, :, 1] * x + 3 * phase)
    noise = (1 - shared) * random.normal(0, 3, smooth.shape)
    noisy = 128 + 40 * smooth + noise + shared * random.normal(0, 3, (*smooth.shape[:-1], 1))
    return npy(noisy.clip(0, 255).astype(np.uint8))


def npy(items: NDArray[np.uint8]) -> bytes:
    """As an .npy file."""
    out = io.BytesIO()
    np.save(out, items)
    return out.getvalue()


IMAGES = images(20, NETWORKS["tiny-images"].shape)
FLOWING = images(20, NETWORKS["tiny-flow"].shape, shared=0.8)
PHOTO = images(1, (37, 45, 3), shared=0.8)
LARGER_PHOTO = images(1, (64, 60, 3), shared=0.8)  # large enough for corrections to be fitted
GREY = npy(np.load(io.BytesIO(images(1, (33, 17, 1))))[0, :, :, 0])
LARGER_GREY = npy(np.load(io.BytesIO(images(1, (64, 60, 1))))[0, :, :, 0])

RCTS = np.stack([np.arange(-8, 8), np.roll(np.arange(-8, 8), 5)], 1)  # of tiles, each number once
CHROMA_OFFSETS = np.stack([np.roll(np.arange(16), 3), np.roll(np.arange(16), 9)], 1)


def corrections(flow: Flow, workers: Workers, image: NDArray[np.uint8], has_rct: bool) -> Weights:
    """Wide and narrow ones of each weight from -63 to 63, and none for one head of three."""
    found = {}
    for i, (head, inputs) in enumerate(flow.heads(image.shape[-1]).items()):
        rows = np.arange(2 * (inputs + 1)).reshape(2, -1) * (i + 5) % 127 - 63
        found[head] = rows // [[1], [9]] * (i % 3 < 2)
    return found


@dataclass(frozen=True)
class Case:
    """A model, content, and how it is cut: its plan (None: as the model likes).

    raced     against xz; otherwise that is made to lose
    coloured  with RCTs and chroma offsets of every kind, and not those that suit the content
    corrected with corrections of every kind, likewise
    """

    model: str
    content: bytes
    plan: Plan | None = None
    frame_size: int = 1 << 24
    raced: bool = True
    coloured: bool = False
    corrected: bool = False

    def make(self) -> bytes:
        """The file, which has to be coded with the network."""
        models = Registry("cpu")
        with ExitStack() as patches:
            if not self.raced:
                patches.enter_context(patch.object(lzma2, "compress", lambda data, *more: data + bytes(9)))
            if self.coloured:
                patches.enter_context(
                    patch.object(segment, "best_rct", lambda *given: RCTS[: len(given[-1])])
                )
                patches.enter_context(
                    patch.object(segment, "best_chroma_offsets", lambda tiles: CHROMA_OFFSETS[: len(tiles)])
                )
            if self.corrected:
                patches.enter_context(patch.object(idf, "best_corrections", corrections))
            made = compress(
                self.content,
                models=models,
                model=self.model,
                frame_size=self.frame_size,
                plan_for=(lambda model, count, shape: self.plan) if self.plan else None,
            )
        assert models.by_name(self.model).fingerprint in made, "the network lost against xz"
        return made


GOOD: dict[str, Case] = {
    "bytes-own-plan": Case("tiny-bytes", PROSE),
    "bytes-one-lane": Case("tiny-bytes", PROSE[:300], (1, 300)),
    "bytes-segments": Case("tiny-bytes", PROSE[:1000], (10, 30)),
    "bytes-two-workers": Case("tiny-bytes", PROSE[:1001], (40, 26)),
    "bytes-frames": Case("tiny-bytes", PROSE[:900], (20, 6), frame_size=300),
    "refined-own-plan": Case("tiny-refined", PROSE),
    "refined-segments": Case("tiny-refined", PROSE[:1000], (10, 30)),
    "text27-letters": Case("tiny-text27", LETTERS),
    "text27-one-step-segments": Case("tiny-text27", LETTERS[:330], (30, 1)),
    "text27-prose": Case("tiny-text27", PROSE),
    "plain-own-plan": Case("tiny-plain", PROSE, raced=False),
    "plain-segments": Case("tiny-plain", LETTERS[:1000], (10, 30)),
    "chunks-own-plan": Case("tiny-chunks", LETTERS),
    "chunks-all-steps": Case("tiny-chunks", LETTERS[:330], (0, 9)),
    "chunks-segments": Case("tiny-chunks", LETTERS[:401], (10, 4)),
    "images-own-plan": Case("tiny-images", IMAGES, raced=False),
    "images-segments": Case("tiny-images", IMAGES, (10, 8), raced=False),
    "images-frames": Case("tiny-images", IMAGES, (10, 3), frame_size=900, raced=False),
    "flow-own-plan": Case("tiny-flow", FLOWING, raced=False),
    "flow-segments": Case("tiny-flow", FLOWING, (3,), raced=False),
    "flow-frames": Case("tiny-flow", FLOWING, (4,), frame_size=1000, raced=False),
    "photo-own-plan": Case("tiny-photo", LARGER_PHOTO, raced=False),
    "photo-corrected": Case("tiny-photo", PHOTO, (45, 3, 13, 2, 3), raced=False, corrected=True),
    "photo-corrected-only": Case("tiny-photo", PHOTO, (45, 3, 20, 9, 2), raced=False, corrected=True),
    "photo-rct-whole": Case("tiny-photo", PHOTO, (45, 3, 20, 109, 1), raced=False),
    "photo-coloured": Case("tiny-photo", PHOTO, (45, 3, 7, 16, 1), raced=False, coloured=True),
    "photo-rct": Case("tiny-photo", PHOTO, (45, 3, 13, 2, 1), raced=False),
    "photo-segments": Case("tiny-photo", PHOTO, (45, 3, 13, 2), raced=False),
    "photo-grey": Case("tiny-photo", GREY, (17, 1, 20, 385), raced=False),
    "photo-grey-own-plan": Case("tiny-photo", LARGER_GREY, raced=False),
}


def shipped_content(model: Model) -> bytes:
    """What the golden file of a shipped model holds."""
    if model.medium == "array" and len(model.shape) == 2:
        # Digits, or what the model takes for them: of smooth pictures xz makes less.
        return npy(model.sample(8, None, np.random.RandomState(6)).reshape(8, *model.shape))
    if model.medium == "array":
        return images(2, model.shape, shared=0.8)
    if model.medium == "image":
        return npy(grained(70, 150, 3))  # to which corrections are fitted
    return LETTERS if model.medium == "text27" else PROSE


@dataclass(frozen=True)
class Coded:
    """A file of one coded frame, taken apart; `to_bytes` puts together whatever was done to it."""

    fingerprint: bytes
    content: bytes
    plan: Plan
    stacks: list[bytes]
    medium: str = "bytes"
    length: int | None = None

    def to_bytes(self) -> bytes:
        front, side = payload.pack(self.plan, 0, b"")
        body = front + payload.pack_stacks(self.stacks)
        length = len(self.content) if self.length is None else self.length
        head = Head(CODED, self.medium, self.fingerprint, length, len(body))
        out = io.BytesIO()
        writer = Writer(out)
        writer.write(Choice(head, body, len(self.content), side), self.content)
        writer.finish()
        return out.getvalue()

    def with_stack(self, at: int, stack: bytes) -> "Coded":
        """One stack replaced."""
        stacks = [*self.stacks]
        stacks[at] = stack
        return replace(self, stacks=stacks)

    def flipped(self, at: int, place: float) -> "Coded":
        """One bit of a stack flipped, at this share of its length."""
        stack = bytearray(self.stacks[at])
        stack[int(place * len(stack))] ^= 16
        return self.with_stack(at, bytes(stack))


def coded(case: Case) -> Coded:
    """A case, taken apart."""
    model, symbols = Registry("cpu").by_name(case.model), np.frombuffer(case.content, np.uint8)
    plan = case.plan or model.plan(len(symbols))
    stacks = [stack.to_bytes() for stack in model.encode(symbols, plan)]
    return Coded(model.fingerprint, case.content, plan, stacks)


BAD: dict[str, Callable[[Coded], Coded]] = {
    "first-segment-flipped": lambda good: good.flipped(0, 0.5),
    "middle-segment-flipped": lambda good: good.flipped(1, 0.1),
    "last-segment-flipped": lambda good: good.flipped(-1, 0.9),
    "segments-swapped": lambda good: good.with_stack(0, good.stacks[1]).with_stack(1, good.stacks[0]),
    "segment-missing": lambda good: replace(good, stacks=good.stacks[:-1]),
    "segment-too-many": lambda good: replace(good, stacks=[*good.stacks, b"\1"]),
    "bits-left-over": lambda good: good.with_stack(-1, good.stacks[-1] + b"\1"),
    "bits-left-over-inside": lambda good: good.with_stack(0, good.stacks[0] + b"\1"),
    "segment-ends-in-zero": lambda good: good.with_stack(0, good.stacks[0] + b"\0"),
    "plan-empty": lambda good: replace(good, plan=()),
    "plan-of-three": lambda good: replace(good, plan=(*good.plan, 1)),
    "plan-no-lanes": lambda good: replace(good, plan=(0, 30)),
    "plan-no-steps": lambda good: replace(good, plan=(10, 0)),
    "plan-more-lanes-than-symbols": lambda good: replace(good, plan=(1001, 1)),
    "plan-segment-beyond-frame": lambda good: replace(good, plan=(10, 101)),
    "plan-segment-too-large": lambda good: replace(good, plan=(1000, 132), length=1 << 26),
    "plan-segments-too-many": lambda good: replace(good, plan=(1, 1), length=1 << 26),
    "plan-other-lanes": lambda good: replace(good, plan=(11, 30)),
    "plan-other-segments": lambda good: replace(good, plan=(10, 29)),
    "model-of-another-medium": lambda good: replace(good, medium="text27"),
    "model-not-installed": lambda good: replace(good, fingerprint=bytes(range(8))),
}
"""Name of the fault -> how it is made, from the file "bytes-segments"."""


def bad_file(name: str) -> bytes:
    return BAD[name](coded(GOOD["bytes-segments"])).to_bytes()


def error_of(name: str) -> type[CatzipError]:
    return ModelNotFoundError if name == "model-not-installed" else CorruptError
