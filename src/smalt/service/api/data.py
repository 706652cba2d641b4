"""Data assets, and where their content is."""

from __future__ import annotations

from smalt.service.api.versioned import Collection

DATA = Collection("data", "data", content=("dataUri", "dataType"), uri="dataUri", type="dataType")
