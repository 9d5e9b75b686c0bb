"""The rich mixture: the compiled core repeats it; it never looks ahead; it learns records, and repeats with changes."""

import json
from dataclasses import replace

import native
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native import ALL
from tiny_models import CONFIGS, mixed_text

from catzip.benchmarks.matrix.recording import trace
from catzip.compressor.coding.model import Plan
from catzip.compressor.errors import CorruptError
from catzip.compressor.format import varint
from catzip.models.backends.base import NumpyArray
from catzip.models.backends.native.library import Unusable, variants
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.backends.workers import Workers
from catzip.models.families.autoregressive.codec import Autoregressive, load
from catzip.models.families.autoregressive.random import MIXING, RICH, MixedModel, random_checkpoint
from catzip.models.families.identity import Identity
from catzip.models.mixing.choice import mixing_config
from catzip.models.mixing.config import STRETCH_MAX
from catzip.models.mixing.rich.config import CONTEXTS, OLDEST, RichConfig, fresh_histories
from catzip.models.mixing.rich.lines import FRESH, LINE, Lines, history_of
from catzip.models.mixing.rich.matches import Match
from catzip.models.mixing.rich.mixers import rates
from catzip.models.mixing.rich.past import Memory

TABLES = RICH.tables()


def loaded(
    alphabet: int, core: str = "numpy", mixing: RichConfig = RICH, **tables: NumpyArray
) -> Autoregressive:
    """A tiny random network before this mixture."""
    network = replace(CONFIGS["bytes-rich"], alphabet=alphabet)
    saved = random_checkpoint(MixedModel(network, mixing), "own")
    config = json.loads(json.dumps(saved.config))  # as in a weight file
    with native.chosen(core):
        return load(Identity("own", "bytes", b""), config, saved.arrays | tables, NumpyArrays(), Workers(1))


def wild_tables(seed: int) -> dict[str, NumpyArray]:
    """What a weight file may say, far from what is fitted."""
    random = np.random.RandomState(seed)
    found = {name: TABLES[name] for name in ("histories", "trust", "weights")}
    for name in ("histories", "trust"):
        chances = random.randint(-(1 << 21), 1 << 21, found[name].shape).astype(np.int32)
        found[name] = chances * 1024 + random.randint(0, OLDEST + 1, chances.shape).astype(np.int32)
    ends = random.choice([-(1 << 24), 0, 1 << 24], found["weights"].shape)
    return found | {"weights": ends.astype(np.int32)}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("alphabet", "plan", "mixing", "seed"),
    [
        (256, (30, 30, 131 * 4), RICH, None),
        (256, (20, 40, 131 * 1000), RICH, None),
        (256, (16, 57), replace(RICH, rate=(1 << 20) - 1, limit=63), 1),
        (200, (16, 55, 131 * 2), replace(RICH, rate=1, limit=0, bits=8), 2),
        (2, (9, 60, 131 * 3), RICH, None),
    ],
)
def test_the_compiled_core_repeats_it(
    name: str, alphabet: int, plan: Plan, mixing: RichConfig, seed: int | None
):
    """Records of any length, the least and the wildest learning, starts that nobody fits, lines that collide."""
    tables = {} if seed is None else wild_tables(seed)
    models = [loaded(alphabet, core, mixing, **tables) for core in (name, "numpy")]
    assert models[0].native and not models[1].native
    symbols = mixed_text(alphabet, 900)
    symbols[::29] = min(10, alphabet - 1)  # lines of text
    assert trace(models[0], symbols, plan) == trace(models[1], symbols, plan)


@pytest.mark.parametrize(
    "plan", [(4, 20, 131), (4, 20, 0), (4, 20, 131 << 13), (4, 20, 524, 524), (4, 20, 523), (4, 20, 4)]
)
def test_records_that_cannot_be_are_refused(plan: Plan):
    with pytest.raises(CorruptError, match="cannot have the coding plan"):
        loaded(256).segment_sizes(100, plan)


