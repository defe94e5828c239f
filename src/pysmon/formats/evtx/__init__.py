"""The event log files of Windows (.evtx): how they are laid out, a writer, a reader."""
