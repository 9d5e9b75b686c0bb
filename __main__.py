"""`python -m catzip` is the command `catzip`."""

from .cli import main

main()
