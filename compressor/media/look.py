"""A look at any part of a file."""

from collections.abc import Callable

Look = Callable[[int, int], bytes]
"""look(offset, size): the bytes there, fewer where the file ends."""
