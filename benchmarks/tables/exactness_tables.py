"""The exactness matrix as text, for a terminal and for RESULTS.md: its conditions, and its subjects with digests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from ..matrix.matrix import DIFFERENT, Digests, Row, differing
from .text import Rows, markdown, plain

DIGITS = 16  # of a digest, hexadecimal

Table = Callable[[Sequence[str], Rows], str]

_MEANING = """\
A subject is all that was computed of one kind; it must have one sha256 digest under every condition, and however it is
evaluated within one. What was not run has not passed. What the subjects are: [README.md](README.md#exactness).
"""


def terminal(rows: Sequence[Row]) -> str:
    """The matrix as plain text."""
    return "\n".join(_parts(rows, plain))


def section(rows: Sequence[Row]) -> str:
    """The matrix as Markdown, below its heading."""
    return "\n".join(["## Exactness\n", _MEANING, *_parts(rows, markdown)])


def _parts(rows: Sequence[Row], table: Table) -> Iterator[str]:
    """Conditions, how much was compared, subjects."""
    reference = next((row.digests for row in rows if row.digests), {})
    verdicts = [[f"{row.axis}: {row.value}", _verdict(row, reference)] for row in rows]
    yield _worded(table, ("condition", "verdict"), verdicts) + "\n"
    yield _counts(rows) + "\n"
    subjects = [
        [subject, next(iter(found.values()))[:DIGITS], ", ".join(_variants(rows, subject))]
        for subject, found in reference.items()
    ]
    yield _worded(table, ("subject", f"sha256, first {DIGITS} digits", "evaluated"), subjects) + "\n"


def _verdict(row: Row, reference: Digests) -> str:
    """With the reason in brackets; of digests that differ, only the subjects, as there may be many."""
    note = row.note
    if row.verdict == DIFFERENT:
        note = ", ".join(dict.fromkeys(subject for subject, _ in differing(row.digests, reference)))
    return f"{row.verdict} ({note})" if note else row.verdict


def _counts(rows: Sequence[Row]) -> str:
    """How many digests of how many subjects each condition was judged by, and how many conditions came to what."""
    subjects = sorted({len(row.digests) for row in rows if row.digests})
    digests = sorted({sum(map(len, row.digests.values())) for row in rows if row.digests})
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in Counter(r.verdict for r in rows).items())
    compared = f"{_span(digests)} digests of {_span(subjects)} subjects were compared"
    return f"Under each condition that ran, {compared}. Of {len(rows)} conditions: {verdicts}."


def _span(numbers: Sequence[int]) -> str:
    """The least and the greatest of sorted numbers, where they differ."""
    return " to ".join(f"{number:,}" for number in dict.fromkeys([*numbers[:1], *numbers[-1:]])) or "no"


def _variants(rows: Sequence[Row], subject: str) -> Iterator[str]:
    """The ways in which a subject was evaluated; of those not taken under every condition, under how many."""
    found = [row.digests[subject] for row in rows if subject in row.digests]
    for variant, count in Counter(variant for variants in found for variant in variants).items():
        yield variant if count == len(found) else f"{variant} ({count} condition{'s' * (count > 1)})"


def _worded(table: Table, headers: Sequence[str], rows: Rows) -> str:
    """A table whose last column holds words: flush left, also where Markdown is rendered."""
    width = max(len(row[-1]) for row in (headers, *rows))
    first, *others = ([*row[:-1], row[-1].ljust(width)] for row in (headers, *rows))
    return table(first, others).replace("-: |\n", "-- |\n", 1)
