"""What is measured, and how: catzip as a command, its peers, and the likelihood of the models."""
