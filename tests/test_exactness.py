"""The exactness matrix: its verdicts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import MODELS, TEXT

from catzip.benchmarks import report
from catzip.benchmarks.matrix import conditions, matrix, probe
from catzip.benchmarks.matrix.conditions import REFERENCE, Condition
from catzip.benchmarks.matrix.matrix import DIFFERENT, FAILED, NOT_RUN, SAME, Row, judge
from catzip.benchmarks.matrix.operands import exact_product, operands
from catzip.benchmarks.matrix.randomized import save_random
from catzip.benchmarks.matrix.recording import trace
from catzip.benchmarks.tables.exactness_tables import terminal
from catzip.models import checkpoint
from catzip.models.backends.numpy import NumpyArrays
from catzip.models.backends.select import arrays_for
from catzip.models.backends.workers import Workers
from catzip.models.families.table import digests_of
from catzip.models.registry import Registry

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


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Tiny random networks of every family."""
    return save_random(tmp_path_factory.mktemp("weights"))


def run(weights: list[Path], wanted: Callable[[Condition], bool]) -> list[Row]:
    """The rows of the matrix whose conditions are wanted, for the random networks."""
    listed = [condition for condition in conditions.conditions() if wanted(condition)]
    assert listed
    words = [word for path in weights for word in ("--model", str(path))]
    return list(matrix.run_matrix([*words, "--size", "800"], listed, lambda text: None))


def test_nothing_differs_on_numpy(weights: list[Path]) -> None:
    rows = run(weights, lambda condition: condition.device == "cpu")
    assert matrix.passed(rows), "\n" + terminal(rows)
    subjects = {f"{path.stem} {what}" for path in weights for what in ("PMFs", "bytes", "network")}
    of_items = [path for path in weights if path.stem not in ("random", "random-refined", "random-rich")]
    items = {f"{path.stem} PMFs of {what}" for path in of_items for what in ("3 items", "single items")}
    fitted = {f"random-photo {what} of a fitted image" for what in ("PMFs", "bytes")}
    assert set(rows[0].digests) == {"product", *subjects, *items, *fitted}


def test_threads_that_do_not_share_the_work_are_noticed(
    weights: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workers, "groups", lambda workers, lanes, least=1, each=1: [slice(0, lanes)])
    for path in weights:
        with pytest.raises(RuntimeError, match="2 threads should share"):
            probe.probe([path], 800, "cpu", 2)


@pytest.mark.slow
def test_nothing_differs_on_torch(weights: list[Path]) -> None:
    pytest.importorskip("torch")
    rows = run(weights, lambda condition: condition.device != "cpu")
    assert matrix.passed(rows), "\n" + terminal(rows)
    assert any("torch's int8 product" in row.digests.get("product", {}) for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", Registry().names())
def test_shipped_models(name: str) -> None:
    path = Registry().info(name)["path"]
    listed = [
        condition
        for condition in conditions.conditions()
        if condition.axis in ("threads", "NumPy dispatch") or condition.axis.startswith("compiled core")
    ]
    rows = list(matrix.run_matrix(["--model", path, "--size", "800"], listed, lambda text: None))
    assert matrix.passed(rows), "\n" + terminal(rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random", *Registry().names()])
def test_this_machine_finds_what_is_in_the_repository(name: str, weights: list[Path]) -> None:
    """The committed digests were found on other machines."""
    committed = report.load_exactness()
    assert committed is not None and set(committed.models) == set(Registry().names())
    words = committed.command.split()
    size = int(words[words.index("--size") + 1].rstrip(";"))
    paths = weights if name == "random" else [Path(Registry().info(name)["path"])]
    stale = f"{report.EXACTNESS} is of other weights or of another sample.txt, or this machine is not exact"
    for subject, digests in probe.probe(paths, size, "cpu", 1).items():
        assert committed.rows[0].digests[subject] == digests, stale


def test_another_machine_is_a_row() -> None:
    """What both evaluated with the same weights is compared."""
    one, two = {"coded": "aa"}, {"coded": "bb"}
    here = {"product": one, "a PMFs": one, "b PMFs": one, "c PMFs": one}
    there = matrix.Matrix(
        command="", date="", catzip="", commit=None, machine={"cpu": "an older one"},
        models={"a": "1", "b": "2"},
        rows=[Row("reference", "", SAME, digests={"product": one, "a PMFs": one, "b PMFs": two})],
    )  # fmt: skip
    row = matrix.elsewhere(there, {"a": "1", "b": "3", "c": "4"}, here)
    assert (row.axis, row.value, row.verdict) == ("another machine", "an older one", SAME)
    assert set(row.digests) == {"product", "a PMFs"} and row.note.startswith("2 of 4 subjects")
    row = matrix.elsewhere(there, {"a": "1", "b": "2"}, here)
    assert (row.verdict, row.note) == (DIFFERENT, "b PMFs, coded")
    assert not matrix.passed([Row("reference", "", SAME), row])
    assert matrix.elsewhere(there, {"a": "1", "b": "2"}, {}).verdict == NOT_RUN


def test_operands_reach_the_edge_of_float32() -> None:
    sums = {shape: int(np.abs(exact_product(codes, weight)).max()) for shape, codes, weight in operands()}
    assert sums["2x2096x3 all high"] == 2096 * 127 * 63 < 1 << 24
    assert sums["2x4097x3 low by low"] > 1 << 24


class Careless(NumpyArrays):
    """Floating point as usual: a sum that depends on how many rows are in the batch."""

    def product(self, codes: Any, weight: Any) -> Any:
        return super().product(codes, weight) + np.float32(len(codes) % 2)


def test_a_product_that_depends_on_the_batch_is_noticed(weights: list[Path]) -> None:
    for path in weights:
        digests = digests_of(checkpoint.load_config(path)["family"]).digests
        assert len(set(digests(path, arrays_for("cpu")).values())) == 1
        assert len(set(digests(path, Careless()).values())) > 1


def test_the_random_networks_are_not_degenerate(weights: list[Path]) -> None:
    """Their PMFs differ from step to step and reach many symbols, or equal digests would mean little."""
    for path in weights:
        model = Registry(device="cpu").by_name(str(path))
        symbols = np.frombuffer(TEXT.encode()[:300], np.uint8) % min(model.alphabet, 255)
        bits = model.nll(symbols, model.plan(300)) / 300
        assert 2 < bits < 20
