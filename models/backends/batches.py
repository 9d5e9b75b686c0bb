"""Work in pieces that fit into caches and memory."""

from collections.abc import Iterator


def parts(count: int, each: int) -> Iterator[slice]:
    """0..count - 1 in parts of ``each``, at least one."""
    return (slice(start, start + max(1, each)) for start in range(0, count, max(1, each)))
