"""A network may begin as another: a run, or a weight file. It makes the same, and goes on from there."""

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import test_training_ardm  # noqa: E402
import test_training_idf  # noqa: E402
from tiny_recipe import written  # noqa: E402

from catzip.compressor.errors import CatzipError, CorruptError  # noqa: E402
from catzip.models import checkpoint  # noqa: E402
from catzip.models.families.autoregressive.training import AutoregressiveNet  # noqa: E402
from catzip.models.families.idf.training import IdfTask  # noqa: E402
from catzip.models.layers.qat.modules import exported  # noqa: E402
from catzip.models.mixing.contexts import match_rows  # noqa: E402
from catzip.models.networks.recurrent import AutoregressiveConfig  # noqa: E402
from catzip.models.registry import Registry  # noqa: E402
from catzip.models.training import load, names, train  # noqa: E402
from catzip.models.training.families import task_for  # noqa: E402
from catzip.models.training.recipe import Recipe  # noqa: E402
from catzip.models.training.state import STATE  # noqa: E402
from catzip.models.training.warm_start import source, warm_start  # noqa: E402

SMALL = {"hidden": 0, "ngrams": [[1, 8], [2, 9]]}
LARGE = {"hidden": 16, "depth": 3, "ngrams": [[1, 8], [2, 11]]}


