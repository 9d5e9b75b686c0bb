"""From left to right: a causal network over lanes, mixed with what adapts to the file."""
