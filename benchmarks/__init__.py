"""What is measured: see README.md in this folder. Each module that it names is a command."""
