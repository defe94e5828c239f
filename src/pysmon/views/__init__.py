"""What people read: from entries to trees, stories, tables and details; pure functions, nothing is printed here."""
