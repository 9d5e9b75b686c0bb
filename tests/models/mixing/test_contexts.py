"""What the models see of the past: packed histories, n-gram rows, and matches that never look ahead."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catzip.models.backends.base import NumpyArray
from catzip.models.mixing.contexts import (
    MATCH_LENGTHS,
    MIN_MATCH,
    MatchModel,
    match_rows,
    ngram_rows,
    pack_history,
    push_symbol,
)

GOLDEN = 0x9E3779B97F4A7C15


def pack(symbols: list[int]) -> int:
    """The last eight symbols in one integer, the newest in the low byte."""
    return sum(symbol << 8 * age for age, symbol in enumerate(symbols[::-1][:8]))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    lanes=st.integers(1, 5),
    before=st.integers(0, 10),
    steps=st.integers(0, 12),
)
def test_pack_history_is_push_symbol_again_and_again(seed: int, lanes: int, before: int, steps: int):
    symbols = np.random.RandomState(seed).randint(0, 256, (before + steps, lanes)).astype(np.uint8)
    recent = np.zeros(lanes, np.uint64)
    history = []
    for t, column in enumerate(symbols):
        if t == before:
            start = recent
        history.append(recent)
        assert recent.tolist() == [pack(lane) for lane in symbols[:t].T.tolist()]
        recent = push_symbol(recent, column)
    if steps:
        packed = pack_history(symbols[before:], start)
        assert packed.dtype == np.uint64
        assert packed.tolist() == np.array(history[before:]).tolist()


def test_pack_history_in_parts():
    """What was packed before the part is in `recent`, however short the part."""
    symbols = np.random.RandomState(0).randint(0, 256, (30, 3)).astype(np.uint8)
    whole = pack_history(symbols, np.zeros(3, np.uint64))
    for size in (1, 2, 7, 8, 9):
        recent, parts = np.zeros(3, np.uint64), []
        for start in range(0, 30, size):
            part = symbols[start : start + size]
            parts.append(pack_history(part, recent))
            for column in part:
                recent = push_symbol(recent, column)
        assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("order", range(1, 9))
def test_ngram_rows_hash_the_newest_symbols(order: int):
    random = np.random.RandomState(order)
    symbols = random.randint(0, 256, (40, 8)).tolist()
    recent = np.array([pack(each) for each in symbols], np.uint64)
    rows = ngram_rows(recent, order, 9).tolist()
    for each, row in zip(symbols, rows, strict=True):
        key = pack(each[8 - order :])
        assert row == (key if order == 1 else (key * GOLDEN % 2**64) >> 55)
        assert 0 <= row < (256 if order == 1 else 512)
    older = np.array([pack([99] * (8 - order) + each[8 - order :]) for each in symbols], np.uint64)
    assert ngram_rows(older, order, 9).tolist() == rows


def test_ngram_rows_spread():
    """Hashing uses the whole table: 4,096 different trigrams of letters into 4,096 rows fill about 63 %."""
    letters = np.arange(16, dtype=np.uint64) + np.uint64(97)
    trigrams = letters[:, None, None] << np.uint64(16) | letters[:, None] << np.uint64(8) | letters
    assert len(np.unique(ngram_rows(trigrams.ravel(), 3, 12))) > 2200


class Matcher:
    """A match model and the packed past that it needs, fed column by column."""

    def __init__(self, lanes: int, length: int) -> None:
        self._match = MatchModel(lanes, length)
        self._recent = np.zeros(lanes, np.uint64)

    def run(self, grid: NumpyArray) -> tuple[NumpyArray, NumpyArray]:
        """Predictions (expected symbols, lengths) before each row of symbols [T, L], which is then learned."""
        expected, lengths = [], []
        for column in grid:
            symbol, length = self._match.predict()
            expected.append(symbol)
            lengths.append(length)
            self._recent = push_symbol(self._recent, column)
            self._match.update(column, self._recent)
        return np.array(expected), np.array(lengths)


def repetitive(seed: int, steps: int, lanes: int, alphabet: int) -> NumpyArray:
    """Symbols uint8 [steps, lanes] from a few phrases: full of matches."""
    random = np.random.RandomState(seed)
    phrases = [random.randint(1, alphabet, random.randint(6, 15)) for _ in range(3)]
    text = np.concatenate([phrases[random.randint(3)] for _ in range(steps * lanes // 6 + 1)])
    return text[: steps * lanes].reshape(lanes, steps).T.astype(np.uint8)


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    lanes=st.integers(1, 6),
    steps=st.integers(2, 60),
    cut=st.integers(1, 59),
)
@example(seed=1, lanes=1, steps=60, cut=30)
def test_predictions_do_not_hang_on_the_future(seed: int, lanes: int, steps: int, cut: int):
    """Other symbols from some step on, in every lane: all predictions up to that step stay as they were."""
    cut = min(cut, steps - 1)
    grid = repetitive(seed, steps, lanes, 5)
    changed = grid.copy()
    changed[cut:] = np.random.RandomState(seed ^ 1).randint(0, 5, (steps - cut, lanes))
    ours, theirs = Matcher(lanes, steps).run(grid), Matcher(lanes, steps).run(changed)
    for a, b in zip(ours, theirs, strict=True):
        assert np.array_equal(a[: cut + 1], b[: cut + 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_rows_of_matches_tell_half_a_symbol(dtype: type):
    """Whatever type a release of NumPy makes of an expected symbol: the weights know these rows and no others."""
    rows = match_rows(np.array([0, 1, 15, 16, 97, 255], dtype), np.array([0, 1, 15, 0, 2, 15]))
    assert rows.tolist() == [0, 17, 255, 0, 18, 255] and rows.dtype == np.intp


TYPES = (np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.intp)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("lengths", TYPES)
def test_rows_of_whole_matches_tell_all_of_a_symbol(dtype: type, lengths: type):
    symbols = np.arange(256)
    rows = match_rows(symbols.astype(dtype), (symbols % MATCH_LENGTHS).astype(lengths), whole=True)
    assert rows.tolist() == [16 * int(x) + int(x) % 16 for x in symbols] and rows.dtype == np.intp


@pytest.mark.parametrize("dtype", TYPES)
def test_features_are_the_same_whatever_type_symbols_have(dtype: type):
    """NumPy computes in the type of its operands, in which a product or a sum can wrap: here, none of them."""
    grid = np.random.RandomState(2).randint(0, 256, (40, 3))
    grid[20:] = grid[:20]
    past, matcher = np.zeros(3, np.uint64), MatchModel(3, 40)
    packed = pack_history(grid.astype(dtype), past)
    for t, column in enumerate(grid.tolist()):
        before = [[int(x) for x in grid[max(0, t - 8) : t, lane]] for lane in range(3)]
        assert past.tolist() == [sum(x << 8 * i for i, x in enumerate(reversed(each))) for each in before]
        assert packed[t].tolist() == past.tolist() and past.dtype == packed.dtype == np.uint64
        for order, bits in ((1, 8), (2, 16), (8, 22)):
            keys = [int(x) & (1 << 8 * order) - 1 for x in past]
            rows = keys if order == 1 else [(key * GOLDEN % 2**64) >> 64 - bits for key in keys]
            found = ngram_rows(past, order, bits)
            assert found.tolist() == rows and found.dtype == np.intp
        expected, lengths = matcher.predict()
        if t >= 20 + MIN_MATCH:
            assert expected.tolist() == column and lengths.tolist() == [min(t - 19 - MIN_MATCH, 15)] * 3
        past = push_symbol(past, np.array(column).astype(dtype))
        matcher.update(np.array(column).astype(dtype), past)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lanes=st.integers(1, 6), steps=st.integers(1, 60))
def test_every_match_is_one(seed: int, lanes: int, steps: int):
    """Symbols 1..4 only, 0 for what has not been shown: an expected symbol is one that followed the same past."""
    grid = repetitive(seed, steps, lanes, 5)
    expected, lengths = Matcher(lanes, steps).run(grid)
    assert lengths.min() >= 0 and lengths.max() < MATCH_LENGTHS
    assert (expected[lengths == 0] == 0).all() and (expected[lengths > 0] > 0).all()
    text = grid.T.ravel()
    for t, lane in zip(*np.nonzero(lengths), strict=True):
        past = grid[t - MIN_MATCH : t, lane].tolist()
        followers = set()
        for at in range(MIN_MATCH, len(text)):
            if at % steps < t and text[at - MIN_MATCH : at].tolist() == past:
                followers.add(int(text[at]))
        assert int(expected[t, lane]) in followers


def test_a_repeat_is_found_and_believed_longer():
    phrase = np.arange(1, 21, dtype=np.uint8)
    grid = np.concatenate([phrase, phrase])[:, None]
    expected, lengths = Matcher(1, 40).run(grid)
    assert not lengths[: 20 + MIN_MATCH].any()
    assert expected[20 + MIN_MATCH :, 0].tolist() == phrase[MIN_MATCH:].tolist()
    assert lengths[20 + MIN_MATCH :, 0].tolist() == list(range(1, 16))  # as far as the network can tell


def test_a_repeat_is_found_in_another_lane():
    """Lane 1 shows the phrase first; lane 0 comes upon it ten steps later."""
    phrase, random = np.arange(50, 70, dtype=np.uint8), np.random.RandomState(0)
    grid = random.randint(100, 250, (40, 2)).astype(np.uint8)
    grid[:20, 1] = phrase
    grid[10:30, 0] = phrase
    expected, lengths = Matcher(2, 40).run(grid)
    assert not lengths[: 10 + MIN_MATCH].any()
    assert expected[10 + MIN_MATCH : 30, 0].tolist() == phrase[MIN_MATCH:].tolist()
    assert (np.diff(lengths[10 + MIN_MATCH : 30, 0]) >= 0).all()


def test_a_match_ends_where_it_fails():
    phrase = np.arange(1, 13, dtype=np.uint8)
    second = phrase.copy()
    second[8] = 99
    _, lengths = Matcher(1, 24).run(np.concatenate([phrase, second])[:, None])
    assert lengths[:, 0].tolist() == [0] * 17 + [1, 2, 3, 4] + [0] * 3
