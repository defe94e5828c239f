"""Byte and text formats of events."""
