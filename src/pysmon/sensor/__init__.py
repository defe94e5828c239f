"""The kernel sensor: records, the BPF programs, their loader, the rings and the tape."""
