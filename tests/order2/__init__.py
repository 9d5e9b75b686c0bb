"""A sixth family, as small as one can be: symbols in the proportions in which they came after the two before them."""
