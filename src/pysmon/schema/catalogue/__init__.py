"""Every event type of Sysmon, in the order of its manifest."""
