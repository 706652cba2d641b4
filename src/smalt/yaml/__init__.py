"""Files to entities and back, with every error at its line and column."""
