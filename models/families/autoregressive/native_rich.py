"""What a frame of the rich mixture carries, for the compiled core: `RichMixer` with the same integers."""

from __future__ import annotations

import numpy as np

from ...backends.base import NumpyArray
from ...backends.native.structures import MATCHES, RICH_LANE, Rich, address
from ...mixing.contexts import match_bits
from ...mixing.rich.config import CONTEXTS, RichConfig
from ...mixing.rich.lines import LINE
from ...mixing.rich.mixers import fresh_final, fresh_weights
from ...mixing.rich.stage import STAGES, stage_bits
from ...mixing.sse import fresh_maps
from ..lanes import Layout
from .native_model import NativeModel


class RichRoom:
    """Its memory, before the first step: the structure, and the arrays that this points at."""

    def __init__(self, model: NativeModel, mixing: RichConfig, layout: Layout, record: int) -> None:
        lines, stages = mixing.line_bits(layout.count), stage_bits(layout.count)
        self.learnt = self._fresh(model, lines, stages, record)
        self._arrays = self.learnt | self._seen(layout)
        self.structure = Rich(
            record=record,
            line_bits=lines,
            stage_bits=stages,
            rate=mixing.rate,
            **{name: address(array) for name, array in self._arrays.items()},
        )

    @staticmethod
    def _fresh(model: NativeModel, lines: int, stages: int, record: int) -> dict[str, NumpyArray]:
        tensors, profile = model.tensors, min(record, 1)
        return {
            "lines": np.zeros((CONTEXTS << lines, LINE), np.uint32),
            "maps": tensors["histories"][profile].astype(np.int32),
            "nodes": np.zeros(1 << model.decisions, np.int32),
            "weights": fresh_weights(tensors["weights"][profile]),
            "last": fresh_final(model.decisions),
            "stages": fresh_maps(tensors["squash"], stages, STAGES),
            "trust": tensors["trust"][profile].astype(np.int32),
        }

    @staticmethod
    def _seen(layout: Layout) -> dict[str, NumpyArray]:
        lanes, size = layout.lanes, 1 << match_bits(layout.lanes * layout.steps)
        return {
            "known": np.zeros((MATCHES, size), np.int32),
            "pointer": np.full((MATCHES, lanes), -1, np.int64),
            "held": np.zeros((MATCHES, lanes), np.int64),
            "misses": np.zeros((MATCHES, lanes), np.int64),
            "recent": np.zeros(lanes, np.uint64),
            "line": np.zeros(lanes, np.int64),
            "before": np.zeros(lanes, np.int64),
            "lane": np.zeros(lanes, RICH_LANE),
        }
