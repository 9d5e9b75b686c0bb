"""The commands, a module each: parse, call the library, print. Only `cli.py` and this package import click.

Nothing here imports numpy, torch or a model before a command needs it: `catzip --help` must be instant.
"""
