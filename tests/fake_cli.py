"""The command line with the models of helpers.py, and pictures beside them, in place of those that are installed."""

from helpers import MODELS, ItemModel, Models

from catzip.cli import main
from catzip.commands.options import Settings


class Pictures(ItemModel):
    shape = (5, 4, 3)


class Grey(ItemModel):
    shape = (5, 4)


FAKES = Models(*MODELS.models, Pictures("table-pictures"), Grey("table-grey"), default="table-bytes")

if __name__ == "__main__":
    Settings.registry = lambda self: FAKES
    main()
