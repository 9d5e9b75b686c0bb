"""Files of the system: whole or not at all, also where they do not block, and across forks."""
