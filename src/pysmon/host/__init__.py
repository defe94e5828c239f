"""This machine: its processes, users, files and identity."""
