"""Data of jobs: URIs, datastores, snapshots, caches, uploads, and what a step's inputs and outputs are on disk.

Running steps belongs to `smalt.service.compute`, rows about data to `smalt.service.records`.
"""

from __future__ import annotations

from smalt.service.data.data_access import DataAccess
from smalt.service.data.datastores.datastores import DEFAULT, DEFAULTS, Datastores, Registered
from smalt.service.data.files.copying import copy_tree, link_files, remove_tree
from smalt.service.data.files.path_containment import resolve_inside
from smalt.service.data.snapshots.snapshots import Snapshot, Snapshots
from smalt.service.data.uris.locations import AssetReference, Location

__all__ = [
    "DEFAULT",
    "DEFAULTS",
    "AssetReference",
    "DataAccess",
    "Datastores",
    "Location",
    "Registered",
    "Snapshot",
    "Snapshots",
    "copy_tree",
    "link_files",
    "remove_tree",
    "resolve_inside",
]
