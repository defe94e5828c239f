"""What a configuration does to a log: replayed, compared, tested, measured."""
