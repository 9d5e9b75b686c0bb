"""Tables of text: aligned for a terminal, or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from ...compressor.escaping import printable

Rows = Sequence[Sequence[str]]


def plain(headers: Sequence[str], rows: Rows) -> str:
    """Columns aligned with two spaces between; the first is left-aligned, the others right-aligned."""
    rows = _printable(rows)
    widths = _widths(headers, rows)
    lines = [
        _padded(row, widths, "  ").rstrip() for row in (headers, ["-" * width for width in widths], *rows)
    ]
    return "\n".join(lines)


def markdown(headers: Sequence[str], rows: Rows) -> str:
    """A pipe table with the same alignment."""
    rows = _printable(rows)
    widths = [max(width, 3) for width in _widths(headers, rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(f"| {_padded(row, widths, ' | ')} |" for row in (headers, rule, *rows))


def cell(value: float | None, form: str) -> str:
    """A dash for None."""
    return "-" if value is None else form.format(value)


def _printable(rows: Rows) -> Rows:
    """Names of models and of data may hold anything."""
    return [[printable(cell) for cell in row] for row in rows]


def _widths(headers: Sequence[str], rows: Rows) -> list[int]:
    return [max(map(len, column)) for column in zip(headers, *rows, strict=True)]


def _padded(row: Sequence[str], widths: Sequence[int], gap: str) -> str:
    first, *others = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return gap.join([first, *others])
