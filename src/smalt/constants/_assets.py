"""Words of shared assets."""

from __future__ import annotations

from enum import Enum


class IPProtectionLevel(str, Enum):
    ALL = "all"
    NONE = "none"
