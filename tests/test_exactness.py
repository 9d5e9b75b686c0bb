"""The exactness matrix: its verdicts."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import MODELS, TEXT

from catzip.benchmarks import conditions, exactness, matrix
from catzip.benchmarks.conditions import REFERENCE, Condition
from catzip.benchmarks.matrix import DIFFERENT, FAILED, NOT_RUN, SAME, Row, judge
from catzip.benchmarks.recording import trace

DIGESTS = {"PMFs": {"all at once": "aa", "step by step": "aa"}, "coded": {"file": "bb"}}


def test_verdicts() -> None:
    assert judge(REFERENCE, {}, DIGESTS, None).verdict == SAME
    assert judge(REFERENCE, {}, DIGESTS, DIGESTS).verdict == SAME
    inside = DIGESTS | {"PMFs": {"all at once": "aa", "step by step": "ab"}}
    assert judge(REFERENCE, {}, inside, None).note == "PMFs, step by step"
    other = DIGESTS | {"coded": {"file": "bc"}}
    assert judge(REFERENCE, {}, other, DIGESTS).verdict == DIFFERENT
    assert judge(REFERENCE, {}, {"PMFs": DIGESTS["PMFs"]}, DIGESTS).note == "coded, missing"


def test_setting_without_effect_is_no_pass() -> None:
    condition = Condition("OPENBLAS_CORETYPE", "Haswell", takes_effect={"blas": {"Haswell"}})
    assert judge(condition, {"blas": "Haswell"}, DIGESTS, DIGESTS).verdict == SAME
    row = judge(condition, {"blas": "Zen"}, DIGESTS, DIGESTS)
    assert (row.verdict, row.note) == (FAILED, "no effect: blas is Zen")


def test_unsupported_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    condition = Condition("x", "y", needs=frozenset({"no_such_instruction"}))
    assert condition.obstacle() == "not supported by this CPU"
    (_, row) = list(matrix.run_matrix(["--no-such-option"], [condition], lambda text: None))
    assert row.verdict == NOT_RUN


def test_failing_probe_fails_the_matrix() -> None:
    rows = list(matrix.run_matrix(["--no-such-option"], [], lambda text: None))
    assert rows[0].verdict == FAILED
    assert not matrix.passed(rows)


def test_passing() -> None:
    same, skipped = Row("a", "b", SAME, digests=DIGESTS), Row("a", "c", NOT_RUN, "not supported by this CPU")
    assert matrix.passed([same, skipped])
    assert not matrix.passed([same, replace(same, verdict=DIFFERENT)])
    assert not matrix.passed([skipped, same])
    text = exactness.table([same, skipped])
    assert "not run (not supported by this CPU)" in text
    assert "PMFs: all at once, step by step" in text


def test_conditions_are_distinct_and_complete() -> None:
    listed = list(conditions.conditions())
    assert len({(each.axis, each.value) for each in listed}) == len(listed)
    assert {"AVX512_CORE", "AVX2", "SSE41", "DEFAULT"} == {
        each.value for each in listed if each.axis == "ONEDNN_MAX_CPU_ISA"
    }
    assert {"default", "avx2", "avx512"} == {
        each.value for each in listed if each.axis == "ATEN_CPU_CAPABILITY"
    }


def test_trace_sees_the_pmfs_that_reach_the_coder() -> None:
    model = MODELS.by_name("table-bytes")
    symbols = np.frombuffer(TEXT.encode()[:400], np.uint8)
    first = trace(model, symbols, (100,))
    assert first.pushed == first.popped
    cut = trace(model, symbols, (37,))
    assert cut.pushed == first.pushed and cut.coded != first.coded
    other = np.frombuffer(TEXT.encode()[1:401], np.uint8)
    assert trace(model, other, (100,)).pushed != first.pushed
