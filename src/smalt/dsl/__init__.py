"""The verbs that make entities in Python."""
