"""The compiled core: the loops of a family in plain C, with the integers of the NumPy layers, several times as fast."""
