"""What a flow refuses: steps, plans that cannot be, checkpoints and configurations that cannot be."""

import numpy as np
import pytest
from model_laws import assert_refused_before_anything_is_allocated
from tiny_models import FLOW, FLOWS, flow, tiny_checkpoint

from catzip.compressor.coding.model import Plan
from catzip.compressor.errors import ModelMismatchError
from catzip.models.backends.select import arrays_for
from catzip.models.backends.workers import Workers
from catzip.models.families.identity import Identity
from catzip.models.families.idf import codec as idf
from catzip.models.families.idf.flow import FlowConfig
from catzip.models.families.idf.random import FlowModel, random_checkpoint


def test_there_are_no_steps_to_choose():
    for name in ("flow", "flow-array"):
        assert flow(name).budgets == ()
        for steps in (0, 5):
            with pytest.raises(ModelMismatchError, match=f"{name} codes in one pass"):
                flow(name).plan(10, steps)
            with pytest.raises(ModelMismatchError, match=f"{name} codes in one pass"):
                flow(name).sample(1, steps, np.random.RandomState(0))


IMPOSSIBLE: dict[str, tuple[str, int, Plan]] = {
    "no width": ("flow", 100, (0, 3, 8, 1)),
    "no channels": ("flow", 100, (5, 0, 8, 1)),
    "two channels": ("flow", 100, (5, 2, 8, 1)),
    "four channels": ("flow", 100, (5, 4, 8, 1)),
    "colour for a grey flow": ("flow-grey", 90, (5, 3, 8, 1)),
    "no side": ("flow", 90, (5, 3, 0, 1)),
    "a side beyond any": ("flow", 10**9, (10**4, 1, 513, 1)),
    "a side beyond any number": ("flow", 90, (5, 3, 1 << 70, 1)),
    "a side beyond any, and no whole row": ("flow", 90, (500, 3, 513, 1)),
    "two channels, and no whole row": ("flow", 90, (500, 2, 8, 1)),
    "no tiles": ("flow", 90, (5, 3, 8, 0)),
    "more segments than there may be": ("flow", 1 << 40, (1 << 20, 1, 8, 1)),
    "more tiles than there may be": ("flow", 1 << 40, (1 << 20, 1, 1, 1 << 17)),
    "a segment larger than a decoder holds": ("flow", 10**9, (10**4, 3, 100, 5)),
    "a segment beyond any memory": ("flow", 10**9, (10**4, 3, 100, 1 << 60)),
    "a frame beyond any memory": ("flow", 2**62, (2**31, 1, 512, 1)),
    "a number missing": ("flow", 90, (5, 3, 8)),
    "a number too many": ("flow", 90, (5, 3, 8, 1, 1, 1)),
    "neither a colour transform nor corrections": ("flow", 90, (5, 3, 8, 1, 4)),
    "more than there is": ("flow", 90, (5, 3, 8, 1, 7)),
    "a colour transform of grey": ("flow", 90, (5, 1, 8, 1, 1)),
    "a colour transform of grey, and corrections": ("flow", 90, (5, 1, 8, 1, 3)),
    "corrections for an array": ("flow-array", 90, (1, 2)),
    "nothing": ("flow", 90, ()),
    "no images": ("flow-array", 90, (0,)),
    "more images than a decoder holds": ("flow-array", 10**6, (1457,)),
    "more segments of images than there may be": ("flow-array", 10**9, (1,)),
    "an image for an array": ("flow-array", 90, (5, 3, 8, 1)),
    "nothing for an array": ("flow-array", 90, ()),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_plans_that_cannot_be_are_refused_before_anything_is_allocated(name: str):
    tiny, count, plan = IMPOSSIBLE[name]
    assert_refused_before_anything_is_allocated(flow(tiny), count, plan)


@pytest.mark.parametrize(
    "model",
    [
        FlowModel(FLOW, shape=(8,)),
        FlowModel(FLOW, shape=(8, 8, 2)),
        FlowModel(FLOW, shape=(513, 8, 3)),
        FlowModel(FLOWS["flow-grey"].flow, shape=(8, 8, 3)),
        FlowModel(FLOW),
        FlowModel(FLOW, side=513),
    ],
    ids=str,
)
def test_checkpoints_for_images_that_cannot_be_are_refused(model: FlowModel):
    made = random_checkpoint(model, "bad")
    with pytest.raises(ValueError, match=r"model\.shape|no flow of|coding\.side"):
        idf.load(Identity("bad", "image", b""), made.config, made.arrays, arrays_for("cpu"), Workers(1))


def test_configurations_that_cannot_be_are_refused():
    table = tiny_checkpoint("flow").config["model"]
    for wrong in (
        {"channels": 2},
        {"levels": 0},
        {"levels": 9},
        {"nets": 4},
        {"nets": 0},
        {"fine": ["head"]},
    ):
        with pytest.raises(ValueError, match=r"^model"):
            FlowConfig.from_json(table | wrong)
    for wrong in ({"width": 3, "colour": 1}, {"couplings": {"number": 1}}):
        with pytest.raises(ValueError, match="has a field"):
            FlowConfig.from_json(table | wrong)
