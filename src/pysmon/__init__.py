"""Sysmon, in Python: a system monitor that speaks Sysmon's language."""

__version__ = "0.1.0"
