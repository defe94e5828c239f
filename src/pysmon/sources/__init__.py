"""Logs of others, read as entries: one file for each shape; `open.py` finds out which one a file has."""
