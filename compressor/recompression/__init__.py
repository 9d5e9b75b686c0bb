"""Packed pictures, unpacked before they are coded and packed again on output."""
