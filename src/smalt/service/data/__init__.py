"""URIs, datastores and content-addressed snapshots."""

from __future__ import annotations

from smalt.service.data.data_access import Data
from smalt.service.data.datastores.datastores import DEFAULT, DEFAULTS, Datastores, Registered
from smalt.service.data.files.copying import copy_tree, remove_tree
from smalt.service.data.files.path_containment import contained
from smalt.service.data.snapshots.snapshots import Snapshot, Snapshots
from smalt.service.data.uris.locations import AssetReference, Location

__all__ = [
    "DEFAULT",
    "DEFAULTS",
    "AssetReference",
    "Data",
    "Datastores",
    "Location",
    "Registered",
    "Snapshot",
    "Snapshots",
    "contained",
    "copy_tree",
    "remove_tree",
]
