"""What an event is: the one definition of every event type, and everything that follows from it."""
