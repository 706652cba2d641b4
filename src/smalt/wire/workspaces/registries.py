"""Registries, as clients ask for one."""

from __future__ import annotations

from typing import Any

from smalt.entities.workspaces.registry import (
    Registry,
    RegistryRegionDetails,
    SystemCreatedAcrAccount,
    SystemCreatedStorageAccount,
)
from smalt.wire.encoding.casing import to_pascal
from smalt.wire.encoding.codec import Json, Writing, to_plain


class _Registries:
    """Registries, whose parts stand in their regions."""

    def write(self, noun: Registry, writing: Writing) -> Json:
        properties: Json = {
            "publicNetworkAccess": noun.public_network_access,
            "managedResourceGroupTags": to_plain(noun.tags),
            "regionDetails": [_write_region(region) for region in noun.replication_locations or ()],
        }
        outside = {"location": noun.location, "tags": to_plain(noun.tags), "identity": {"type": "SystemAssigned"}}
        kept = {key: value for key, value in properties.items() if value is not None}
        return {**{key: value for key, value in outside.items() if value is not None}, "properties": kept}


def _write_region(region: RegistryRegionDetails) -> Json:
    return {
        "location": region.location,
        "acrDetails": [_write_container_registry(each) for each in region.acr_config or ()],
        "storageAccountDetails": _write_storage(region.storage_config),
    }


def _write_container_registry(given: Any) -> Json:
    sku = given.acr_account_sku if isinstance(given, SystemCreatedAcrAccount) else None
    if sku is not None:
        return {"systemCreatedAcrAccount": {"acrAccountSku": to_pascal(sku)}}
    return {"userCreatedAcrAccount": {"armResourceId": {"resourceId": to_plain(given)}}}


def _write_storage(given: Any) -> list[Json]:
    if isinstance(given, SystemCreatedStorageAccount):
        account = {
            "storageAccountHnsEnabled": given.storage_account_hns,
            "storageAccountType": given.storage_account_type,
        }
        kept = {key: value for key, value in account.items() if value is not None}
        return [{"systemCreatedStorageAccount": dict(kept)} for _ in range(given.replication_count or 1)]
    return [{"userCreatedStorageAccount": {"armResourceId": {"resourceId": each}}} for each in given or ()]


RESOURCES = _Registries()
