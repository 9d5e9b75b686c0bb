"""Run the probe under each condition and hold its digests against the reference: the rows of the matrix."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from .conditions import REFERENCE, Condition

SAME = "same"
DIFFERENT = "DIFFERENT"
FAILED = "FAILED"
NOT_RUN = "not run"

Digests = dict[str, dict[str, str]]
"""subject -> variant -> sha256. A subject has one digest, however it is evaluated."""


@dataclass(frozen=True)
class Row:
    """One condition: its verdict, why, and the digests it gave."""

    axis: str
    value: str
    verdict: str
    note: str = ""
    digests: Digests = field(default_factory=dict)


@dataclass(frozen=True)
class Matrix:
    """All rows, the reference first, and where and when: as in `results.Run`.

    models  name -> fingerprint of those that were evaluated, besides the random ones
    """

    command: str
    date: str
    catzip: str
    commit: str | None
    machine: dict[str, str]
    models: dict[str, str]
    rows: list[Row]

    def json(self) -> str:
        """All of it, the digests in full."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def load(cls, path: Path) -> Matrix:
        """Reads a file of what `json` gave. Raises ValueError, naming the file, if it is something else."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            rows = [Row(**row) for row in fields.pop("rows")]
            return cls(**fields, rows=rows)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise ValueError(f"{path.name} is no exactness matrix ({error}): run it again") from error


def run_matrix(
    arguments: Sequence[str], listed: Sequence[Condition], progress: Callable[[str], None]
) -> Iterator[Row]:
    """The reference and then every listed condition; `arguments` go to the probe."""
    reference: Digests | None = None
    for condition in (REFERENCE, *listed):
        progress(f"{condition.axis}: {condition.value}")
        row = _run(condition, arguments, reference)
        reference = reference or row.digests
        yield row


def elsewhere(other: Matrix, models: Mapping[str, str], reference: Digests) -> Row:
    """What the reference gave on the machine of `other`, against what it gives here.

    Compared are the subjects that both evaluated, of models (name -> fingerprint here) with the same weights.
    """
    changed = {name for name, mark in other.models.items() if models.get(name) != mark}
    theirs = {
        subject: found
        for subject, found in other.rows[0].digests.items()
        if subject in reference and subject.split()[0] not in changed
    }
    condition = Condition("another machine", other.machine["cpu"])
    if not theirs:
        return Row(condition.axis, condition.value, NOT_RUN, "it evaluated nothing that was evaluated here")
    row = judge(condition, {}, theirs, {subject: reference[subject] for subject in theirs})
    compared = (
        f"{len(theirs)} of {len(reference)} subjects: the others were not evaluated there with these weights"
    )
    return replace(row, note=compared) if row.verdict == SAME and len(theirs) < len(reference) else row


def passed(rows: Sequence[Row]) -> bool:
    """Whether nothing that ran differed or failed, the reference included."""
    return rows[0].verdict == SAME and all(row.verdict in (SAME, NOT_RUN) for row in rows)


def _run(condition: Condition, arguments: Sequence[str], reference: Digests | None) -> Row:
    if obstacle := condition.obstacle():
        return Row(condition.axis, condition.value, NOT_RUN, obstacle)
    threads = str(condition.threads)
    words = ["--device", condition.device, "--threads", threads, *arguments]
    done = subprocess.run(
        [sys.executable, "-P", "-m", f"{__package__}.probe", *words],
        env={
            **os.environ,
            "OPENBLAS_NUM_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads wait for each other's time slices on a busy machine
            "CATZIP_CORE": "numpy",
            "CATZIP_CORE_ISA": "",
            **condition.environment,
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return Row(condition.axis, condition.value, FAILED, reason)
    found = json.loads(done.stdout)
    if found["obstacle"]:
        return Row(condition.axis, condition.value, NOT_RUN, found["obstacle"])
    return judge(condition, found["facts"], found["digests"], reference)


def judge(condition: Condition, facts: dict[str, str], digests: Digests, reference: Digests | None) -> Row:
    """The verdict on what a probe found, against the reference (None: against itself)."""
    for fact, admissible in condition.takes_effect.items():
        if facts.get(fact) not in admissible:
            note = f"no effect: {fact} is {facts.get(fact)}"
            return Row(condition.axis, condition.value, FAILED, note, digests)
    wrong = [", ".join(each) for each in differing(digests, reference or digests)]
    return Row(condition.axis, condition.value, DIFFERENT if wrong else SAME, "; ".join(wrong), digests)


def differing(digests: Digests, reference: Digests) -> Iterator[tuple[str, str]]:
    """(subject, variant) of each digest that is not the first of the reference; an absent subject is "missing"."""
    wanted = {subject: next(iter(found.values())) for subject, found in reference.items()}
    for subject, found in digests.items():
        for variant, digest in found.items():
            if digest != wanted.get(subject):
                yield subject, variant
    yield from ((subject, "missing") for subject in wanted if subject not in digests)
