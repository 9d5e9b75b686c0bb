"""`catzip --version`: the version, and what computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def version_option(version: str) -> Callable[[Any], Any]:
    """The option: the compiled core that runs, with the instructions that it uses, or NumPy, is the second line."""

    def show(context: click.Context, option: click.Parameter, value: bool) -> None:
        if not value or context.resilient_parsing:
            return
        from ..models.backends.native.library import described

        click.echo(f"catzip {version}\ncore: {described()}")
        context.exit()

    shown = "Show the version, and which core runs."
    return click.option(
        "-V", "--version", is_flag=True, expose_value=False, is_eager=True, callback=show, help=shown
    )
