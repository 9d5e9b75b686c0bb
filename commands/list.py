"""`catzip list`: what is in a file, from its index and frame heads alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ..compressor.escaping import printable
from .files import STDIO, open_source
from .messages import say
from .names import sources_of
from .options import Settings, json_option, verbose_option
from .summary import model_name
from .work import each

if TYPE_CHECKING:
    from ..compressor.coding.model import ModelSource
    from ..compressor.format.container import Frame
    from ..compressor.format.report import Report

COLUMNS = "{:>7} {:>13} {:>13} {:>7} {:>12}  {:<16} {:<8} {}"
HEADINGS = ("frames", "compressed", "content", "ratio", "bits/symbol", "model", "check", "file")
CHECK = "blake2b"


@click.command("list")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@json_option
@verbose_option
def list_files(files: tuple[str, ...], as_json: bool, verbose: bool) -> int:
    """Show what is in each FILE.

    Sizes, ratio, bits per symbol, models and, with -v, frames and their checksums. The content of a PNG or WebP that
    was unpacked is its pixels and chunks, which are more than the file was. Nothing is decoded: `catzip test` tells
    whether the content is as its checksums say.
    """
    facts: list[dict[str, Any]] = []
    models = Settings().registry()
    code = each(sources_of(files), lambda name: facts.append(facts_of(name, models)))
    if as_json or facts:  # no heading over nothing
        say(json.dumps(facts, indent=2) if as_json else table(facts, verbose))
    return code


def facts_of(name: str, models: ModelSource) -> dict[str, Any]:
    """All that is known of one file, as JSON can hold it. Sizes are in bytes."""
    from ..compressor.pipeline import list_frames

    with open_source(name) as source:
        report = list_frames(source)
    names = {fingerprint: model_name(fingerprint, models) for fingerprint in report.fingerprints}
    in_steps = {key for key, name in names.items() if name and models.by_fingerprint(key).budgets}
    return {
        "file": "standard input" if name == STDIO else name,
        "compressed": report.file_size,
        "content": report.content_size,
        "padding": report.padding,
        "ratio": report.ratio,
        "bits_per_symbol": _bits_per_symbol(report),
        "models": [{"name": names[key], "fingerprint": key.hex()} for key in report.fingerprints],
        "side": report.side_size,
        "check": CHECK,
        "frames": [_frame_facts(frame, names, in_steps) for frame in report.frames],
    }


def _frame_facts(frame: Frame, names: dict[bytes, str | None], in_steps: set[bytes]) -> dict[str, Any]:
    """What is known of one frame, as JSON can hold it.

    in_steps  the fingerprints of models whose plans begin with the number of steps, or 0 for all
    """
    symbols = frame.symbols or frame.length
    return {
        "kind": frame.kind,
        "offset": frame.offset,
        "compressed": frame.size,
        "start": frame.start,
        "content": frame.length,
        "medium": frame.medium,
        "packing": frame.packing,
        "model": names[frame.fingerprint] if frame.fingerprint else None,
        "fingerprint": frame.fingerprint.hex() if frame.fingerprint else None,
        "plan": list(frame.plan),
        "steps": (frame.plan[0] or "all") if frame.fingerprint in in_steps and frame.plan else None,
        "symbols": frame.symbols,
        "bits_per_symbol": 8 * frame.size / symbols if symbols else None,
        "side": frame.side,
        "check": frame.check.hex(),
    }


def _bits_per_symbol(report: Report) -> float | None:
    """The rate of the whole file, container included. Frames without a model count a byte as a symbol."""
    symbols = sum(frame.symbols or frame.length for frame in report.frames)
    return 8 * report.file_size / symbols if symbols else None


def table(facts: list[dict[str, Any]], verbose: bool) -> str:
    """Facts of files as a table for people: a line for each file, and with `verbose` one for each of its frames."""
    lines = [COLUMNS.format(*HEADINGS)]
    for file in facts:
        models = ", ".join(model["name"] or _elsewhere(model["fingerprint"]) for model in file["models"])
        lines.append(_line(len(file["frames"]), file, models or "-", CHECK, printable(file["file"])))
        for number, frame in enumerate(file["frames"] if verbose else [], 1):
            model = frame["model"] or _elsewhere(frame["fingerprint"] or "") or frame["packing"] or "-"
            model += f", {frame['steps']} steps" if frame["steps"] else ""
            lines.append(_line(f"#{number}", frame, model, frame["kind"], frame["check"]))
    return "\n".join(lines)


def _elsewhere(fingerprint: str) -> str:
    """A model that is not installed: its name and the release that has it, if one has, or else its fingerprint."""
    from ..models.superseded import SUPERSEDED

    found = SUPERSEDED.get(fingerprint)
    return f"{found.model} {found.release}" if found else fingerprint


def _line(first: object, facts: dict[str, Any], model: str, check: str, last: str) -> str:
    size, content, bits = facts["compressed"], facts["content"], facts["bits_per_symbol"]
    return COLUMNS.format(
        first,
        f"{size:,}",
        f"{content:,}",
        f"{content / size:.2f}" if content else "-",
        "-" if bits is None else f"{bits:.3f}",
        printable(model),
        check,
        last,
    )
