"""The event log: an SQLite file that one process writes and any number read."""
