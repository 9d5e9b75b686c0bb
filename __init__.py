"""catzip: lossless compression whose probabilities come from exact neural models."""

__version__ = "0.1.0"
