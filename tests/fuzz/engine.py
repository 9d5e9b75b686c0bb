"""What makes inputs: libFuzzer, by atheris, which sees what code an input reaches; or, without it, random changes."""

from __future__ import annotations

import random
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from . import oracle, targets
from .draw import Draw

GUIDED = find_spec("atheris") is not None

WALL = 6 * oracle.SECONDS
"""Seconds after which an input that cannot be interrupted ends the process."""

_RSS = 2 * oracle.MEMORY  # at which the process ends; what the oracle finds between inputs is less


@contextmanager
def instrumented() -> Iterator[None]:
    """Have what is imported of catzip tell which of its code runs, where atheris is installed."""
    if not GUIDED:
        yield
        return
    import atheris

    with atheris.instrument_imports(include=["catzip"]):
        yield


class Keeper:
    """Runs a target, and keeps one input for each cause of a finding, with what it was, in a folder."""

    def __init__(self, target: targets.Target, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self._slowest = 1.0

    def run(self, data: bytes) -> None:
        """Run it on an input."""
        start = time.process_time()
        error = oracle.finding(self._target.check, data)
        if error is not None:
            self._keep(data, error)
        if (took := time.process_time() - start) > self._slowest:
            self._slowest = took
            print(f"SLOW: {took:.1f} s of processor time, {len(data)} bytes", file=sys.stderr, flush=True)

    def _keep(self, data: bytes, error: BaseException) -> None:
        path = self._folder / oracle.label(error)
        if not path.exists():
            path.write_bytes(data)
            text = "".join(traceback.format_exception(error))
            path.with_suffix(".txt").write_text(f"{oracle.signature(error)}\n\n{text}")
            print(f"FINDING: {oracle.signature(error)}", file=sys.stderr, flush=True)


def fuzz(name: str, target: targets.Target, seconds: int, corpus: Path, findings: Path) -> None:
    """Fuzz for so long. New inputs go to `corpus`, findings to `findings`. May not return, and end the process."""
    keeper = Keeper(target, findings)
    for seed, data in (target.seeds() | targets.mended(name)).items():
        (corpus / f"seed-{seed}").write_bytes(data)
    oracle.guard_memory()
    if GUIDED:
        _guided(target, keeper, seconds, corpus, findings)
    else:
        _unguided(target, keeper, seconds, corpus)


def _guided(target: targets.Target, keeper: Keeper, seconds: int, corpus: Path, findings: Path) -> None:
    import atheris

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        return _mutated(target, data, Draw(seed, atheris.Mutate))[:most]

    options = {
        "max_total_time": seconds,
        "timeout": WALL,
        "rss_limit_mb": _RSS >> 20,
        "report_slow_units": 1 << 20,  # in seconds of the clock, which say little on a busy machine
        "max_len": target.LARGEST,
        "len_control": 0,
        "print_final_stats": 1,
        "artifact_prefix": f"{findings}/",
    }
    words = [f"-{key}={value}" for key, value in options.items()]
    atheris.Setup([sys.argv[0], *words, str(corpus)], keeper.run, custom_mutator=mutate)
    atheris.Fuzz()


def _unguided(target: targets.Target, keeper: Keeper, seconds: int, corpus: Path) -> None:
    inputs = [path.read_bytes() for path in sorted(corpus.iterdir())]
    stop, count, choose = time.monotonic() + seconds, 0, random.Random(time.time_ns())
    while time.monotonic() < stop:
        data = choose.choice(inputs)
        for _ in range(choose.choice((1, 1, 2, 4))):
            data = _mutated(target, data, Draw(choose.getrandbits(32)))
        keeper.run(data[: target.LARGEST])
        count += 1
    print(f"stat::number_of_executed_units: {count}", file=sys.stderr)
    print(f"stat::peak_rss_mb: {oracle.peak_memory() >> 20}", file=sys.stderr)


def _mutated(target: targets.Target, data: bytes, draw: Draw) -> bytes:
    """What the target makes of an input; where that itself meets a fault, the bytes changed at random."""
    made: list[bytes] = []
    error = oracle.finding(lambda data: made.append(target.mutate(data, draw)), data)
    return draw.changed(data, target.LARGEST) if error is not None else made[0]