def test_no_change_of_one_byte_makes_another_record():
    spelled = {varint.encode(131 * record) for record in range(2, 4097)}
    for own in list(spelled)[::97]:
        for place in range(len(own)):
            others = {own[:place] + bytes([each]) + own[place + 1 :] for each in range(256)} - {own}
            assert not others & spelled


def test_another_mixture_knows_no_records():
    saved = random_checkpoint(MixedModel(CONFIGS["bytes-rich"], MIXING), "own")
    config = json.loads(json.dumps(saved.config))
    plain = load(Identity("own", "bytes", b""), config, saved.arrays, NumpyArrays(), Workers(1))
    assert plain.plan(1000, shape=(100, 10)) == plain.plan(1000)
    with pytest.raises(CorruptError, match="cannot have the coding plan"):
        plain.segment_sizes(100, (4, 20, 524))


def test_a_plan_tells_the_records_of_bytes_and_of_nothing_else():
    model = loaded(256)
    assert model.plan(1000, shape=(100, 10)) == (*model.plan(1000), 1310)
    assert model.plan(1000, shape=(10, 10, 10)) == model.plan(1000, shape=(1000, 1)) == model.plan(1000)


def bits(model: Autoregressive, symbols: NumpyArray, plan: Plan) -> float:
    return model.nll(symbols, plan) / len(symbols)


def test_records_are_learnt():
    """Every byte is that of the record before plus one, or noise: only who looks one record back can know."""
    random, record = np.random.RandomState(0), 7
    table = random.randint(0, 256, (1, record)) + np.arange(400)[:, None] * np.arange(record)
    symbols = table.astype(np.uint8).ravel()
    symbols[::record] = 0  # a constant, and the place in the record tells where
    model = loaded(256, fastest())
    assert bits(model, symbols, (2, 1400, 131 * record)) < 0.8 * bits(model, symbols, (2, 1400))


def test_lines_of_text_are_learnt():
    """Columns of what stands above, in lines of one length: the same text without its ends of lines is harder."""
    random = np.random.RandomState(1)
    line = random.randint(97, 123, 30)
    lines = np.tile(line, (60, 1))
    lines[:, ::3] = random.randint(97, 123, (60, 10))  # what comes between changes from line to line
    ended = np.concatenate([lines, np.full((60, 1), 10)], axis=1).astype(np.uint8).ravel()
    other = ended.copy()
    other[ended == 10] = 11
    model = loaded(256, fastest())
    assert bits(model, ended, (1, len(ended))) < bits(model, other, (1, len(ended)))


def fastest() -> str:
    """The core that takes the least time here."""
    try:
        return next(iter(variants()))
    except Unusable:
        return "numpy"


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lanes=st.integers(1, 5), record=st.sampled_from([0, 2, 5]))
def test_contexts_and_matches_do_not_hang_on_the_future(seed: int, lanes: int, record: int):
    """Other symbols from some step on, in every lane: what was seen up to that step stays as it was."""
    steps, cut = 40, 25
    grid = mixed_text(256, steps * lanes, seed).reshape(lanes, steps).T.copy()
    grid[::9] = 10
    changed = grid.copy()
    changed[cut:] = np.random.RandomState(seed ^ 1).randint(0, 256, (steps - cut, lanes))
    ours, theirs = (seen(each, record) for each in (grid, changed))
    assert ours[: cut + 1] == theirs[: cut + 1] and ours[cut + 1 :] != theirs[cut + 1 :]


def seen(grid: NumpyArray, record: int) -> list[list[object]]:
    """What a memory and a match model say before each step."""
    lanes = grid.shape[1]
    memory = Memory(256, lanes, grid.size, record)
    match, found = Match(memory, 5, TABLES["trust"][0, 0], TABLES["adapt"]), list[list[object]]()
    for column in grid:
        match.begin(lanes, 256)
        contexts, above = memory.contexts(lanes)
        expected = match.predict(np.ones(lanes, np.int64), 8)
        found.append([contexts.tolist(), above.tolist(), *(part.tolist() for part in expected)])
        match.learn(np.zeros(lanes, np.int64))
        memory.advance(column)
        match.advance(column)
    return found


