"""Sysmon, in Python: a system monitor that speaks Sysmon's language."""
