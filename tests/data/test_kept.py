"""What a path has to do with the contents of versions that a home keeps."""

from __future__ import annotations

import pytest

from smalt.service.data.datastores.managed_folders import (
    DATASTORES,
    HOME,
    STORE,
    UPLOADS,
    VERSIONS,
    ManagedPath,
    find_managed,
)

BLOB = "/h/workspaces/w/datastores/workspaceblobstore"


@pytest.mark.parametrize(
    ("real", "kept"),
    [
        ("/", ManagedPath(HOME)),
        ("/h", ManagedPath(HOME)),
        ("/h/workspaces", ManagedPath(HOME)),
        ("/h/workspaces/w", ManagedPath(DATASTORES)),
        ("/h/workspaces/w/datastores", ManagedPath(DATASTORES)),
        (BLOB, ManagedPath(STORE)),
        (f"{BLOB}/LocalUpload", ManagedPath(UPLOADS)),
        (f"{BLOB}/LocalUpload/abc", ManagedPath(UPLOADS, None, "abc")),
        (f"{BLOB}/LocalUpload/abc/d", ManagedPath(UPLOADS, f"{BLOB}/LocalUpload/abc/d", "abc")),
        (f"{BLOB}/LocalUpload/abc/d/x/y", ManagedPath(UPLOADS, f"{BLOB}/LocalUpload/abc/d", "abc")),
        (f"{BLOB}/Versions/data/n/1", ManagedPath(VERSIONS)),
        (f"{BLOB}/Versions/data/n/1/d/x", ManagedPath(VERSIONS, f"{BLOB}/Versions/data/n/1/d")),
        (f"{BLOB}/azureml/j/o", None),
        (f"{BLOB}/LocalUploads/abc/d", None),
        ("/h/workspaces/w/datastores/mine/LocalUpload/abc/d", None),
        ("/h/workspaces/w/jobs/j", None),
        ("/h/snapshots", None),
        ("/other/workspaces/w/datastores/workspaceblobstore/LocalUpload/abc/d", None),
    ],
)
def test_a_path_is_known_by_its_place_in_the_home(real: str, kept: ManagedPath | None) -> None:
    """At, in and around the folders; the like in another home, or another datastore, is nobody's."""
    assert find_managed("/h", real) == kept
