"""From a configuration to verdicts."""
