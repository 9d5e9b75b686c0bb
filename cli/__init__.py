"""The command line: the only package that imports click. Commands parse, call the library and print.

Nothing here imports numpy, torch or a model before a command needs it: `catzip --help` must be instant.
"""

from .app import main

__all__ = ["main"]
