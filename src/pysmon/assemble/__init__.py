"""From kernel records to Sysmon's events."""
