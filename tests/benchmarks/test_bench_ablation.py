"""Variants of recipes, and their comparison."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from catzip.benchmarks.studies import ablation
from catzip.compressor.errors import CatzipError
from catzip.models.training import load, train

TOY = """
name = "toy"
family = "idf"
medium = "array"
about = "a toy"
data = [{ path = "toy.bin", share = 1 }]
validation = [{ path = "toy.bin", share = 1 }]
[model]
shape = [8, 8]
channels = 1
levels = 2
nets = 1
width = 8
hidden = 8
depth = 1
components = 2
[schedule]
minutes = 1
lanes = 1
learning_rate = 0.001
"""


def test_a_variant_sets_fields_of_the_model_and_the_schedule_alone():
    """In a table that the recipe has, and in one that it has not; the recipe stays as it is."""
    for name in ("idf-cifar10", "idf-photo"):
        recipe, before = load(name), load(name)
        found = ablation.varied(
            recipe, "model.couplings.count=4,model.couplings.rezero=false,schedule.lanes=8"
        )
        assert found.model["couplings"] == {"count": 4, "rezero": False}
        assert found.schedule.lanes == 8 and found.model["width"] == recipe.model["width"]
        assert recipe == before and ablation.varied(recipe, "") == recipe


def test_a_value_may_have_commas():
    found = ablation.varied(load("ar-bytes"), "model.ngrams=[[1, 8], [2, 9]],schedule.lanes=4")
    assert found.model["ngrams"] == [[1, 8], [2, 9]] and found.schedule.lanes == 4


def test_shares_of_the_data_by_the_names_of_their_files():
    recipe = load("ar-bytes")
    found = ablation.varied(recipe, "data.english_books=44,data.samba=0,schedule.lanes=4")
    shares = {corpus.path: corpus.share for corpus in recipe.data}
    del shares["silesia/samba.xz"]
    shares["books/english_books.txt.xz"] = 44
    assert {corpus.path: corpus.share for corpus in found.data} == shares
    assert found.validation == recipe.validation and found.schedule.lanes == 4
    with pytest.raises(
        ValueError, match="no corpus dickens; there are enwiki_plain, enwiki2015_plain, english"
    ):
        ablation.varied(recipe, "data.dickens=1")


@pytest.mark.parametrize("wrong", ["schedule.nonsense=1", "data.samba='x'", "schedule.lanes=true"])
def test_what_no_recipe_has_is_refused(wrong):
    with pytest.raises(
        ValueError, match=r"nonsense|samba.share: Expected `float`|schedule.lanes: Expected `int`"
    ):
        ablation.varied(load("ar-bytes"), wrong)


def test_a_variant_that_is_no_model_is_found_before_any_is_trained(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(ablation, "measured", lambda *given: pytest.fail("trained"))
    with pytest.raises(CatzipError, match="widht"):
        ablation.main(["ar-bytes-s", "--data", str(tmp_path), "--minutes", "1", "", "model.widht=3"])


@pytest.mark.parametrize("wrong", ["name=1", "model", "model.width", "width=3"])
def test_what_is_no_setting_is_refused(wrong):
    with pytest.raises(ValueError, match=r"model\.FIELD=VALUE"):
        ablation.varied(load("idf-cifar10"), wrong)


def test_each_variant_has_a_row_of_its_own_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "toy.toml").write_text(TOY)
    (tmp_path / "toy.bin").write_bytes(
        np.random.RandomState(0).randint(0, 256, 40 * 64).astype(np.uint8).tobytes()
    )
    words = [str(tmp_path / "toy.toml"), "--data", str(tmp_path), "--minutes", "0.005", "", "model.width=16"]
    assert ablation.main(words) == 0
    table = capsys.readouterr().out.splitlines()
    assert "ablation" in table[0] and "--data" not in table[0]
    bits = [float(row.split("|")[-2]) for row in table[4:]]
    assert len(bits) == 2 and bits[0] != bits[1] and all(7 < value < 16 for value in bits)


def test_variants_may_begin_with_trained_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "toy.toml").write_text(TOY)
    (tmp_path / "toy.bin").write_bytes(np.full(40 * 64, 128, np.uint8).tobytes())
    toy = load(tmp_path / "toy.toml")
    trained = train(toy, tmp_path, tmp_path / "run", minutes=1, steps=60, device="cpu")
    words = [str(tmp_path / "toy.toml"), "--data", str(tmp_path), "--minutes", "0.0001", ""]
    found = []
    for start in ([], ["--from", str(trained)]):
        assert ablation.main([*start, *words]) == 0
        found.append(float(capsys.readouterr().out.splitlines()[-1].split("|")[-2]))
    assert found[1] < found[0] - 0.1
    with pytest.raises(CatzipError, match="width is"):
        ablation.main(["--from", str(trained), *words, "model.width=16"])


def test_a_column_for_the_held_out_end_of_each_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Where there is one: it is not what training sees."""
    pixels = np.random.RandomState(0).randint(0, 256, 40 * 64).astype(np.uint8)
    (tmp_path / "toy.bin").write_bytes(pixels.tobytes())
    (tmp_path / "flat.bin").write_bytes(np.full(40 * 64, 128, np.uint8).tobytes())
    data = """data = [{ path = "toy.bin", share = 1 }, { path = "flat.bin", share = 1, stop = -640 }]"""
    (tmp_path / "toy.toml").write_text(re.sub("data = .*", data, TOY, count=1))
    (corpus,) = ablation.ends(load(tmp_path / "toy.toml"))
    assert (corpus.path, corpus.start, corpus.stop) == ("flat.bin", -640, None)
    words = [str(tmp_path / "toy.toml"), "--data", str(tmp_path), "--minutes", "0.005"]
    assert ablation.main([*words, "--each", ""]) == 0
    head, _, row = capsys.readouterr().out.splitlines()[2:]
    assert [cell.strip() for cell in head.split("|")[-3:-1]] == ["validation, bits", "flat"]
    noisy, flat = (float(cell) for cell in row.split("|")[-3:-1])
    assert flat < noisy - 0.5


def test_text_coded_along_other_orders_has_a_column_for_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    last = {"step": 1200, "symbols": 3_400_000, "validation": 2.5, "ordered": 2.25}
    monkeypatch.setattr(ablation, "measured", lambda *given: last)
    assert ablation.main(["ardm-text8", "--data", str(tmp_path), "--minutes", "1", ""]) == 0
    head, _, row = capsys.readouterr().out.splitlines()[2:]
    assert [cell.strip() for cell in head.split("|")[1:-1]] == [
        "variant", "steps", "values seen", "validation, bits", "in the orders of coding, bits",
    ]  # fmt: skip
    assert [cell.strip() for cell in row.split("|")[1:-1]] == [
        "the recipe",
        "1,200",
        "3.4 M",
        "2.500",
        "2.250",
    ]
