"""The lean client of the REST API: one module per collection over one connection."""

from __future__ import annotations

from smalt.client.client import MLClient

__all__ = ["MLClient"]
