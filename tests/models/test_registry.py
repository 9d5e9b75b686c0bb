"""Models are found by name and by fingerprint, in the package and in the folders of CATZIP_MODELS."""

import json
import shutil
from pathlib import Path

import pytest
from golden_networks import FOLDER
from golden_neural_cases import LETTERS
from helpers import decompress
from tiny_models import SHIPPED, tiny_checkpoint, tiny_path

from catzip.compressor.errors import CatzipError, CorruptError, DamagedWeightsWarning, ModelNotFoundError
from catzip.models import checkpoint, registry
from catzip.models.checkpoint import Checkpoint
from catzip.models.registry import Registry

TINY = tiny_checkpoint("letters")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of CATZIP_MODELS with the model "letters" in it; the package has none."""
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(tiny_path("letters"), folder)
    monkeypatch.setenv("CATZIP_MODELS", str(folder))
    monkeypatch.setattr(registry, "WEIGHTS", tmp_path / "none")
    return folder


def install(folder: Path, name: str, config: dict | None = None, drop: str = "") -> Path:
    """A changed copy of the tiny model as `name`.safetensors."""
    arrays = {key: array for key, array in TINY.arrays.items() if key != drop}
    checkpoint.save(folder / f"{name}.safetensors", Checkpoint(TINY.config | (config or {}), arrays))
    return folder / f"{name}.safetensors"


def test_by_name_and_by_fingerprint(folder: Path):
    models = Registry("cpu")
    assert models.names() == ["letters"]
    found = models.by_name("letters")
    assert (found.name, found.medium, found.alphabet) == ("letters", "text27", 27)
    assert found.fingerprint == TINY.fingerprint
    assert models.by_fingerprint(TINY.fingerprint) is found  # loaded once
    assert models.by_name(str(folder / "letters.safetensors")) is found


def test_a_model_in_a_file(folder: Path, tmp_path: Path):
    """Is found by its fingerprint, too, by whoever asked for it by its path."""
    path = shutil.copy(tiny_path("bytes"), tmp_path / "elsewhere.safetensors")
    models = Registry("cpu")
    with pytest.raises(ModelNotFoundError, match="is not installed"):
        models.by_fingerprint(tiny_checkpoint("bytes").fingerprint)
    assert models.by_fingerprint(models.by_name(str(path)).fingerprint) is models.by_name(str(path))
    with pytest.raises(ModelNotFoundError, match=r"absent\.safetensors: no such file"):
        models.by_name(str(tmp_path / "absent.safetensors"))


def test_the_package_comes_last(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A model of one's own replaces a shipped one by name; by fingerprint both are there."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    monkeypatch.setattr(registry, "WEIGHTS", shipped)
    shutil.copy(tiny_path("letters-mlp"), shipped / "letters.safetensors")
    shutil.copy(tiny_path("bytes"), shipped)
    assert Registry("cpu").names() == ["bytes", "letters"]
    assert Registry("cpu").by_name("letters").fingerprint == TINY.fingerprint
    hidden = tiny_checkpoint("letters-mlp").fingerprint
    assert Registry("cpu").by_fingerprint(hidden).fingerprint == hidden


def test_several_folders_and_missing_ones(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    second = tmp_path / "second"
    second.mkdir()
    shutil.copy(tiny_path("bytes"), second)
    monkeypatch.setenv("CATZIP_MODELS", f"{folder}:{tmp_path / 'not-there'}::{second}")
    assert Registry("cpu").names() == ["bytes", "letters"]


def test_unknown_models_are_named(folder: Path):
    with pytest.raises(ModelNotFoundError, match="no model 'ar-nothing' is installed; installed: letters"):
        Registry("cpu").by_name("ar-nothing")
    with pytest.raises(ModelNotFoundError, match=r"model 0001020304050607 .* CATZIP_MODELS"):
        Registry("cpu").by_fingerprint(bytes(range(8)))
    (folder / "letters.safetensors").unlink()
    with pytest.raises(ModelNotFoundError, match="installed: none is"):
        Registry("cpu").by_name("letters")


def test_a_family_of_a_newer_release(folder: Path):
    install(folder, "new", {"family": "diffusion"})
    with pytest.raises(ModelNotFoundError, match=r"new\.safetensors: .*'diffusion'.* install a newer catzip"):
        Registry("cpu").by_name("new")


def test_the_state_of_a_training_run_is_no_model(folder: Path):
    """It lies beside the exported weights, in a folder that CATZIP_MODELS may well name."""
    state = Checkpoint({"family": "autoregressive", "model": {}, "run": {"step": 1}}, TINY.arrays)
    checkpoint.save(folder / "aaa-state.safetensors", state)
    assert Registry("cpu").names() == ["letters"]
    assert Registry("cpu").by_fingerprint(TINY.fingerprint).name == "letters"
    with pytest.raises(ModelNotFoundError):
        Registry("cpu").by_fingerprint(state.fingerprint)
    with pytest.raises(CorruptError, match=r"aaa-state\.safetensors: not the weights of a model"):
        Registry("cpu").by_name(str(folder / "aaa-state.safetensors"))


@pytest.mark.parametrize(
    ("config", "drop"),
    [
        ({}, "head.weight"),
        ({}, "exp"),
        ({"model": TINY.config["model"] | {"depth": 2}}, ""),
        ({"model": TINY.config["model"] | {"heads": 4}}, ""),
        ({"model": {"alphabet": 27}}, ""),
    ],
    ids=["no head", "no table", "too few layers", "unknown field", "fields missing"],
)
def test_weights_that_do_not_make_a_model_are_named(folder: Path, config: dict, drop: str):
    path = install(folder, "broken", config, drop)
    with pytest.raises(CorruptError, match=r"broken\.safetensors: not the weights of a model"):
        Registry("cpu").by_name(str(path))


def test_a_damaged_file_is_named(folder: Path):
    (folder / "damaged.safetensors").write_bytes(b"no weights")
    with pytest.warns(DamagedWeightsWarning, match=r"damaged\.safetensors: not a .* \(passed over\)"):
        assert Registry("cpu").names() == ["damaged", "letters"]
    with pytest.raises(CorruptError, match=r"damaged\.safetensors: not a catzip weight file"):
        Registry("cpu").by_name("damaged")
    assert Registry("cpu").by_name("letters").fingerprint == TINY.fingerprint


@pytest.mark.parametrize("kind", ["empty", "directory", "dangling link"])
def test_what_cannot_be_read_hides_no_other_model(folder: Path, kind: str):
    """It comes first by name, so it is met before the model is."""
    path = folder / "aaa.safetensors"
    if kind == "empty":
        path.touch()
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(folder / "nothing")
    with pytest.warns(DamagedWeightsWarning, match=r"aaa\.safetensors: not a"):
        assert Registry("cpu").by_fingerprint(TINY.fingerprint).name == "letters"
    with (
        pytest.warns(DamagedWeightsWarning),
        pytest.raises(
            ModelNotFoundError, match=r"0001020304050607 is not installed.*aaa\.safetensors: not a"
        ),
    ):
        Registry("cpu").by_fingerprint(bytes(range(8)))
    with pytest.raises(CorruptError, match=r"aaa\.safetensors: not a catzip weight file"):
        Registry("cpu").info("aaa")


def test_info_of_weights_without_a_card(folder: Path):
    found = Registry("cpu").info("letters")
    assert found["fingerprint"] == TINY.fingerprint.hex() and found["summary"] == ""
    assert "trained" not in found and "validation_bits" not in found


def test_an_unknown_device(folder: Path):
    with pytest.raises(CatzipError, match="no device 'tpu'; cpu, cuda, torch are possible"):
        Registry("tpu").by_name("letters")


def test_info_is_flat_and_is_json(folder: Path):
    trained = {"date": "2020-02-02", "symbols": 12345678, "minutes": 3.5, "device": "a thing", "steps": 1}
    card = {"about": "letters", "data": ["a", "b"], "parameters": 99, "validation_bits": 2.5}
    path = install(folder, "letters", {"card": card | {"trained": trained}})
    found = Registry("cpu").info("letters")
    json.dumps(found)
    assert found["fingerprint"] == TINY.fingerprint.hex()
    assert found["trained"] == "2020-02-02: 12,345,678 symbols in 3.5 minutes on a thing"
    assert found["trained_on"] == "a, b" and found["weights_bytes"] == path.stat().st_size
    assert (found["summary"], found["medium"], found["alphabet"]) == ("letters", "text27", 27)


@pytest.mark.parametrize(
    ("sample", "installed", "chosen"),
    [
        (b"only small letters and single spaces", ["ar-text8", "ar-bytes"], "ar-text8"),
        (b"only small letters and single spaces", ["ar-bytes"], "ar-bytes"),
        (b"two  spaces", ["ar-text8", "ar-bytes"], "ar-bytes"),
        (b"Capitals", ["ar-text8", "ar-bytes"], "ar-bytes"),
        (b"Capitals", ["ar-text8"], None),
        (b"\x00\xff", ["ar-text8", "ar-bytes"], "ar-bytes"),
        (b"letters", [], None),
    ],
)
def test_default_for(folder: Path, sample: bytes, installed: list[str], chosen: str | None):
    for name in installed:
        install(folder, name)
    assert Registry("cpu").default_for(sample) == chosen


def test_default_for_speed(folder: Path):
    install(folder, "ar-bytes")
    assert Registry("cpu", effort="fast").default_for(b"letters") == "ar-bytes"
    install(folder, "ar-bytes-s")
    for sample in (b"letters", b"Capitals"):
        assert Registry("cpu", effort="fast").default_for(sample) == "ar-bytes-s"
        assert Registry("cpu", effort="best").default_for(sample) == "ar-bytes"


def test_default_for_images(folder: Path):
    assert Registry("cpu").default_for_images() is None
    install(folder, "idf-photo")
    assert Registry("cpu").default_for_images() == "idf-photo"


def test_purposes_name_the_best_first(folder: Path):
    """By the bits of the card; those without a card last, damaged files not at all."""
    for bits, name in ((3.5, "second"), (2.5, "first")):
        saved = tiny_checkpoint("images")
        config = saved.config | {"card": {"validation_bits": bits}}
        checkpoint.save(folder / f"{name}.safetensors", Checkpoint(config, saved.arrays))
    shutil.copy(tiny_path("letter-chunks"), folder)
    (folder / "damaged.safetensors").write_bytes(b"no weights")
    with pytest.warns(DamagedWeightsWarning, match=r"damaged\.safetensors"):
        found = Registry("cpu").purposes()
    assert found[:2] == [("first", "array", (4, 4, 3)), ("second", "array", (4, 4, 3))]
    assert set(found[2:]) == {("letter-chunks", "text27", (12,)), ("letters", "text27", ())}


@pytest.mark.parametrize("name", ["images", "letter-chunks", "letters"])
def test_what_is_said_of_items_is_what_the_model_says(folder: Path, name: str):
    config = tiny_checkpoint(name).config
    trained = {"date": "2020-02-02", "symbols": 1, "minutes": 3.5, "device": "a thing"}
    card = {"about": name, "data": ["a"], "parameters": 99, "validation_bits": 2.5, "trained": trained}
    path = folder / f"{name}.safetensors"
    checkpoint.save(path, Checkpoint(config | {"card": card}, tiny_checkpoint(name).arrays))
    models = Registry("cpu")
    found, model = models.info(name), models.by_name(name)
    assert found["alphabet"] == model.alphabet
    assert tuple(found.get("shape", ())) == model.shape
    assert tuple(found.get("budgets", ())) == model.budgets
    assert ("shape" in found) == (name != "letters")
    assert {each.name: each.shape for each in models.purposes()}[name] == model.shape


def test_a_file_is_decoded_with_the_model_that_made_it(folder: Path):
    """By its fingerprint, whatever the weights are called now."""
    made = (FOLDER / "good" / "text27-letters.catz").read_bytes()
    weights = FOLDER / "models" / "tiny-text27.safetensors"
    with pytest.raises(ModelNotFoundError):
        decompress(made, models=Registry("cpu"))
    shutil.copy(weights, folder / "renamed.safetensors")
    assert decompress(made, models=Registry("cpu")) == LETTERS


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_have_a_card(name: str):
    found = Registry("cpu").info(name)
    assert all(found.values()), found
    assert found["weights_bytes"] <= {"ar-bytes": 8, "ar-text8": 6}.get(name, 24) * 10**6
    assert Registry("cpu").by_name(name).fingerprint.hex() == found["fingerprint"]
