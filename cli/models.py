"""`catzip models`: what is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from ..compressor.errors import CorruptError, ModelNotFoundError
from .messages import printable
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
    click.echo(json.dumps(facts, indent=2) if as_json else table(facts))


@models.command()
@click.argument("name", metavar="MODEL")
@json_option
def info(name: str, as_json: bool) -> None:
    """Show all that is known of MODEL."""
    facts = {"name": name, **Settings().registry().info(name)}
    click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(lines(facts)))


def table(facts: list[dict[str, Any]]) -> str:
    """A line for each model."""
    if not facts:
        return "no model is installed"
    width = max(len(model["name"]) for model in facts)
    return "\n".join(
        f"{printable(model['name']):<{width}}  {model.get('fingerprint', _DAMAGED):<16}  {_line(model)}"
        for model in facts
    )


def _line(model: dict[str, Any]) -> str:
    """What the model is for, or what is wrong with its file."""
    return printable(model.get("summary", model.get("damaged", "")))


def lines(facts: dict[str, Any]) -> Iterator[str]:
    """A line for each fact."""
    width = max(map(len, facts))
    for key, value in facts.items():
        yield f"{key:<{width}}  {printable(shown(value))}"


def shown(value: Any) -> str:
    """1,234,567; 32, 32, 3; anything else as it is."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
