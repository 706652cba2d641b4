"""What must not be read by whoever gets hold of a copy of the database."""
