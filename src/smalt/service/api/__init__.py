"""The routes: one module per collection."""
