"""Requests to endpoints, built from what a caller names."""
