"""Several processes that train one model, as torchrun starts them; one process is a crew of one.

    torchrun --nproc-per-node 8 -m catzip train ar-bytes --data ...

Every process reads its own stretches of the data, and gradients are averaged before each step, so that the weights
stay the same everywhere. The first process logs, validates and writes.
"""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch import nn


class Crew:
    """The processes of this run: ``rank`` of ``size``."""

    def __init__(self, device: torch.device) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self._device = device
        if self.size > 1:
            if device.type == "cuda":
                torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")

    @property
    def leads(self) -> bool:
        """Whether this process logs, validates and writes."""
        return self.rank == 0

    def share_gradients(self, net: nn.Module) -> None:
        """Average the gradients over all processes, in one message; one that is missing here counts as zero.

        What has a gradient nowhere has none afterwards: the optimiser leaves it alone, as in one process.
        """
        if self.size == 1:
            return
        parameters = [p for p in net.parameters() if p.requires_grad]
        # A batch need not reach all of the network, and which part it reaches may differ from process to process.
        found = torch.tensor([float(p.grad is not None) for p in parameters], device=self._device)
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([found, *(gradient.reshape(-1) for gradient in gradients)]) / self.size
        dist.all_reduce(flat)
        anywhere, *means = torch.split(flat, [len(found), *(p.numel() for p in parameters)])
        for parameter, mean, there in zip(parameters, means, anywhere.tolist(), strict=True):
            parameter.grad = mean.view_as(parameter) if there else None

    def agree(self, seconds: float) -> float:
        """The first process's clock, so that all stop, and change the schedule, at the same step."""
        if self.size == 1:
            return seconds
        clock = torch.tensor([seconds], dtype=torch.float64, device=self._device)
        dist.broadcast(clock, src=0)
        return float(clock)

    def leave(self) -> None:
        """Wait for the others, then end."""
        if self.size > 1:
            dist.barrier()
            dist.destroy_process_group()
