"""Outputs: where kept events go, one file each."""
