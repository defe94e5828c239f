"""What a struct is: a small language in which one class is decoder, encoder and C text."""
