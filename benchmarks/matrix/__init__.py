"""Behind the exactness matrix: the same integers under every condition."""
