"""The driver of all families: over toys of a few lines, and that what is sampled for a seed stays the same."""

import gc
import hashlib
import threading

import numpy as np
import pytest
from helpers import Models, compress, decompress
from model_laws import (
    assert_bits_left_over_are_noticed,
    assert_every_segment_needs_its_stack,
    assert_length_is_likelihood,
    assert_refused_before_anything_is_allocated,
    assert_round_trip,
    assert_samples_are_symbols,
    assert_symbols_outside_the_alphabet_are_refused,
    coded,
)
from tiny_models import flow, masked, mixed_text, model
from toy_families import Counting, Latent, Runs

from catzip.compressor.coding.codec import Codec, Mapped
from catzip.compressor.coding.ledger import Ledger
from catzip.compressor.coding.model import Model
from catzip.compressor.errors import CorruptError, ModelMismatchError
from catzip.models.families.autoregressive.frame import FrameState, FrameSteps
from catzip.models.families.autoregressive.native_frame import NativeFrame
from catzip.models.families.lanes import Layout

TOYS = (Counting(), Latent())


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.name)
@pytest.mark.parametrize(("count", "each"), [(0, 1), (1, 1), (100, 100), (101, 100), (260, 7)])
def test_decode_undoes_encode(toy: Runs, count: int, each: int):
    assert_round_trip(toy, mixed_text(27, count), (each,))


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.name)
def test_laws(toy: Runs):
    symbols = mixed_text(27, 300)
    assert_bits_left_over_are_noticed(toy, symbols, (90,))
    assert_every_segment_needs_its_stack(toy, symbols, (90,))
    assert_symbols_outside_the_alphabet_are_refused(toy, (3,))
    assert_samples_are_symbols(toy, None)
    assert_refused_before_anything_is_allocated(toy, 2**50, (2**20,))
    with pytest.raises(ModelMismatchError):
        toy.sample(1, 5, np.random.RandomState(0))


def test_state_runs_on_and_the_length_is_the_likelihood():
    toy, symbols = Counting(), mixed_text(27, 900)
    assert_length_is_likelihood(toy, symbols, (450,))
    assert toy.nll(symbols, (450,)) == pytest.approx(toy.nll(symbols, (9,)), rel=1e-12)
    assert toy.nll(symbols, (900,)) < 0.8 * sum(toy.nll(part, (9,)) for part in symbols.reshape(-1, 9))


def test_a_bound_is_what_a_ledger_samples():
    """Empty stacks lend zeros, so a segment of the file costs more; by no more than it borrows and what it got."""
    toy, symbols = Latent(), (13 + np.round(3 * np.sin(np.arange(2000)))).astype(np.uint8)
    assert toy.bound and not Counting.bound
    (_, codec), *_ = toy.segments(2000, (2000,))
    account = codec.account(symbols)
    assert account.bits == toy.nll(symbols, (2000,))
    assert account.popped > 0 and account.borrowed > 0
    assert 8 * len(coded(toy, symbols, (2000,))[0]) >= account.bits


def test_files_of_a_toy():
    """A family is a model for the pipeline, and damage is told with its place."""
    text = b"the cat sat on the mat and the rat sat on the cat " * 20
    models = Models(Counting(), default="counting")
    blob = compress(text, models)
    assert len(blob) < 250 and decompress(blob, models) == text
    damaged = bytearray(blob)
    damaged[60] ^= 4
    with pytest.raises(CorruptError, match=r"^frame 1 at byte \d+: "):
        decompress(bytes(damaged), models)


def test_bits_that_decode_to_nothing_are_drawn_anew():
    class Choosy(Counting):
        """Knows no z, as a model may know fewer symbols than its decisions make."""

        def codec(self, size: int, state: np.ndarray) -> Codec[np.ndarray]:
            def checked(x: np.ndarray) -> np.ndarray:
                if 26 in x:
                    refused.append(x)
                    raise CorruptError("a z")
                return x

            return Mapped(super().codec(size, state), checked, checked)

    refused: list[np.ndarray] = []
    drawn = Choosy().sample(3, None, np.random.RandomState(1))
    assert len(refused) > 0 and drawn.shape == (3, 30) and 26 not in drawn


SAMPLES: dict[str, tuple[Model, str]] = {
    "letters": (model("letters"), "8ad6e8fb84b611b3"),
    "bytes-refined": (model("bytes-refined"), "7e71addbaf5705c7"),
    "letter-chunks": (masked("letter-chunks"), "0c93cf6af8abd8e3"),
    "images-upscale": (masked("images-upscale"), "d17d1c8e338e6cd0"),
    "flow-array": (flow("flow-array"), "afc16df21b78ffa9"),
    "flow-grey": (flow("flow-grey"), "d5310f1e5a2e6c0c"),
}
"""Start of the sha256 of what a seed draws, as release 0.6.0 drew it."""


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_of_a_seed_stay(name: str):
    coder, digest = SAMPLES[name]
    steps = coder.budgets[0] if coder.budgets else None
    drawn = coder.sample(2 if "flow" in name else 20, steps, np.random.RandomState(5))
    assert hashlib.sha256(drawn.tobytes()).hexdigest().startswith(digest)


def test_a_frame_is_gone_when_it_is_coded():
    """With its tables and its thread, though nobody collects garbage; also where its encoding was given up."""
    coder, symbols = model("letters", threads=2), mixed_text(27, 4000)
    gc.collect()
    gc.disable()
    try:
        before = threading.active_count()
        segments = coded(coder, symbols, (20, 50))
        next(coder.encode(symbols, (20, 50)))
        assert len(segments) == 4 and not any(
            type(each) in (FrameState, NativeFrame) for each in gc.get_objects()
        )
        assert threading.active_count() <= before + 1  # that of the pool of the workers
    finally:
        gc.enable()


def test_what_is_pushed_must_be_what_is_known():
    """The network looks at it ahead of time."""
    coder, symbols = model("letters"), mixed_text(27, 60)
    layout = Layout.of(60, (5, 12))
    grid = layout.columns(0, 12).cut(symbols)
    frame = coder.frame(layout)
    for wrong, ahead in ((grid[::-1], frame.ahead(symbols)), (grid, None)):
        with pytest.raises(ValueError, match="known of the frame"):
            FrameSteps(frame, grid.shape, ahead).push(Ledger(), wrong)
