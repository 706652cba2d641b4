"""Endpoints: stable names for what answers requests. `batch` makes jobs of them."""
