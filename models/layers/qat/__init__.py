"""The layers in training: real-valued, rounded to the grid of the exact ones (quantisation-aware training)."""
