"""Families of models: a folder each, with its codec and its training; `base` is what they have in common."""
