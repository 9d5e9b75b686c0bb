"""Exact integer layers: what every PMF of every model is made of."""
