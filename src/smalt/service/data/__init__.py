"""URIs, datastores and content-addressed snapshots."""

from __future__ import annotations

from smalt.service.data.contain import contained
from smalt.service.data.copying import copy_tree, remove_tree
from smalt.service.data.data import Data
from smalt.service.data.datastores import DEFAULT, DEFAULTS, Datastores, Registered
from smalt.service.data.location import AssetReference, Location
from smalt.service.data.snapshots import Snapshot, Snapshots

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
