"""Endpoints: stable names for what answers requests. `batch` makes jobs of them, `online` serves them at once."""
