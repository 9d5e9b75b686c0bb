"""From recipes to what the training loop trains."""

from __future__ import annotations

import torch

from ...compressor.errors import CatzipError
from .recipe import Recipe
from .task import Task, task_type


def task_for(recipe: Recipe, device: torch.device) -> Task:
    """The task of a recipe. Raises CatzipError that names what does not describe a model."""
    try:
        return task_type(recipe.family)(recipe.model, recipe.coding, recipe.schedule, device)
    except (KeyError, TypeError, ValueError) as error:
        raise CatzipError(f"{recipe.name}: the recipe does not describe such a model: {error}") from error
