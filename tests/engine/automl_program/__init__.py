"""A stand-in for the program that searches: it writes a journal as that does, and waits where a test wants it to."""
