"""Several processes that train one model: what they share, and what only the first one keeps."""

import json
import os
import socket
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tiny_recipe import written  # noqa: E402

from catzip.models.training import load, loop, train  # noqa: E402

MEMBER = """
import json, torch
from catzip.models.training.distributed import Crew

crew = Crew(torch.device("cpu"))
net = torch.nn.ParameterList([torch.zeros(2), torch.zeros(1, 3), torch.zeros(1)])
net[0].grad = torch.full((2,), 1.0 + crew.rank)
if crew.rank == 1:
    net[1].grad = torch.full((1, 3), 4.0)
crew.share_gradients(net)
print(json.dumps([None if p.grad is None else p.grad.tolist() for p in net]))
crew.leave()
"""


def test_processes_whose_batches_reach_other_parts_of_the_network_share_gradients():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    crew = [
        subprocess.Popen(
            [sys.executable, "-c", MEMBER],
            env=os.environ
            | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "RANK": str(rank)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        shared = [json.loads(member.communicate(timeout=120)[0]) for member in crew]
    finally:
        for member in crew:
            member.kill()
    assert shared == 2 * [[[1.5, 1.5], [[2.0, 2.0, 2.0]], None]]


class Loss:
    """As no float can be, referred to weakly."""


def test_a_process_that_does_not_lead_keeps_no_losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop.memory, "keep", lambda: None)
    monkeypatch.setattr(loop, "LOG_EVERY", 0)
    monkeypatch.setattr(loop.Crew, "leads", property(lambda crew: False))
    alive: weakref.WeakSet[Loss] = weakref.WeakSet()
    counts = []

    def step(run: loop.Run, batch: object, progress: float) -> Loss:
        run._state.step += 1
        counts.append(len(alive))
        loss = Loss()
        alive.add(loss)
        return loss

    monkeypatch.setattr(loop.Run, "_step", step)
    folder = written(tmp_path)
    train(load(folder / "tiny.toml"), folder, folder / "out", steps=5, device="cpu")
    assert counts == [0, 1, 1, 1, 1]  # the last one
