"""What builds, checks and sets up the project; no part of what is shipped to users."""
