"""Random counts, which reach their limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from catzip.models.checkpoint import Checkpoint

from .codec import MOST, K

EXAMPLES: dict[str, dict[str, Any]] = {"random-order2": {"alphabet": K}}


def random_checkpoint(config: dict[str, Any], name: str) -> Checkpoint:
    random = np.random.RandomState(0)
    counts = random.choice([0, 1, 5, 200, MOST], (K * K, K)).astype(np.int32)
    return Checkpoint(
        {"name": name, "medium": "text27", "family": "order2", "model": config, "coding": {}},
        {"counts": counts},
    )
