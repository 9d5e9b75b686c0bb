"""Constants of the mixture of discretised logistics (Salimans et al. 2017, arXiv 1701.05517, section 2.1)."""

from __future__ import annotations

MEAN, MEAN_MAX = 8, 1 << 12  # what the network adds to a guess: real units of 16 levels, steps of 1/16 level
SCALE = 4  # fractional bits of ln(scale), the scale in levels
SCALE_LEAST, SCALE_MOST = -24, 72  # ln(scale) from -1.5 to 4.5
FLOOR = 20  # every symbol has at least 2**-FLOOR of the mass
