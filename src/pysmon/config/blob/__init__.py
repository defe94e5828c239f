"""The binary rules that Sysmon's compiler makes of a configuration, and that its driver and its service load."""
