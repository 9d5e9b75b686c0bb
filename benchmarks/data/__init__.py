"""What is measured on: data sets by name, found and checked."""