pytestmark = pytest.mark.usefixtures("trains")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a recipe, its data, and the small network trained for a few steps."""
    train(sized(written(tmp_path), SMALL), tmp_path, tmp_path / "small", steps=60, device="cpu")
    return tmp_path


def sized(folder: Path, sizes: dict) -> Recipe:
    recipe = load(folder / "tiny.toml")
    return replace(recipe, model=recipe.model | sizes)


def net(recipe: Recipe) -> AutoregressiveNet:
    return AutoregressiveNet(AutoregressiveConfig.from_json(recipe.model))


def last_line(out: Path) -> dict:
    return json.loads((out / "log.jsonl").read_text().splitlines()[-1])


@torch.no_grad()
def test_a_grown_network_makes_what_the_small_one_makes(folder: Path):
    path, recipes = folder / "small" / "state.safetensors", [sized(folder, each) for each in (SMALL, LARGE)]
    small, large = (net(recipe) for recipe in recipes)
    for each, recipe in zip((small, large), recipes, strict=True):
        warm_start(each, path, recipe)
    symbols, pairs = torch.randint(256, (5, 4)), torch.randint(1 << 11, (5, 4))
    match = torch.randint(256, (5, 4))
    expected, after = small(torch.stack([symbols, pairs >> 2, match]), torch.zeros(1, 4, 24))
    got, states = large(torch.stack([symbols, pairs, match]), torch.zeros(3, 4, 24))
    assert float(expected.std()) > 0.1
    assert torch.equal(got, expected) and torch.equal(states[:1], after)


def test_a_network_that_is_told_all_of_a_match_makes_what_the_other_makes(folder: Path):
    path, before = folder / "small" / "state.safetensors", sized(folder, SMALL)
    after = sized(folder, SMALL | {"whole_match": True})
    half, whole = net(before), net(after)
    warm_start(half, path, before)
    warm_start(whole, path, after)
    symbols, lengths = np.random.RandomState(1).randint(0, 256, (5, 4)), np.arange(20).reshape(5, 4) % 16
    given = torch.randint(256, (2, 5, 4))

    def made(network: AutoregressiveNet) -> torch.Tensor:
        rows = torch.from_numpy(match_rows(symbols, lengths, network.config.whole_match))
        with torch.no_grad():
            return network(torch.cat([given, rows[None]]), torch.zeros(1, 4, 24))[0]

    assert torch.equal(made(whole), made(half)) and float(made(half).std()) > 0.1
    start = str(folder / "small")
    found = train(after, folder, folder / "whole", start=start, steps=1, device="cpu")
    assert checkpoint.load(found).config["model"]["whole_match"] is True
    with pytest.raises(CatzipError, match="whole_match"):
        warm_start(half, found, before)


def test_training_goes_on_from_a_smaller_run(folder: Path):
    """The clock and the steps begin anew, what was learnt does not."""
    recipe, before = sized(folder, LARGE), last_line(folder / "small")
    path = train(recipe, folder, folder / "large", start=str(folder / "small"), steps=1, device="cpu")
    after = last_line(folder / "large")
    assert after["step"] == 1 and after["symbols"] == 128
    assert after["validation"] == pytest.approx(before["validation"], abs=0.1)
    train(recipe, folder, folder / "fresh", steps=1, device="cpu")
    assert last_line(folder / "fresh")["validation"] > before["validation"] + 0.5
    config = checkpoint.load(path).config
    assert config["model"] == recipe.model
    assert config["card"]["trained"]["before"] == checkpoint.load_config(folder / "small" / STATE)["run"]
    info = Registry("cpu").info(str(path))
    assert info["trained"].startswith(f"{config['card']['trained']['date']}: 128 symbols in 0.0 minutes on ")
    assert info["trained"].endswith(", after 7,680 in another run")

    train(recipe, folder, folder / "large", start=str(folder / "small"), steps=40, resume=True, device="cpu")
    assert last_line(folder / "large")["step"] == 40
    assert checkpoint.load(path).config["card"]["trained"]["before"]["symbols"] == 7680
    assert last_line(folder / "large")["validation"] < after["validation"]


@pytest.mark.parametrize(
    "sizes",
    [
        {"width": 32},
        {"embed": 16},
        {"hidden": 16, "state": 25},
        {"ngrams": [[1, 8], [2, 8]]},
        {"ngrams": [[1, 9], [2, 9]]},
        {"ngrams": [[1, 8], [3, 9]]},
        {"ngrams": [[1, 8], [2, 9], [3, 9]]},
        {"ngrams": [[1, 8]]},
    ],
)
def test_what_would_not_be_the_same_is_refused(folder: Path, sizes: dict):
    with pytest.raises(
        CatzipError,
        match=r"small/state.safetensors: another model than that of the recipe: \w+ is .* What may differ",
    ):
        train(
            sized(folder, SMALL | sizes),
            folder,
            folder / "out",
            start=str(folder / "small"),
            steps=1,
            device="cpu",
        )


@pytest.mark.parametrize("family,name", [(test_training_ardm, "letters"), (test_training_idf, "coupled")])
def test_other_families_begin_with_a_network_of_the_same_sizes(family: ModuleType, name: str, tmp_path: Path):
    folder = family.folder_for(name, tmp_path)
    recipe = load(folder / "recipe.toml")
    train(recipe, folder, folder / "first", steps=2, device="cpu")
    saved = checkpoint.load(folder / "first" / STATE).arrays
    task = task_for(recipe, torch.device("cpu"))
    warm_start(task.net, folder / "first" / STATE, recipe)
    for key, parameter in task.net.named_parameters():
        assert np.array_equal(parameter.detach().numpy(), saved[f"average/{key}"])
    with pytest.raises(CatzipError, match="another model than that of the recipe"):
        deeper = replace(recipe, model=recipe.model | {"depth": recipe.model["depth"] + 1})
        warm_start(task.net, folder / "first" / STATE, deeper)


@pytest.mark.parametrize(
    "family,name,fine",
    [(test_training_ardm, "pictures", ["inputs", "head"]), (test_training_idf, "coupled", ["heads"])],
)
def test_layers_become_fine_but_not_coarse(family: ModuleType, name: str, fine: list[str], tmp_path: Path):
    folder = family.folder_for(name, tmp_path)
    coarse = load(folder / "recipe.toml")
    coarse = replace(coarse, model={key: each for key, each in coarse.model.items() if key != "fine"})
    finer = replace(coarse, model=coarse.model | {"fine": fine})
    train(coarse, folder, folder / "coarse", steps=2, device="cpu")
    saved = checkpoint.load(folder / "coarse" / STATE).arrays
    task = task_for(finer, torch.device("cpu"))
    warm_start(task.net, folder / "coarse" / STATE, finer)
    for key, parameter in task.net.named_parameters():
        assert np.array_equal(parameter.detach().numpy(), saved[f"average/{key}"])
    found = train(finer, folder, folder / "fine", start=str(folder / "coarse"), steps=1, device="cpu")
    assert checkpoint.load(found).config["model"]["fine"] == fine
    with pytest.raises(CatzipError, match=r"fine is .* there and None in the recipe"):
        train(coarse, folder, folder / "again", start=str(found), steps=1, device="cpu")


def test_a_network_does_not_shrink(folder: Path):
    train(sized(folder, LARGE), folder, folder / "large", start=str(folder / "small"), steps=1, device="cpu")
    for sizes in (LARGE | {"depth": 2}, LARGE | {"hidden": 0}, LARGE | {"hidden": 32}, SMALL):
        with pytest.raises(CatzipError, match="none may be smaller"):
            warm_start(
                net(sized(folder, sizes)), folder / "large" / "state.safetensors", sized(folder, sizes)
            )


def test_there_must_be_something_to_begin_from(folder: Path):
    (folder / "empty").mkdir()
    for start, refusal in {
        str(folder / "empty"): "empty: a folder without a run to begin from, and no model",
        str(
            folder / "none"
        ): "none: no folder of a run and no .safetensors file to begin from, and no model '.*none' is in",
        str(folder / "tiny.toml"): "tiny.toml: no folder of a run and no .safetensors file",
    }.items():
        with pytest.raises(CatzipError, match=refusal):
            train(sized(folder, SMALL), folder, folder / "out", start=start, steps=1, device="cpu")
        assert not (folder / "out").exists()


def test_training_goes_on_from_a_weight_file(folder: Path):
    """As from the run that it was exported from, but for the rounding of the weights."""
    recipe, before = sized(folder, LARGE), last_line(folder / "small")
    weights = folder / "small" / "tiny.safetensors"
    train(recipe, folder, folder / "large", start=str(weights), steps=1, device="cpu")
    assert last_line(folder / "large")["validation"] == pytest.approx(before["validation"], abs=0.1)
    path = folder / "large" / "tiny.safetensors"
    config = checkpoint.load_config(path)
    begun = config["card"]["trained"]["before"]
    assert (begun["step"], begun["symbols"], begun["before"]) == (60, 7680, None)
    assert begun["model"] == checkpoint.load_config(weights)["fingerprint"]
    shown = Registry("cpu").info(str(path))["trained"]
    assert shown.endswith(f", after 7,680 in another run (of {begun['model']})")

    train(recipe, folder, folder / "larger", start=str(path), steps=1, device="cpu")
    info = Registry("cpu").info(str(folder / "larger" / "tiny.safetensors"))
    assert ", after 128 in another run (of " in info["trained"]
    assert info["trained"].endswith(f", after 7,680 in another run (of {begun['model']})")


@pytest.mark.parametrize("name", names())
def test_a_shipped_model_begins_as_it_is(name: str):
    """Taken back into training by its recipe and exported again, it has the very same weights.

    Of a fine layer the sum of its two weights: half a step of the coarse one can be written in two ways.
    """
    recipe, saved = load(name), checkpoint.load(source(name))
    task = task_for(recipe, torch.device("cpu"))
    begun = warm_start(task.net, source(name), recipe)
    assert begun["model"] == saved.fingerprint.hex() and begun["symbols"] > 1_000_000
    again = exported(task.net)
    layers = (".weight", ".exponent", ".bias", ".table", ".order", ".position")
    assert {key for key in saved.arrays if key.endswith(layers) or key == "base"} == set(again)
    fine = set(recipe.model.get("fine", ()))
    for key, array in again.items():
        assert array.dtype == saved.arrays[key].dtype
        both = key.endswith(".weight") and not fine.isdisjoint(key.split("."))
        one, other = (summed(arrays, key) if both else arrays[key] for arrays in (again, saved.arrays))
        assert np.array_equal(one, other), key


def summed(arrays: checkpoint.Arrays, key: str) -> np.ndarray:
    """The weights of a fine layer as real numbers, which float64 holds exactly: [outputs, inputs]."""
    exponent = arrays[key.replace(".weight", ".exponent")].astype(np.int64)
    both = np.ldexp(arrays[key].astype(np.float64), -exponent[:, None])
    return both.reshape(2, -1, both.shape[1]).sum(0)


def test_couplings_that_were_trained_take_part_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Though a new run has them join later."""
    folder = test_training_idf.folder_for("coupled", tmp_path)
    recipe = load(folder / "recipe.toml")
    recipe = replace(recipe, schedule=replace(recipe.schedule, couplings_from=0.9))
    coupled = []
    advance = IdfTask.advance

    def watched(task: IdfTask, progress: float) -> None:
        advance(task, progress)
        coupled.append(task.net.coupled)

    monkeypatch.setattr(IdfTask, "advance", watched)
    path = train(recipe, folder, folder / "first", steps=1, device="cpu")
    assert coupled == [False, True]  # in the step, and for the export
    train(recipe, folder, folder / "second", start=str(path), steps=1, device="cpu")
    assert coupled[2:] == [True, True]


