"""What a training run carries on: weights, their average, optimiser moments, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...compressor.errors import CatzipError
from .. import checkpoint
from .optimiser import OPTIMISERS
from .recipe import Recipe
from .schedule import Schedule

STATE = "state.safetensors"
"""The file in the folder of a run."""


class TrainingState:
    """Weights with their optimiser (see ``optimiser.py``), and an exponential moving average of them.

    before  how far the training had come from which this run began, if any: see `warm_start.warm_start`
    """

    def __init__(self, net: nn.Module, schedule: Schedule, before: dict[str, Any] | None = None) -> None:
        self._parameters = dict(net.named_parameters())
        self._average = {name: p.detach().clone() for name, p in self._parameters.items()}
        self._decay = schedule.ema
        self._kind = schedule.optimiser
        make = OPTIMISERS[self._kind]
        self._optimisers = make(net, schedule.learning_rate, schedule.weight_decay)
        self.step, self.symbols, self.seconds = 0, 0, 0.0
        self.before = before

    def steps_in_all(self) -> int:
        """The steps of this run and of those before it."""
        steps, before = self.step, self.before
        while before:
            steps, before = steps + before["step"], before.get("before")
        return steps

    def update(self, rate: float) -> None:
        """One optimiser step at this learning rate, from the gradients that are there."""
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        # A young average would remember the random start; it forgets faster at first.
        decay = min(self._decay, (1 + self.step) / (10 + self.step))
        for name, parameter in self._parameters.items():
            self._average[name].lerp_(parameter.detach(), 1 - decay)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The network with its averaged weights, for as long as the context lasts."""
        live = {name: p.detach().clone() for name, p in self._parameters.items()}
        self._assign(self._average)
        try:
            yield
        finally:
            self._assign(live)

    @torch.no_grad()
    def _assign(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])

    def save(self, path: Path, recipe: Recipe) -> None:
        """Write everything that a resumed run needs."""
        arrays = {}
        for name, parameter in self._parameters.items():
            arrays[f"weight/{name}"] = parameter.detach().cpu().numpy()
            arrays[f"average/{name}"] = self._average[name].cpu().numpy()
            for moment, value in self._moments(parameter).items():
                arrays[f"{moment}/{name}"] = np.asarray(value.detach().cpu().numpy())
        run = {
            "step": self.step,
            "symbols": self.symbols,
            "seconds": self.seconds,
            "before": self.before,
            "optimiser": self._kind,
        }
        config = {"family": recipe.family, "model": recipe.model, "run": run}
        checkpoint.save(path, checkpoint.Checkpoint(config, arrays))

    def load(self, path: Path, recipe: Recipe) -> None:
        """Go on from a saved state. Raises CatzipError if it belongs to another model."""
        saved = checkpoint.load(path)
        if saved.config["family"] != recipe.family or saved.config["model"] != recipe.model:
            raise CatzipError(
                f"{path}: the state of another model; give the recipe that it was trained by, or another --out"
            )
        run = saved.config["run"]
        if (kind := run.get("optimiser", "adamw")) != self._kind:
            raise CatzipError(
                f"{path}: trained by {kind}; give a recipe with it, not {self._kind}, or another --out"
            )
        values = {key: torch.from_numpy(np.array(array)) for key, array in saved.arrays.items()}
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(values.pop(f"weight/{name}"))
                self._average[name].copy_(values.pop(f"average/{name}"))
        for key, value in values.items():
            moment, name = key.split("/", 1)
            parameter = self._parameters[name]
            # PyTorch counts steps on the CPU, but where one kernel does all.
            _, options = self._owner(parameter)
            elsewhere = moment == "step" and not options.get("fused")
            self._moments(parameter)[moment] = value if elsewhere else value.to(parameter.device)
        self.step, self.symbols, self.seconds = run["step"], run["symbols"], run["seconds"]
        self.before = run.get("before")

    def _moments(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """What the optimiser remembers of a parameter: nothing before its first step."""
        optimiser, _ = self._owner(parameter)
        found: dict[str, Tensor] = optimiser.state[parameter]
        return found

    def _owner(self, parameter: nn.Parameter) -> tuple[torch.optim.Optimizer, dict[str, Any]]:
        """The optimiser of a parameter, and its options for it."""
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                if any(parameter is p for p in group["params"]):
                    return optimiser, group
        raise AssertionError("a parameter without an optimiser")
