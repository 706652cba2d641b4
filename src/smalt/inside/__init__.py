"""What is put into jobs. Standard library only, Python 3.8 or newer."""