def test_a_match_goes_on_after_what_differs():
    """A phrase comes again with one symbol changed: it is expected before and after that symbol."""
    phrase = np.arange(1, 31, dtype=np.uint8)
    again = phrase.copy()
    again[15] = 99
    text = np.concatenate([phrase, again])[:, None]
    memory = Memory(256, 1, len(text), 0)
    match, expected = Match(memory, 5, TABLES["trust"][0, 0], TABLES["adapt"]), []
    for column in text:
        match.begin(1, 256)
        match.predict(np.ones(1, np.int64), 8)
        expected.append(int(match._expected[0]) - 256)
        match.learn(np.zeros(1, np.int64))
        memory.advance(column)
        match.advance(column)
    assert expected[:35] == [-256] * 35
    assert expected[35:60] == phrase[5:].tolist()


def test_lines_are_found_again_and_strange_ones_are_emptied():
    lines = Lines(1, 1, TABLES["adapt"], 60)
    keys, places = np.array([[5]], np.uint64), np.array([3])
    for _ in range(3):
        found = lines.find(keys)
        slots = lines.read(found, places)
        lines.learn(found, places, slots, np.array([1]))
    after = int(lines.read(lines.find(keys), places)[0, 0])
    assert history_of(np.array(after)) == 0b1111 and after >> 8 & 63 == 3 and after >> 31
    strangers = [int(lines.read(lines.find(np.array([[key]], np.uint64)), places)[0, 0]) for key in (6, 7, 8)]
    assert set(strangers) == {FRESH}
    assert lines._table.shape == (2, LINE)


def test_histories_keep_seven_bits():
    lines = Lines(1, 4, TABLES["adapt"], 60)
    found, places = lines.find(np.array([[5]], np.uint64)), np.array([1])
    for bit in [1, 1, 0, 1, 0, 0, 1, 1, 0, 1]:
        lines.learn(found, places, lines.read(found, places), np.array([bit]))
    assert history_of(lines.read(found, places))[0, 0] == 0b11001101 | 1 << 7


def test_a_fresh_history_says_what_it_has_seen():
    chances = (fresh_histories() >> 10) / 2**22 + 0.5
    assert chances[1] == 0.5 and chances[0b11] > 0.7 > 0.3 > chances[0b10]
    assert chances[0b1111] > chances[0b111] > chances[0b101] > 0.5 > chances[0b110]


def test_rates_fall_to_those_of_the_configuration():
    assert rates(14_000, 0, 20) == (1400, 100)
    assert rates(14_000, 1 << 30, 20) == (700, 100) and rates(14_000, 1 << 30, 1) == (1000, 142)


@pytest.mark.parametrize(
    "wrong",
    [{"mixture": 1}, {"mixture": 3}, {"bits": 7}, {"bits": 19}, {"limit": 64}, {"rate": 0}, {"more": 1}],
)
def test_what_there_is_no_room_for_is_refused(wrong: dict):
    table = {"mixture": 2, "bits": 12, "limit": 60, "rate": 14000, "lanes": 8}
    assert mixing_config(table) == RichConfig(2, 12, 60, 14000)
    with pytest.raises(ValueError, match=r"^coding"):
        mixing_config(table | wrong)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("weights", (0, 0, 0), (1 << 24) + 1),
        ("histories", (1, CONTEXTS - 1, 255), OLDEST + 1),
        ("trust", (1, 1, 63), OLDEST + 1),
        ("squash", (0,), 0),
        ("stretch", (0,), STRETCH_MAX + 1),
        ("adapt", (9,), 1 << 16),
    ],
)
def test_tables_that_would_leave_their_bits_are_refused(name: str, place: tuple[int, ...], value: int):
    table = TABLES[name].copy()
    table[place] = value
    with pytest.raises(ValueError, match="must"):
        loaded(256, **{name: table})
