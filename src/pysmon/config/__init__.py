"""Sysmon's XML configurations: from bytes to a frozen model and a list of problems."""
