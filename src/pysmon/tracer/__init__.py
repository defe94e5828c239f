"""The unprivileged sensor: it traces one command and all that it starts with ptrace(2), and makes the same records."""
