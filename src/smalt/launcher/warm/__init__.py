"""Warm parents: interpreters that have imported packages, whose forked children become steps of the launcher."""
