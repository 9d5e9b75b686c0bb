"""Studies of recipes and models: for the repository, not part of what is installed."""
