"""Where exact inference runs: NumPy, PyTorch, and threads that share the work."""
