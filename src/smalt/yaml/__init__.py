"""Files to entities and back, with every error at its line and column."""

from __future__ import annotations

from smalt.entities.schema.json_schema import json_schema
from smalt.yaml.dumping import dump
from smalt.yaml.loading import load, load_text

__all__ = ["dump", "json_schema", "load", "load_text"]
