"""The command line with a model that does something else, once, while it codes: `python meddling.py DEED WORD ...`."""

import os
import sys

import fake_cli
from helpers import Models, TableModel

from catzip.compressor.files import temporary

DEED, DONE = [""], []


def meddle() -> None:
    if not DONE:
        DONE.append(True)
        exec(DEED[0])


class Meddler(TableModel):
    def encode(self, symbols, plan):
        meddle()
        yield from super().encode(symbols, plan)

    def decode(self, stacks, count, plan):
        meddle()
        return super().decode(stacks, count, plan)


if __name__ == "__main__":
    if "ALL_FILES_HAVE_NAMES" in os.environ:
        temporary._UNNAMED = 0
    DEED[0] = sys.argv.pop(1)
    fake_cli.Settings.registry = lambda self: Models(Meddler(), default="table-bytes")
    fake_cli.main()
