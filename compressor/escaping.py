"""Text of unknown origin, for a terminal: the names of files and what a file says of itself may hold anything."""

import re

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal would obey, what turns the direction of writing, and what no encoding has."""


def printable(text: str) -> str:
    """One line, with escapes for what a terminal would obey, or cannot show."""
    return _UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], text)


def printable_lines(text: str) -> str:
    """Text of any number of lines, with escapes as in `printable`."""
    return "\n".join(map(printable, text.split("\n")))
