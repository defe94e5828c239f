"""The event log files of Windows (.evtx): what a chunk is made of, a writer, a reader. They know nothing of Sysmon."""
