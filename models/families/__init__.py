"""Families of models: what they have in common (base)."""
