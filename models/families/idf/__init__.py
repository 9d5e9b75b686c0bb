"""Integer discrete flows: images by a bijection of integers, coded level by level."""
