"""The one training loop: every family, one device, a time budget, resumable."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ...compressor.errors import CatzipError
from .. import checkpoint
from . import memory
from .data import read_corpus
from .families import FAMILIES, Task
from .layers import Rounding
from .recipe import Recipe, Schedule
from .state import TrainingState

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
    device: str = "auto",
    report: Report = lambda record: None,
) -> Path:
    """Train ``recipe`` on the corpora below ``data`` and export the averaged weights.

    Writes ``out/log.jsonl`` (step, seconds, symbols, loss in bits, rate), ``out/state.safetensors`` to resume from and
    ``out/<name>.safetensors``, whose path is returned. ``minutes`` is the budget of training time over all resumed
    runs; ``steps`` stops sooner. Raises CatzipError for missing data or a state that belongs to another recipe.
    """
    memory.keep()
    where = _device(device)
    torch.manual_seed(recipe.schedule.seed)
    out.mkdir(parents=True, exist_ok=True)
    task = FAMILIES[recipe.family](recipe.model, recipe.schedule, where)
    state = TrainingState(task.net, recipe.schedule)
    if resume and (out / "state.safetensors").exists():
        state.load(out / "state.safetensors", recipe)
    budget = 60 * (minutes or recipe.schedule.minutes)
    _run(recipe, task, state, data, out, budget, steps or 1 << 62, report)
    return _export(recipe, task, state, data, out, where, report)


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise CatzipError("no CUDA device here; train with --device cpu")
    return torch.device(name)


def _run(
    recipe: Recipe,
    task: Task,
    state: TrainingState,
    data: Path,
    out: Path,
    budget: float,
    steps: int,
    report: Report,
) -> None:
    texts = [read_corpus(data, corpus) for corpus in recipe.data]
    shares = [corpus.share for corpus in recipe.data]
    # A resumed run reads other stretches of the corpora than the run before it did.
    batches = task.batches(texts, shares, recipe.schedule.seed + state.step)
    held_out = [read_corpus(data, corpus) for corpus in recipe.validation]
    logged = saved = validated = time.monotonic()
    losses: list[float] = []
    while state.seconds < budget and state.step < steps:
        started = time.monotonic()
        progress = state.seconds / budget
        Rounding.on = progress >= recipe.schedule.round_from
        batch = next(batches)
        losses.append(_step(task, state, recipe.schedule, batch, progress))
        state.symbols += batch.symbols.size
        now = time.monotonic()
        state.seconds += now - started
        if now - logged > LOG_EVERY:
            _log(out, report, state, loss=sum(losses) / len(losses), rounding=Rounding.on, budget=budget)
            logged, losses = now, []
        if now - saved > SAVE_EVERY:
            state.save(out / "state.safetensors", recipe)
            saved = now
        if now - validated > VALIDATE_EVERY:
            with state.averaged(task.net):
                _log(out, report, state, validation=task.validate(held_out), budget=budget)
            validated = time.monotonic()
    state.save(out / "state.safetensors", recipe)


def _step(task: Task, state: TrainingState, schedule: Schedule, batch: Any, progress: float) -> float:
    """One optimiser step; returns the loss in bits."""
    warm = min(1.0, (state.step + 1) / schedule.warmup)
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    rate = schedule.learning_rate * warm * (schedule.final_rate + (1 - schedule.final_rate) * cosine)
    loss = task.loss(batch)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(task.net.parameters(), schedule.clip)
    state.update(rate)
    return float(loss.detach())


def _log(out: Path, report: Report, state: TrainingState, **record: Any) -> None:
    line = {"step": state.step, "seconds": round(state.seconds, 1), "symbols": state.symbols, **record}
    with (out / "log.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    report(line)


def _export(
    recipe: Recipe,
    task: Task,
    state: TrainingState,
    data: Path,
    out: Path,
    where: torch.device,
    report: Report,
) -> Path:
    """Write the averaged weights as integers, with a card that says where they come from."""
    Rounding.on = True
    with state.averaged(task.net):
        bits = task.validate([read_corpus(data, corpus) for corpus in recipe.validation])
        arrays = task.export()
    card = {
        "about": recipe.about,
        "data": [corpus.path for corpus in recipe.data],
        "trained": {
            "device": memory.device_name(where),
            "minutes": round(state.seconds / 60, 1),
            "steps": state.step,
            "symbols": state.symbols,
            "date": time.strftime("%Y-%m-%d"),
        },
        "parameters": sum(parameter.numel() for parameter in task.net.parameters()),
        "validation_bits": round(bits, 4),
    }
    path = out / f"{recipe.name}.safetensors"
    config = {
        "name": recipe.name,
        "family": recipe.family,
        "medium": recipe.medium,
        "model": recipe.model,
        "card": card,
    }
    checkpoint.save(path, checkpoint.Checkpoint(config, arrays))
    _log(out, report, state, validation=bits, exported=str(path))
    return path
