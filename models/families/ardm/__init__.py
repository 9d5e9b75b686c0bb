"""Autoregressive diffusion models: any dimension given any others, in few calls of the network."""
