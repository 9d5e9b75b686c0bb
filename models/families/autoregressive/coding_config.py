"""How the symbols that a causal network predicts are coded: the table ``coding`` of a weight file or a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from ....compressor.coding.pmf import PRECISION
from ...mixing.choice import AnyConfig, mixer_bytes, mixing_config
from ...mixing.contexts import MatchModel
from ...mixing.decisions import PROBABILITY
from ...schema import Declared, ranged, typed
from ..lanes import Layout

LANES = 24  # for 10 KB, where the weight file has no number of its own


@dataclass(frozen=True)
class _Options:
    """The fields of the table that are not the mixture's."""

    mixer: bool = True
    match: bool = True
    lanes: Annotated[int, ranged(1, 1 << 16)] = LANES


@dataclass(frozen=True)
class CodingConfig:
    """The options of the family.

    mixing  the mixture of the network with what adapts to the file; None: the PMFs of the network are coded as they are
    match   whether a match model tells the network, and the mixture, what it expects; without it no match is ever known
    lanes   of a plan for 10 KB, but for the least length of a lane
    """

    mixing: AnyConfig | None
    match: bool = True
    lanes: int = LANES

    @staticmethod
    def from_json(table: dict[str, Any]) -> CodingConfig:
        """The table ``coding``, whose field ``mixer`` says whether there is a mixture, whose fields stand beside it.

        Raises ValueError that names a field which is missing, unknown or out of bounds.
        """
        if table.get("mixer", True) is False:
            options = typed(_Options, table, "coding")
            return CodingConfig(None, options.match, options.lanes)
        own = {key: value for key, value in table.items() if key in _Options.__dataclass_fields__}
        options = typed(_Options, own, "coding")
        return CodingConfig(mixing_config(table), options.match, options.lanes)

    def tensors(self) -> Declared:
        """What the mixture loads, if there is one."""
        return self.mixing.tensors() if self.mixing else {}

    def digits(self, alphabet: int) -> int:
        """How many digits, coded one after another, make up a symbol: binary decisions, or the symbol itself."""
        return (alphabet - 1).bit_length() if self.mixing else 1

    def symbol_bits(self, alphabet: int) -> int:
        """The most bits that a symbol may take."""
        return self.digits(alphabet) * (PROBABILITY if self.mixing else PRECISION)

    def bytes_for(self, layout: Layout) -> int:
        """Bytes of memory that the mixture and the match model of a frame take."""
        found = mixer_bytes(self.mixing, layout.count) if self.mixing else 0
        return found + (MatchModel.bytes_for(layout.lanes, layout.steps) if self.match else 0)
