"""The resident service: what is installed, runs from boot on, can be asked and told."""
