"""What content is this, which model suits it, and is it worth its time."""
