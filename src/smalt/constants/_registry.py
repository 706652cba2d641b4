"""Words of registries."""

from __future__ import annotations

from enum import Enum


class StorageAccountType(str, Enum):
    STANDARD_LRS = "standard_lrs"
    STANDARD_GRS = "standard_grs"
    STANDARD_RAGRS = "standard_ragrs"
    STANDARD_ZRS = "standard_zrs"
    STANDARD_GZRS = "standard_gzrs"
    STANDARD_RAGZRS = "standard_ragzrs"
    PREMIUM_LRS = "premium_lrs"
    PREMIUM_ZRS = "premium_zrs"


class AcrAccountSku(str, Enum):
    PREMIUM = "premium"
