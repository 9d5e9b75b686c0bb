"""Exact backbones that several families share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .arrays import CODE_MAX
from .pixels import Digits
from .windows import Window

HEAD = 64  # channels of an attention head: 1 / sqrt(HEAD) is a power of two
SCORE = 6  # fractional bits of a score, in nats
POSITION, POSITION_MAX = 6, 1 << 11  # of what the distance of two positions adds to it
ATTENDED = 6  # fractional bits of what attention gives


def weight_max(length: int) -> int:
    """The largest attention weight for which sums over ``length`` positions stay below 2**24."""
    return min(511, ((1 << 24) - 1) // (length * CODE_MAX))


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of a masked transformer over chunks of text.

    alphabet  K                     heads   of HEAD channels each      windows  (log2 of its table's rows, offsets), see
    length    L, of a chunk         hidden  of each gated MLP                   ``windows``
    width     D, residual stream    embed   of place and known share   times    how finely the known share is told
    """

    alphabet: int
    length: int
    width: int
    depth: int
    heads: int
    hidden: int
    embed: int
    times: int
    windows: tuple[Window, ...]

    @staticmethod
    def from_json(table: dict[str, Any]) -> TransformerConfig:
        """The configuration of a recipe or a checkpoint. Raises TypeError for fields that are not as above."""
        return TransformerConfig(
            **table | {"windows": tuple((bits, tuple(at)) for bits, at in table["windows"])}
        )


@dataclass(frozen=True)
class ConvNetConfig:
    """Sizes of a masked convolutional network over images, and how their values are cut into digits.

    shape   (H, W, C) of an image   depth    blocks                   output      "logistics" or "direct"
    base    values of a digit       hidden   channels of their GLU    components  of a mixture of logistics
    stages  digits of a value       embed    width of an embedding    reaches     of the windows, see ``pixels``
    width   D, residual stream      times    how finely the known share is told
    """

    shape: tuple[int, ...]
    base: int
    stages: int
    width: int
    depth: int
    hidden: int
    embed: int
    times: int
    output: str
    components: int
    reaches: tuple[int, ...]

    @staticmethod
    def from_json(table: dict[str, Any]) -> ConvNetConfig:
        """The configuration of a recipe or a checkpoint. Raises TypeError for fields that are not as above."""
        return ConvNetConfig(**table | {key: tuple(table[key]) for key in ("shape", "reaches")})

    @property
    def digits(self) -> Digits:
        """How values are cut."""
        return Digits(self.base, self.stages)

    @property
    def dimensions(self) -> int:
        """At each position of the half-size grid: 4C."""
        return 4 * self.shape[2]

    @property
    def features(self) -> int:
        """Channels of `pixels.Seen.features`."""
        return self.dimensions * (1 + 2 * len(self.reaches))

    @property
    def outputs(self) -> int:
        """Numbers that describe one dimension's distribution."""
        return 3 * self.components if self.output == "logistics" else self.base
