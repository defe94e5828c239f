"""The settings of desktops: databases of dconf, which GSettings writes to, read after they were replaced."""
