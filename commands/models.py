"""`catzip models`: what is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from ..compressor.errors import CorruptError, ModelNotFoundError
from ..compressor.escaping import printable
from .messages import say
from .options import Settings, json_option

_DAMAGED = "damaged"


@click.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """Show the installed models.

    Without a command, list them.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_models)


@models.command("list")
@json_option
def list_models(as_json: bool = False) -> None:
    """List the installed models."""
    registry, facts = Settings().registry(), []
    from ..models.registry import pass_over

    for name in registry.names():
        try:
            facts.append({"name": name, **registry.info(name)})
        except (CorruptError, ModelNotFoundError) as error:  # one that is damaged hides no others
            facts.append({"name": name, "damaged": str(error)})
            pass_over(error)
    say(json.dumps(facts, indent=2) if as_json else table(facts))


@models.command()
@click.argument("name", metavar="MODEL")
@json_option
def info(name: str, as_json: bool) -> None:
    """Show all that is known of MODEL."""
    facts = {"name": name, **Settings().registry().info(name)}
    say(json.dumps(facts, indent=2) if as_json else "\n".join(lines(facts)))


def table(facts: list[dict[str, Any]]) -> str:
    """A line for each model."""
    if not facts:
        return "no model is installed"
    rows = [(shown(model["name"]), model.get("fingerprint", _DAMAGED), _line(model)) for model in facts]
    width = max(len(name) for name, *_ in rows)
    return "\n".join(f"{name:<{width}}  {mark:<16}  {line}" for name, mark, line in rows)


def _line(model: dict[str, Any]) -> str:
    """What the model is for, or what is wrong with its file."""
    return printable(model.get("summary", model.get("damaged", "")))


def lines(facts: dict[str, Any]) -> Iterator[str]:
    """A line for each fact."""
    width = max(map(len, facts))
    for key, value in facts.items():
        yield f"{key:<{width}}  {printable(shown(value))}"


def shown(value: Any) -> str:
    """1,234,567; 32, 32, 3; anything else as it is, but that no terminal obeys it."""
    if isinstance(value, list):
        return printable(", ".join(map(str, value)))
    return f"{value:,}" if isinstance(value, int) else printable(str(value))
