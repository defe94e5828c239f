"""The flow of events, and what drives it."""
