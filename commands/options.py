"""Options that several commands share, and the settings they add up to."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from ..compressor.format.limits import Limits
    from ..models.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])


class Settings(NamedTuple):
    """How to run: what to say, and what to run networks on."""

    quiet: bool = False
    verbose: int = 0
    threads: int | None = None
    device: str = "auto"
    effort: str = "default"
    memlimit: int | None = None
    max_output: int | None = None

    def limits(self) -> Limits:
        """What decoding may take."""
        from ..compressor.format.limits import UNLIMITED, Limits

        return Limits.asked(UNLIMITED if self.max_output == 0 else self.max_output, self.memlimit)

    def registry(self) -> Registry:
        """The installed models. Imports numpy, so only commands that may run a network call this."""
        # Threads of catzip's own share the work, and the BLAS is held to one. Those that it starts where NumPy is
        # imported would do nothing, and where the system lets none be started, it ends the process.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        gc.disable()  # it would look for garbage again and again in what is imported, which stays
        try:
            from ..models.registry import Registry
        finally:
            gc.enable()
        return Registry(device=self.device, threads=self.threads, effort=self.effort)


def _together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """One decorator that applies several, in the order in which help shows them."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _cores(context: click.Context, option: click.Parameter, value: int | None) -> int | None:
    """-T 0 means every core, as in zstd and xz: those that the process may use, as by default."""
    return value or None


_SIZE = re.compile(r"(\d{1,15})([kmgt]?)(?:ib|b)?", re.IGNORECASE)


def _size(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """Bytes, as xz and zstd have them: 500000, 64M, 2GiB; none or 0 for no limit."""
    if value is None or value.lower() == "none":
        return None if value is None else 0
    found = _SIZE.fullmatch(value)
    if found is None:
        raise click.BadParameter(
            f"{value!r} is no size: write bytes, or K, M, G or T of 1024 as in 64M, or none"
        )
    return int(found[1]) << 10 * " kmgt".index(found[2].lower() or " ")


def _steps(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """The number that `--steps` gives, or 0 for all."""
    if value is None or value == "all":
        return None if value is None else 0
    if not value.isascii() or not value.isdigit() or int(value) == 0:
        raise click.BadParameter(f"{value!r} is neither a number of steps nor all")
    return int(value)


def _steps_option(more: str) -> Callable[[F], F]:
    return click.option(
        "--steps",
        callback=_steps,
        metavar="S|all",
        help=f"Network calls for each item, for a model that has a choice (see `catzip models info`): more {more}.",
    )


steps_option = _steps_option("make smaller files, slower")
sample_steps_option = _steps_option("sample better, slower")
files_argument = click.argument("files", nargs=-1, metavar="[FILE]...")
effort_options = _together(
    click.option(
        "--fast",
        is_flag=True,
        help="For all but images, a faster model: larger files.",
    ),
    click.option(
        "--best",
        is_flag=True,
        help="Try a model on everything, also where a quick look says that it is not worth the time.",
    ),
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
verbose_option = click.option("-v", "--verbose", count=True, help="Say more; -vv also which core runs.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
force_option = click.option(
    "-f",
    "--force",
    is_flag=True,
    help="Overwrite files, follow symbolic links, write binary data to a terminal, --rm any file.",
)


class _Device(click.Choice[str]):
    """One of the devices, or, for one that there was, what to take in its place."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            from ..models.backends.select import GONE

            if value in GONE:
                self.fail(GONE[value], param, ctx)
        return super().convert(value, param, ctx)


device_option = click.option(
    "--device",
    type=_Device(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where networks run. The bytes are the same on each; cuda needs PyTorch.",
)
run_device_options = _together(
    click.option(
        "-T",
        "--threads",
        type=click.IntRange(min=0),
        callback=_cores,
        metavar="N",
        help="Threads for networks, 0 for one a core, which is the default. The bytes are the same for any number.",
    ),
    device_option,
)
run_options = _together(run_device_options, quiet_option, verbose_option)
repack_option = click.option(
    "--repack",
    is_flag=True,
    help="Pack a PNG anew where it was to come back byte for byte: for those that the zlib here makes otherwise.",
)
limit_options = _together(
    click.option(
        "--memlimit",
        callback=_size,
        metavar="SIZE",
        help="Refuse what takes more memory to decode; default: three quarters of the machine's. K, M and G are powers "
        "of 1024; none is no limit.",
    ),
    click.option(
        "--max-output",
        callback=_size,
        metavar="SIZE",
        help="Refuse to write more than this. It also lifts the limit of work, by which a small file cannot keep "
        "the decoder busy for long; none lifts that alone.",
    ),
)
convert_options = _together(
    click.option("-o", "--output", metavar="FILE", help="Write to FILE; - is standard output."),
    click.option("-c", "--stdout", "to_stdout", is_flag=True, help="Write to standard output."),
    force_option,
    click.option(
        "--rm",
        "remove",
        is_flag=True,
        help="Remove each source once its result is decoded and compared: byte for byte, or with --pixels the "
        "pixels and chunks of a picture. What was replaced or written to meanwhile stays. A file with several hard "
        "links, or with its setuid, setgid or sticky bit set, takes -f as well.",
    ),
    click.option("-k", "--keep", is_flag=True, help="Keep each source, as without --rm: the default."),
)
