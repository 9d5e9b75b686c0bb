"""Autoregressive diffusion in training: what is sampled and masked, what is learnt, and that the export codes."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from helpers import TEXT  # noqa: E402

from catzip.models.families.ardm import orders  # noqa: E402
from catzip.models.families.ardm.masks import Batch, in_order, masked  # noqa: E402
from catzip.models.families.ardm.orders import candidates, measured, progressive  # noqa: E402
from catzip.models.families.ardm.schedules import best, from_tensors, strided  # noqa: E402
from catzip.models.families.ardm.training import ArdmTask  # noqa: E402
from catzip.models.registry import Registry  # noqa: E402
from catzip.models.training import load, loop, train  # noqa: E402
from catzip.models.training.datasets import to_symbols  # noqa: E402
from catzip.models.training.mosaics import read_tiles  # noqa: E402
from catzip.models.training.mosaics import tiles as read_back  # noqa: E402

PLACES = {name: getattr(orders, name) for name in ("_PLACES", "_FEW")}  # as they are outside of these tests
HEAD = """
name = "{name}"
family = "ardm"
medium = "{medium}"
about = "a test"
data = [{{ path = "a.*", share = 1 }}]
validation = [{{ path = "held", share = 1 }}]
[coding]
steps = {steps}
[schedule]
minutes = 1
lanes = 8
learning_rate = 5e-3
warmup = 5
ema = 0.8
[model]
"""
LETTERS = """
network = "transformer"
alphabet = 27
length = 32
width = 24
depth = 2
heads = 1
hidden = 24
embed = 4
times = 8
windows = [[5, [0]], [5, [-1]], [5, [1]], [10, [-1, 1]], [10, [-2, -1]]]
"""
PICTURES = """
network = "convolution"
shape = [8, 8, 3]
base = {base}
stages = {stages}
width = 16
depth = 1
hidden = 16
embed = 2
times = 4
output = "{output}"
components = 2
reaches = [1, 3]
"""
RECIPES = {
    "letters": HEAD.format(name="letters", medium="text27", steps=10) + LETTERS,
    "pictures": HEAD.format(name="pictures", medium="array", steps=10)
    + PICTURES.format(base=256, stages=1, output="logistics"),
    "upscaled": HEAD.format(name="upscaled", medium="array", steps=10)
    + PICTURES.format(base=4, stages=4, output="logistics"),
    "upscaled-direct": HEAD.format(name="upscaled-direct", medium="array", steps=10)
    + PICTURES.format(base=4, stages=4, output="direct"),
}

WORDS = TEXT.split()
PROSE = " ".join(WORDS[i] for i in np.random.RandomState(0).randint(0, len(WORDS), 5000))
LETTERS_SYMBOLS = to_symbols(PROSE[:2000].encode(), 27)


def pictures(count: int, seed: int) -> np.ndarray:
    """Smooth gradients with a little noise, uint8 [count, 8, 8, 3]."""
    random = np.random.RandomState(seed)
    corner, slope = random.randint(40, 160, (count, 1, 1, 3)), random.randint(-5, 6, (2, count, 1, 1, 1))
    y, x = np.mgrid[:8, :8][..., None]
    noise = random.randint(0, 3, (count, 8, 8, 3))
    return (corner + slope[0] * y + slope[1] * x + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def short_searches(trains: None, monkeypatch: pytest.MonkeyPatch):
    """Export looks for orders and schedules, which takes minutes with the numbers of a real run."""
    monkeypatch.setattr("catzip.models.families.ardm.qat._COUNTED", 1 << 14)
    monkeypatch.setattr("catzip.models.families.ardm.qat._AT_ONCE", 1 << 6)
    monkeypatch.setattr("catzip.models.families.ardm.training._SCHEDULED_ON", 2)
    monkeypatch.setattr("catzip.models.families.ardm.training._SCHEDULED_SYMBOLS", 0)
    for name, few in (("BUDGETS", (5, 10)), ("_FEW", 50), ("_LOOKED", 6), ("_PLACES", 40)):
        monkeypatch.setattr(f"catzip.models.families.ardm.orders.{name}", few)


def folder_for(name: str, folder: Path) -> Path:
    (folder / "recipe.toml").write_text(RECIPES[name])
    if name == "letters":
        (folder / "a.txt").write_text(PROSE)
        (folder / "held").write_text(PROSE[:4000])
    else:
        (folder / "a.bin").write_bytes(pictures(400, 0).tobytes())
        (folder / "held").write_bytes(pictures(40, 1).tobytes())
    return folder


def symbols_of(name: str) -> np.ndarray:
    """What the training data is like, with a last item that is short: uint8 [n]."""
    return LETTERS_SYMBOLS[:777] if name == "letters" else pictures(5, 2).reshape(-1)[:-50]


def task_of(name: str, folder: Path) -> ArdmTask:
    recipe = load(folder_for(name, folder) / "recipe.toml")
    torch.manual_seed(0)
    return ArdmTask(recipe.model, recipe.coding, recipe.schedule, torch.device("cpu"))


@pytest.mark.parametrize("name", RECIPES)
def test_training_learns_and_the_export_codes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "LOG_EVERY", 0)
    folder, out = folder_for(name, tmp_path), tmp_path / "out"
    recipe = load(folder / "recipe.toml")
    train(recipe, folder, out, steps=20, device="cpu")
    path = train(recipe, folder, out, steps=40, resume=True, device="cpu")

    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in log if "loss" in line]
    assert len(losses) == 40
    assert np.mean(losses[-10:]) < np.mean(losses[:5]) - 0.1

    model = Registry("cpu").by_name(str(path))
    symbols = symbols_of(name)
    plan = model.plan(len(symbols))
    stacks = list(model.encode(symbols, plan))
    assert 8 * sum(len(stack.to_bytes()) for stack in stacks) < 0.95 * len(symbols) * np.log2(model.alphabet)
    assert np.array_equal(model.decode(iter(stacks), len(symbols), plan), symbols)


@pytest.mark.parametrize("name", RECIPES)
def test_schedules_are_exported_for_every_budget_that_fits(name: str, tmp_path: Path):
    task = task_of(name, tmp_path)
    trainer = task.trainer
    arrays = task.export([(tmp_path / "held").read_bytes()])
    schedules = from_tensors(arrays, trainer.stages, trainer.size)
    assert list(schedules) == [5, 10, trainer.stages * trainer.size]
    assert {key: array.dtype.kind for key, array in arrays.items() if array.dtype.kind not in "iu"} == {}


def test_what_is_known_is_spread_evenly_over_items_and_stages():
    batch = masked(np.zeros((64, 50), np.uint8), 4, np.random.default_rng(0))
    for stage in range(4):
        sizes = batch.known[batch.stages == stage].sum(1)
        assert len(sizes) == 16
        # One in each sixteenth of 0..49.
        assert (sizes * 16 // 50 - np.arange(16)).max() <= 0 and (
            (sizes + 1) * 16 // 50 >= np.arange(16)
        ).all()
    assert 0.3 < batch.known.mean(0).min() < batch.known.mean(0).max() < 0.7  # of any dimension


@pytest.mark.parametrize("name", ["letters", "pictures"])
def test_the_loss_is_the_bound(name: str, tmp_path: Path):
    """The mean, over the dimensions that are not known, of their cost: equation 4 of the paper."""
    task = task_of(name, tmp_path)
    items = task.trainer.sample(
        task.trainer.items((tmp_path / "held").read_bytes()), 8, np.random.default_rng(0)
    )
    batch = masked(items, 1, np.random.default_rng(1))
    bits = task.trainer.bits(batch).detach().numpy()
    expected = np.mean([row[~known].mean() for row, known in zip(bits, batch.known, strict=True)])
    assert float(task.loss(batch).detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", RECIPES)
def test_nothing_is_learnt_from_what_is_hidden(name: str, tmp_path: Path):
    """Hidden symbols change only what they themselves cost."""
    task = task_of(name, tmp_path)
    trainer = task.trainer
    items = trainer.sample(trainer.items((tmp_path / "held").read_bytes()), 8, np.random.default_rng(0))
    batch = masked(items, trainer.stages, np.random.default_rng(1))
    hidden = np.where(batch.known, items, items[::-1])
    if (
        trainer.stages > 1
    ):  # digits of earlier stages are known everywhere, and later ones are hidden everywhere
        step = 8 - 2 * batch.stages[:, None]
        hidden = np.where(batch.known, items, items >> step << step | hidden & (1 << step) - 1).astype(
            np.uint8
        )
    with torch.no_grad():
        ours = trainer.bits(batch).numpy()
        theirs = trainer.bits(Batch(hidden, batch.stages, batch.known, batch.wanted)).numpy()
    same = batch.known | (hidden == items)
    assert same.mean() < 1 and np.array_equal(ours[same], theirs[same])


def test_counted_windows_are_a_good_start(tmp_path: Path):
    task = task_of("letters", tmp_path)
    text, held = ((tmp_path / name).read_bytes() for name in ("a.txt", "held"))
    cold = task.validate([held], 128)
    task.prepare([text], [1.0], 0)
    warm = task.validate([held], 128)
    assert warm.keys() == {"validation", "ordered"} and all(warm[kind] < cold[kind] - 0.5 for kind in warm)


def test_items_are_known_along_strided_orders_and_the_loss_is_on_what_comes_next():
    items = np.zeros((40, 64), np.uint8)
    batch = in_order(items, np.random.default_rng(0))
    for known, wanted in zip(batch.known, batch.wanted, strict=True):
        fitting = [s for s in range(1, 65) if known[strided(64, s)[: known.sum()]].all()]
        assert fitting and wanted.any() and not (known & wanted).any()
        first = {int(strided(64, s)[known.sum()]) for s in fitting}
        assert first & set(np.flatnonzero(wanted).tolist())
    assert len(set(batch.known.sum(1).tolist())) > 20


@pytest.mark.parametrize("size", [30, 200])
def test_costs_are_measured_along_the_order(size: int):
    """A dimension costs its own number, less a bit for each known dimension: both come back in coding order.

    Of 200 dimensions only some places are measured; what is interpolated falls as evenly.
    """

    def bits(items: np.ndarray, stages: np.ndarray, known: np.ndarray) -> torch.Tensor:
        cost = 1000 + np.arange(size) - known.sum(1, keepdims=True) + stages[:, None] / 2
        return torch.from_numpy(np.where(known, 0.0, cost))

    order = np.random.RandomState(0).permutation(size)
    costs = measured(bits, np.zeros((3, size), np.uint8), order, 2, alike=False)
    assert costs.places[0] == 0 and costs.places[-1] == size - 1 and len(costs.places) <= 40
    for stage in range(2):
        for known, row in zip(costs.places, costs.bits[stage], strict=True):
            expected = 1000 + order[known:] - known + stage / 2
            exact = np.abs(row[known:] - expected) < 1e-9
            # What is known at the next measured place keeps the cost of the last one, which is no less.
            assert exact[-1] or known > costs.places[-6]
            assert (row[known:] >= expected - 1e-9).all() and (exact.all() or size > 50)


def test_groups_of_a_text_may_start_anywhere(monkeypatch: pytest.MonkeyPatch):
    """Where neighbours of 256 positions must not be coded together, 20 calls along the stride of 20 keep them apart."""

    def bits(items: np.ndarray, stages: np.ndarray, known: np.ndarray) -> torch.Tensor:
        left = np.concatenate([np.ones((len(known), 1), np.bool_), known[:, :-1]], axis=1)
        return torch.from_numpy(np.where(known, 0.0, np.where(left, 1.0, 5.0)))

    for name, value in PLACES.items():
        monkeypatch.setattr(orders, name, value)
    order = strided(256, 20)
    costs = measured(bits, np.zeros((2, 256), np.uint8), order, 1, alike=False)
    assert costs.predicted(best(costs, 20)) == 256 + 4 * 12  # where a run of 13 begins, nothing is known yet


@pytest.mark.parametrize("shape", [(256,), (8,), (8, 8, 3), (32, 32, 3)])
def test_candidates_are_orders_that_differ(shape: tuple[int, ...]):
    size = int(np.prod(shape))
    found = [order for order, _ in candidates(shape)]
    assert all(np.array_equal(np.sort(order), np.arange(size)) for order in found)
    assert len({order.tobytes() for order in found}) == len(found) > 3


@pytest.mark.parametrize("together", [True, False])
def test_grids_grow_finer(together: bool):
    order = progressive((8, 8, 3), together)
    pixels = order // 3
    for count, step in ((1, 8), (4, 4), (16, 2)):
        grid = {8 * y + x for y in range(0, 8, step) for x in range(0, 8, step)}
        assert set(pixels[: 3 * count].tolist()) == grid
    assert (pixels[:3] == 0).all() and (np.diff(order.reshape(-1, 3)) == 1).all() == together


def test_mosaics_are_cut_row_by_row(tmp_path: Path):
    image = pytest.importorskip("PIL.Image")
    tiles = np.random.RandomState(0).randint(0, 256, (6, 32, 32, 3)).astype(np.uint8)
    sheet = np.concatenate([np.concatenate(list(row), 1) for row in tiles.reshape(2, 3, 32, 32, 3)], 0)
    image.fromarray(sheet).save(tmp_path / "a.webp", lossless=True)
    assert np.array_equal(read_back(read_tiles(tmp_path / "a.webp"), ()), tiles)


def test_shipped_recipes_of_the_family_build(tmp_path: Path):
    for name in ("ardm-text8", "ardm-cifar10", "ardm-upscale-cifar10"):
        recipe = load(name)
        task = ArdmTask(recipe.model, recipe.coding, recipe.schedule, torch.device("cpu"))
        parameters = sum(parameter.numel() for parameter in task.net.parameters())
        assert parameters < 6_000_000, name
