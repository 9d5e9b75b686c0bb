"""What adapts to a file: contexts, counters, their mixture with a network, and SSE behind it."""
