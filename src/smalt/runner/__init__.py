"""What runs next to the user's process on whatever machine. Standard library only, Python 3.8 or newer."""
