"""The back: one process per home; the front reaches it by HTTP only."""
