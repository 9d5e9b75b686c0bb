"""Packed pictures (PNG, WebP): unpacked before they are coded, packed again on output."""
