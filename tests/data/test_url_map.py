from __future__ import annotations

from pathlib import Path

import pytest

from smalt.exceptions import RefusedError
from smalt.service.data import DataAccess
from smalt.service.records.workspaces import Workspace

from .conftest import Known

CASES = [
    ("https://host/data", "https://host/data/a/b.csv", "a/b.csv"),
    ("https://host/data/", "https://host/data/a.csv", "a.csv"),
    ("https://host/data/", "https://host/data", ""),
    ("HTTPS://Host/data", "https://hOST/data/A.csv", "A.csv"),
    ("https://host/data", "https://host/data/a%20b.csv?sig=secret#x", "a b.csv"),
    ("https://host/data", "https://host/database/a", None),
    ("https://host/Data", "https://host/data/a", None),
    ("wasbs://c@acc.blob.core.windows.net/", "wasbs://c@acc.blob.core.windows.net/p/a", "p/a"),
    ("https://acc.blob.core.windows.net/c", "wasbs://c@acc.blob.core.windows.net/p/a", "p/a"),
    ("https://acc.blob.core.windows.net/c", "abfss://c@acc.dfs.core.windows.net/p/a", "p/a"),
    ("azureml://datastores/ds/paths/raw", "azureml://datastores/ds/paths/raw/%41", "%41"),
    (
        "azureml://datastores/ds/paths/",
        "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/ds/paths/a",
        "a",
    ),
    ("s3://bucket", "s3://bucket/key", "key"),
    ("/mnt/share", "/mnt/share/a", "a"),
]


@pytest.mark.parametrize(("prefix", "uri", "rest"), CASES)
def test_a_mapped_prefix_leads_to_its_folder(
    data: DataAccess, known: Known, workspace: Workspace, tmp_path: Path, prefix: str, uri: str, rest: str | None
) -> None:
    """Any scheme is mapped, at the boundary of a part, in whatever spelling of the same place."""
    known.settings["url-map"] = {prefix: str(tmp_path)}
    found = data.resolve(uri, workspace)
    if rest is None:
        assert found.path is None
    else:
        assert found.path == (tmp_path / rest if rest else tmp_path)


def test_the_longest_prefix_wins(data: DataAccess, known: Known, workspace: Workspace, tmp_path: Path) -> None:
    """A file may stand for one URL within a mapped folder."""
    known.settings["url-map"] = {
        "https://host/": str(tmp_path / "all"),
        "https://host/iris.csv": str(tmp_path / "small.csv"),
    }
    assert data.resolve("https://host/iris.csv", workspace).path == tmp_path / "small.csv"
    assert data.resolve("https://host/other.csv", workspace).path == tmp_path / "all" / "other.csv"


def test_a_mapped_path_may_not_climb(data: DataAccess, known: Known, workspace: Workspace, tmp_path: Path) -> None:
    """An encoded `..` is decoded once and refused."""
    known.settings["url-map"] = {"https://host/": str(tmp_path)}
    with pytest.raises(RefusedError, match="leads out of its folder"):
        data.resolve("https://host/%2e%2e/secret", workspace)


def test_what_a_map_leads_to_must_exist(data: DataAccess, known: Known, workspace: Workspace, tmp_path: Path) -> None:
    """A map to nothing names both the URL and the place."""
    known.settings["url-map"] = {"https://host/": str(tmp_path / "gone")}
    said = data.check_exists("https://host/a", workspace)
    assert said == f"https://host/a does not exist: it leads to {tmp_path}/gone/a, which does not exist"
