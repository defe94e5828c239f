"""Files as they are written, run and overwritten: fanotify, in a process of its own that keeps the rights it needs."""
