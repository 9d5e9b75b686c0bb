"""Which mixture a table ``coding`` asks for: the one of ``mixing``, or the rich one (``mixture = 2``)."""

from __future__ import annotations

from typing import Any

from ..schema import typed
from .config import MixingConfig, Tensors
from .mixing import Mixer
from .rich.config import RichConfig
from .rich.mixing import RichMixer

AnyConfig = MixingConfig | RichConfig
AnyMixer = Mixer | RichMixer


def mixing_config(table: dict[str, Any]) -> AnyConfig:
    """The table ``coding`` of a recipe or a checkpoint, whose ``mixer``, ``match`` and ``lanes`` are not its own.

    Raises ValueError for fields that are not as the configurations say.
    """
    if "mixture" not in table:
        return MixingConfig.from_json(table)
    own = {key: value for key, value in table.items() if key not in ("mixer", "match", "lanes")}
    return typed(RichConfig, own, "coding")


def mixer_of(
    config: AnyConfig, tensors: Tensors, alphabet: int, lanes: int, count: int, record: int
) -> AnyMixer:
    """The mixture of a frame of ``count`` symbols; only the rich one knows records."""
    if isinstance(config, RichConfig):
        return RichMixer(config, tensors, alphabet, lanes, count, record)
    return Mixer(config, tensors, alphabet, lanes, count)


def mixer_bytes(config: AnyConfig, count: int) -> int:
    """What it takes when it has met ``count`` symbols."""
    if isinstance(config, RichConfig):
        return RichMixer.bytes_for(config, count)
    return Mixer.bytes_for(config, count)
