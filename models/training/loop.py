"""The one training loop: every family, one process or several, a time budget, resumable."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ...compressor.errors import CatzipError
from .. import checkpoint
from ..layers.qat.modules import Rounding
from . import memory
from .datasets import read_corpora
from .distributed import Crew
from .families import task_for
from .recipe import Recipe
from .state import STATE, TrainingState
from .warm_start import source, warm_start

Report = Callable[[dict[str, Any]], None]

LOG_EVERY = 10.0  # seconds between lines of the log
SAVE_EVERY = 180.0  # seconds between checkpoints
VALIDATE_EVERY = 600.0  # seconds between validations


def train(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    resume: bool = False,
    start: str | None = None,
    device: str = "auto",
    report: Report = lambda record: None,
) -> Path:
    """Train ``recipe`` on the corpora below ``data`` and export the averaged weights.

    Writes ``out/log.jsonl`` (step, seconds, symbols, loss in bits), ``out/state.safetensors`` to resume from and
    ``out/<name>.safetensors``, whose path is returned. ``minutes`` is the budget of training time over all resumed
    runs; ``steps`` stops sooner. A new run begins with the weights of ``start``, if given: the folder of a run, a
    weight file or the name of an installed model, whose network may be smaller (see ``start.py``); its schedule begins
    anew; a run that goes on (``resume``) has begun already, and ``start`` says nothing to it. Raises CatzipError for
    missing data, a state that belongs to another recipe, a start that is not there or of which the network could not
    make the same, or, without ``resume``, any run in ``out``.
    """
    if not resume and holds_run(out):
        raise CatzipError(f"{out} holds a run; go on with --resume, or give another --out")
    begin = source(start) if start is not None and not holds_run(out) else None
    minutes = recipe.schedule.minutes if minutes is None else minutes
    if not 0 < minutes < math.inf:
        raise CatzipError(f"{recipe.name}: no training takes {minutes:g} minutes; give a positive number")
    memory.keep()
    out.mkdir(parents=True, exist_ok=True)
    run = Run(recipe, data, out, _device(device), report, resume, begin)
    run.train(60 * minutes, steps or 1 << 62)
    return run.export()


def holds_run(out: Path) -> bool:
    """Whether there is a run in this folder that can be resumed."""
    return (out / STATE).exists()


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise CatzipError("no CUDA device here; train with --device cpu")
    return torch.device(name)


class Run:
    """One training run: a task, how far it has come, and where it is written.

    With ``resume`` it goes on from the state in ``out``, if there is one; otherwise it begins with the weights in the
    file ``start``, if that is given.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Path,
        out: Path,
        device: torch.device,
        report: Report,
        resume: bool,
        start: Path | None = None,
    ) -> None:
        torch.manual_seed(recipe.schedule.seed)
        self._recipe, self._out, self._device, self._report = recipe, out, device, report
        self._crew = Crew(device)
        self._task = task_for(recipe, device)
        self._texts = read_corpora(data, recipe.data)
        self._held_out = read_corpora(data, recipe.validation)
        resume = resume and holds_run(out)
        before = None
        if not resume and start is not None:
            before = warm_start(self._task.net, start, recipe)
        elif not resume:
            self._task.prepare(self._texts, self._shares, recipe.schedule.seed)
        self._state = TrainingState(self._task.net, recipe.schedule, before)
        if resume:
            self._state.load(self._saved, recipe)

    @property
    def _saved(self) -> Path:
        return self._out / STATE

    @property
    def _shares(self) -> list[float]:
        return [corpus.share for corpus in self._recipe.data]

    def train(self, budget: float, steps: int) -> None:
        """Optimise until ``budget`` seconds or ``steps`` steps are reached, whichever is first.

        What was done until a signal ended it is saved, too.
        """
        try:
            self._optimise(budget, steps)
        except Exception:
            raise  # what was saved last is better than what failed
        except BaseException:
            if self._crew.leads and self._state.step:
                self._state.save(self._saved, self._recipe)
            raise

    def _optimise(self, budget: float, steps: int) -> None:
        schedule, state = self._recipe.schedule, self._state
        # A run that goes on, and every process of a crew, reads other stretches of the corpora.
        seed = schedule.seed + state.steps_in_all() + (self._crew.rank << 32)
        batches = self._task.batches(self._texts, self._shares, seed)
        logged = saved = validated = time.monotonic()
        losses: list[float] = []
        while state.seconds < budget and state.step < steps:
            started = time.monotonic()
            loss = self._step(next(batches), state.seconds / budget)
            now = time.monotonic()
            state.seconds = self._crew.agree(state.seconds + now - started)
            if not self._crew.leads:
                continue
            losses.append(loss)
            if now - logged > LOG_EVERY:
                self._log(loss=sum(losses) / len(losses), rounding=Rounding.on, budget=budget)
                logged, losses = now, []
            if now - saved > SAVE_EVERY:
                state.save(self._saved, self._recipe)
                saved = now
            if now - validated > VALIDATE_EVERY:
                self._log(**self._validate(), budget=budget)
                validated = time.monotonic()
        if self._crew.leads:
            state.save(self._saved, self._recipe)

    def _step(self, batch: Any, progress: float) -> float:
        """One optimiser step, at this share of the budget; returns the loss in bits."""
        schedule, state, net = self._recipe.schedule, self._state, self._task.net
        Rounding.on = progress >= schedule.round_from
        # A network that was trained before has all its parts.
        self._task.advance(1.0 if state.before else progress)
        warm = min(1.0, (state.step + 1) / schedule.warmup)
        cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
        loss = self._task.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        self._crew.share_gradients(net)
        torch.nn.utils.clip_grad_norm_(net.parameters(), schedule.clip)
        state.update(
            schedule.learning_rate * warm * (schedule.final_rate + (1 - schedule.final_rate) * cosine)
        )
        state.symbols += batch.symbols.size * self._crew.size
        return float(loss.detach())

    @contextmanager
    def averaged(self) -> Iterator[tuple[torch.nn.Module, Callable[[], float]]]:
        """The network with its averaged weights, and what gives its bits of held-out data, as long as this lasts."""
        with self._state.averaged():
            yield self._task.net, lambda: self._task.validate(self._held_out)["validation"]

    def _validate(self) -> dict[str, float]:
        return self.validate(self._held_out)

    def validate(self, held_out: list[bytes]) -> dict[str, float]:
        """Bits of such data, by the averaged weights: see ``task.Task``."""
        with self._state.averaged():
            return self._task.validate(held_out)

    def measure(self) -> dict[str, Any]:
        """How far the run has come, and the bits of held-out data of what it would export."""
        Rounding.on = True
        self._task.advance(1.0)
        return {**self._progress(), **self._validate()}

    def _progress(self) -> dict[str, Any]:
        state = self._state
        return {"step": state.step, "seconds": round(state.seconds, 1), "symbols": state.symbols}

    def _log(self, **record: Any) -> None:
        line = {**self._progress(), **record}
        with (self._out / "log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._report(line)

    def export(self) -> Path:
        """Write the averaged weights as integers, with a card that says where they come from."""
        recipe, state, path = self._recipe, self._state, self._out / f"{self._recipe.name}.safetensors"
        if self._crew.leads:
            found = self.measure()
            card = {
                "about": recipe.about,
                "data": [corpus.path for corpus in recipe.data],
                "trained": {
                    "device": memory.device_name(self._device),
                    "minutes": round(state.seconds / 60, 1),
                    "steps": state.step,
                    "symbols": state.symbols,
                    "date": time.strftime("%Y-%m-%d"),
                    **({"before": state.before} if state.before else {}),
                },
                "parameters": sum(parameter.numel() for parameter in self._task.net.parameters()),
                "validation_bits": round(found["validation"], 4),
            }
            config = {"name": recipe.name, "family": recipe.family, "medium": recipe.medium, "card": card}
            with state.averaged():
                arrays = self._task.export(self._held_out)
            checkpoint.save(
                path,
                checkpoint.Checkpoint({**config, "model": recipe.model, "coding": recipe.coding}, arrays),
            )
            self._log(**found, exported=path.name)
        self._crew.leave()
        return path
