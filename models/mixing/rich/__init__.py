"""A richer mixture: bit histories in cache lines, records, matches that recover, layers of mixers, more of SSE."""
