"""A model with a vocabulary in a weight file: through the command line, and where the file lies."""

import json
import os
import random

import numpy as np
import pytest
from clitools import catzip
from pieces import STEMS, WORDS, pieces

from catzip.compressor.coding.pmf import MAX_SYMBOLS
from catzip.compressor.coding.vocabulary import Vocabulary
from catzip.compressor.errors import CorruptError
from catzip.models import checkpoint
from catzip.models.checkpoint import Checkpoint
from catzip.models.families import wordlist
from catzip.models.registry import Registry

CONTENT = b"".join(random.Random(3).choices(STEMS, k=1200))


@pytest.fixture
def folder(tmp_path):
    """With the model, its weights found by name."""
    (tmp_path / "models").mkdir()
    checkpoint.save(tmp_path / "models" / "pieces.safetensors", pieces())
    return tmp_path


def run(folder, *arguments, **options):
    env = {**os.environ, "CATZIP_MODELS": str(folder / "models")}
    return catzip(*arguments, cwd=folder, env=env, **options)


def test_files_of_a_model_with_a_vocabulary(folder):
    data = CONTENT + "\tKäse\n".encode() + b"".join(random.Random(4).choices(STEMS, k=500))
    packed = run(folder, "compress", "-v", "-m", "pieces", stdin=data)
    (folder / "a.catz").write_bytes(packed.stdout)
    (found,) = json.loads(run(folder, "list", "--json", "a.catz").stdout)
    (frame,) = found["frames"]
    assert (frame["medium"], frame["model"]) == ("tokens", "pieces")
    assert frame["symbols"] < len(data) / 4 and len(packed.stdout) < len(data) / 8
    assert run(folder, "decompress", "-c", "a.catz").stdout == data
    assert run(folder, "cat", "--range", 7000, 3000, "a.catz").stdout == data[7000:10000]


def test_it_is_listed_and_not_chosen_by_default(folder):
    facts = json.loads(run(folder, "models", "info", "pieces", "--json").stdout)
    assert (facts["medium"], facts["alphabet"]) == ("tokens", len(WORDS))
    assert "pieces" in run(folder, "models").stdout.decode()
    (folder / "a.catz").write_bytes(run(folder, "compress", stdin=CONTENT).stdout)
    (found,) = json.loads(run(folder, "list", "--json", "a.catz").stdout)
    assert all(frame["model"] != "pieces" for frame in found["frames"])


def test_samples_are_spelled_by_the_vocabulary(folder):
    shown = run(folder, "sample", "-m", "pieces", "-n", 3, "--seed", 4).stdout.decode()
    assert len(shown.splitlines()) == 3 and "\N{REPLACEMENT CHARACTER}" in shown
    drawn = (
        Registry("cpu")
        .by_name(str(folder / "models" / "pieces.safetensors"))
        .sample(3, None, np.random.RandomState(4))
    )
    unknown = "\N{REPLACEMENT CHARACTER}".encode()
    spelled = "".join(WORDS.spell(row, unknown).decode() + "\n" for row in drawn)
    assert spelled == shown


def test_the_vocabulary_is_part_of_the_fingerprint():
    others = wordlist.tensors(Vocabulary([b"", b" wahle", *WORDS.pieces[2:]]))
    assert pieces().fingerprint != pieces(**others).fingerprint


DATA, LENGTHS = WORDS.to_tensors()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({wordlist.BYTES: None}, "no tensor vocabulary.bytes"),
        ({wordlist.LENGTHS: None}, "no tensor vocabulary.lengths"),
        ({wordlist.LENGTHS: LENGTHS.astype(np.int8)}, "vocabulary.lengths is int8"),
        ({wordlist.BYTES: DATA[:, None]}, "vocabulary has tensors of the shapes"),
        ({wordlist.BYTES: np.zeros(1 << 16, np.uint8)}, "vocabulary has tensors of the shapes"),
        ({wordlist.LENGTHS: np.ones(MAX_SYMBOLS + 1, np.uint8)}, "vocabulary has tensors of the shapes"),
        ({wordlist.BYTES: DATA[1:]}, "do not add up"),
        ({wordlist.LENGTHS: np.append(LENGTHS, np.uint8(0))}, "2 empty pieces"),
        (
            wordlist.tensors(Vocabulary([*WORDS.pieces, b"x"])),
            f"an alphabet of {len(WORDS)} is not that of tokens",
        ),
        ({"words": DATA}, "which such a model has not"),
    ],
)
def test_vocabularies_that_lie_are_refused(changes, message, tmp_path):
    path = tmp_path / "pieces.safetensors"
    checkpoint.save(path, pieces(**changes))
    with pytest.raises(CorruptError, match=message):
        Registry("cpu").by_name(str(path))


def test_models_of_other_media_have_no_vocabulary(tmp_path):
    path = tmp_path / "pieces.safetensors"
    found = pieces()
    checkpoint.save(path, Checkpoint(found.config | {"medium": "text27"}, found.arrays))
    with pytest.raises(
        CorruptError, match=r"it has a tensor 'vocabulary\.bytes', which such a model has not"
    ):
        Registry("cpu").by_name(str(path))
