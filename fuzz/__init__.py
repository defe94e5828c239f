"""Fuzzing: every parser of foreign bytes under a stream of broken inputs, guided by coverage (docs/fuzzing.md)."""
