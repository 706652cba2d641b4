"""smalt: Azure Machine Learning v2 jobs, on your own machines."""

from __future__ import annotations

from smalt._version import __version__

__all__ = ["__version__"]
