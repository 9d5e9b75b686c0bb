"""A run: which rows it has, what is kept of one that is stopped, and how it goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import MODELS

from catzip import __version__
from catzip.benchmarks import run as bench_run
from catzip.benchmarks.data.dataset import Dataset, DatasetError
from catzip.benchmarks.measuring.measure import Measurement, MeasureSettings
from catzip.benchmarks.results import Result, Run
from catzip.benchmarks.run import Bench, ResumeError, begin, budgets_of, collect, resumed, run_bench
from catzip.cli import cli
from catzip.compressor.errors import CatzipError, ModelMismatchError

TEXT = Dataset("text", b"abc" * 100, "some text")
ARRAY = Dataset.of_items("array", np.zeros((5, 4, 3), np.uint8), "an array")


def silent(message: str) -> None:
    """As where nothing is to be said."""


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Measurement]:
    """The tasks that were measured, in place of measuring them, with the models of the tests."""
    tasks: list[Measurement] = []

    def measure(task: Measurement, models: object, settings: MeasureSettings) -> Result:
        tasks.append(task)
        return Result(
            task.dataset.name, task.system, "", 10, 5, steps=task.steps, files=len(task.singles) or None
        )

    monkeypatch.setattr(bench_run, "measure", measure)
    monkeypatch.setattr(bench_run, "Registry", lambda **options: MODELS)
    monkeypatch.setattr(bench_run, "load", lambda name, limit: iter([{"text": TEXT, "array": ARRAY}[name]]))
    return tasks


def test_a_row_for_each_number_of_steps(measured: list[Measurement]) -> None:
    bench = Bench(["array", "text"], ["table-bytes", "table-array"], steps=[3, 0, 12], singles=range(9))
    run = run_bench(bench, echo=silent)
    assert [result.choice for result in run.results if result.dataset == "array"] == [
        "table-bytes",
        "table-bytes, first 5 items, a file each",
        "table-array, 3 steps",
        "table-array, 3 steps, first 5 items, a file each",
        "table-array, 12 steps",
        "table-array, 12 steps, first 5 items, a file each",
    ]
    assert [result.choice for result in run.results if result.dataset == "text"] == [
        "table-bytes",
        "table-array, 3 steps",
        "table-array, 12 steps",
    ]
    assert run.datasets["array"]["item"] == [4, 3] and run.datasets["array"]["dimensions"] == 60


def test_single_items_alone(measured: list[Measurement]) -> None:
    """An array has items; text has none, and is measured as it is."""
    bench = Bench(["array", "text"], ["table-array"], steps=[3], singles=range(2), whole=False)
    assert bench.command().endswith("--singles 2 --singles-only")
    run_bench(bench, echo=silent)
    assert [(task.dataset.name, task.singles) for task in measured] == [
        ("array", range(2)),
        ("text", range(0)),
    ]


def test_single_items_in_parts(measured: list[Measurement], tmp_path: Path) -> None:
    """Each is a row that a run goes on from; what a data set lacks is left out, or refused."""
    out = tmp_path / "run.json"
    bench = Bench(["array"], ["table-array"], steps=[3], whole=False)
    for part in (range(2), range(2, 4), range(2, 4)):
        run = run_bench(replace(bench, singles=part), json_out=out, resume=True, echo=silent)
    assert [task.singles for task in measured] == [range(2), range(2, 4)]
    assert run.command.endswith(
        "--singles 2 --singles-only; " + replace(bench, singles=range(2, 4)).command()
    )
    assert "--singles 2-3 --singles-only" in run.command
    run_bench(replace(bench, singles=range(4, 9)), echo=silent)
    assert measured[-1].singles == range(4, 5)
    with pytest.raises(DatasetError, match="array has 5 items, none from 5 on"):
        run_bench(replace(bench, singles=range(5, 9)), echo=silent)


def test_wrong_steps_are_found_before_anything_is_measured(measured: list[Measurement]) -> None:
    with pytest.raises(ModelMismatchError, match=r"3, 12 \(all\) steps, not in 7"):
        run_bench(Bench(["text"], ["table-bytes", "table-array"], steps=[3, 7]), echo=silent)
    assert not measured


def test_budgets() -> None:
    assert budgets_of(MODELS, "table-array", [3, 12, 0]) == [3, 12]
    assert budgets_of(MODELS, "table-array", []) == budgets_of(MODELS, "table-bytes", [3]) == [None]


def test_a_stopped_run_keeps_its_rows_and_goes_on(measured: list[Measurement], tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    bench = Bench(["text"], ["table-bytes", "table-array"], steps=[3, 0])
    run = begin(bench.command(), bench.loaded(), bench.settings)

    def stopped() -> Result:
        raise KeyboardInterrupt

    first, second, (words, _) = bench.jobs([TEXT])
    with pytest.raises(KeyboardInterrupt):
        collect(run, [first, second, (words, stopped)], out, silent, silent)
    assert len(Run.load(out).results) == len(measured) == 2
    said: list[str] = []
    whole = run_bench(bench, json_out=out, resume=True, echo=silent, done=said.append)
    assert [task.steps for task in measured] == [None, 3, 12]
    assert Run.load(out) == whole and len(whole.results) == 3
    assert said == ["text: table-array, 12 steps: 5 bytes, 4.0000 bits"]


def test_models_are_added_to_the_peers_that_were_measured(
    measured: list[Measurement], tmp_path: Path
) -> None:
    out = tmp_path / "run.json"
    alone = Bench(["text"], peers=True, no_models=True)
    assert alone.command() == "catzip bench --dataset text --peers-only"
    peers = run_bench(alone, json_out=out, echo=silent).results
    assert peers and not measured
    whole = run_bench(Bench(["text"], ["table-bytes"], peers=True), json_out=out, resume=True, echo=silent)
    assert [task.model for task in measured] == ["table-bytes"] and whole.results[1:] == peers
    assert whole.command == "catzip bench --dataset text -m table-bytes --peers"
    more = run_bench(Bench(["text"], ["table-array"]), json_out=out, resume=True, echo=silent)
    assert more.results[1:] == whole.results and more.results[0].system == "table-array"
    assert more.command == f"{whole.command}; catzip bench --dataset text -m table-array"
    replace(more, catzip="0.0.1").save(out)
    assert resumed(more, out, []).catzip == f"0.0.1, then {__version__}"


def test_another_run_is_not_resumed(measured: list[Measurement], tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    run = run_bench(Bench(["text"], ["table-bytes"]), json_out=out, echo=silent)
    with pytest.raises(ResumeError, match=r"run\.json is of another run, its datasets differs"):
        run_bench(Bench(["array"], ["table-array"]), json_out=out, resume=True, echo=silent)
    replace(run, results=[replace(run.results[0], job=None)]).save(out)
    with pytest.raises(ResumeError, match="does not say which row is of what"):
        resumed(run, out, [])
    out.write_text("{}")
    with pytest.raises(ResumeError, match="not a benchmark result"):
        resumed(run, out, [])
    assert resumed(run, tmp_path / "absent", []) is run


def test_only_results_are_overwritten(measured: list[Measurement], tmp_path: Path) -> None:
    out = tmp_path / "notes.txt"
    out.write_text("mine")
    with pytest.raises(CatzipError, match=r"notes\.txt.* not overwritten; write to another file"):
        run_bench(Bench(["text"], ["table-bytes"]), json_out=out, echo=silent)
    assert out.read_text() == "mine" and not measured
    out.unlink()
    for _ in range(2):
        run_bench(Bench(["text"], ["table-bytes"]), json_out=out, echo=silent)
    assert len(measured) == 2


def test_a_run_without_likelihoods_says_so_when_resumed(measured: list[Measurement], tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    plain, bare = (
        Bench(["text"], ["table-bytes"], settings=MeasureSettings(nll=nll)) for nll in (True, False)
    )
    run_bench(bare, json_out=out, echo=silent)
    run = run_bench(plain, json_out=out, resume=True, echo=silent)
    both = "catzip bench --dataset text -m table-bytes --no-nll; catzip bench --dataset text -m table-bytes"
    assert run.command == both and len(run.results) == 1
    run.save(out)
    run = run_bench(bare, json_out=out, resume=True, echo=silent)
    assert run.command == f"{both}; catzip bench --dataset text -m table-bytes --no-nll"


def test_command_repeats_the_run(tmp_path: Path) -> None:
    bench = Bench(
        ["cifar10"], ["ardm"], [20, 0], range(9), True, True, False, 50, MeasureSettings(2, "cpu", nll=False)
    )
    words = (
        "--dataset cifar10 -m ardm --steps 20,all --singles 9 --peers --limit 50 --no-nll -T 2 --device cpu"
    )
    assert bench.command() == f"catzip bench {words}"
    assert Bench(["text8"]).command() == "catzip bench --dataset text8"


@pytest.mark.parametrize(
    "words",
    [
        ("--steps", "20,x"),
        ("--steps", "0"),
        ("--resume",),
        ("--singles", "-1"),
        ("--singles", "0"),
        ("--steps", "20"),
        ("--singles", "9-3"),
        ("--singles", "3-"),
        ("--singles-only",),
        ("--peers-only", "-m", "x"),
    ],
)
def test_wrong_options(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, ["bench", "--dataset", "text8", *words])
    assert done.exit_code == 2


def test_options_reach_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Bench] = []
    monkeypatch.setattr(bench_run, "run_bench", lambda bench, **options: seen.append(bench))
    words = "bench --dataset cifar10 -m ardm --steps 5,20 --steps all --singles 3 --limit 9 -T 1"
    done = CliRunner().invoke(cli, words.split(), catch_exceptions=False)
    assert done.exit_code == 0
    assert seen == [
        Bench(("cifar10",), ("ardm",), (5, 20, 0), range(3), True, False, False, 9, MeasureSettings(1))
    ]