def test_another_order_of_planes_is_refused(tmp_path: Path):
    folder = test_training_idf.folder_for("coupled", tmp_path)
    recipe = load(folder / "recipe.toml")
    path = train(recipe, folder, folder / "first", steps=1, device="cpu")
    saved = checkpoint.load(path)
    key = next(key for key in saved.arrays if key.endswith(".order"))
    saved.arrays[key] = saved.arrays[key][::-1]
    checkpoint.save(folder / "other.safetensors", saved)
    with pytest.raises(CatzipError, match="have another order than in the network of the recipe"):
        warm_start(task_for(recipe, torch.device("cpu")).net, folder / "other.safetensors", recipe)


def test_weights_that_lack_a_layer_are_named(folder: Path):
    saved = checkpoint.load(folder / "small" / "tiny.safetensors")
    del saved.arrays["head.bias"]
    checkpoint.save(folder / "lacking.safetensors", saved)
    recipe = sized(folder, SMALL)
    with pytest.raises(CorruptError, match=r"lacking.safetensors: not the weights of its own configuration"):
        warm_start(net(recipe), folder / "lacking.safetensors", recipe)


def test_another_family_is_no_start(folder: Path):
    recipe = replace(sized(folder, SMALL), family="ardm")
    with pytest.raises(CatzipError, match="another model than that of the recipe"):
        warm_start(net(sized(folder, SMALL)), folder / "small" / "state.safetensors", recipe)
