"""Judges configurations: what in them is valid and still not what was meant."""
