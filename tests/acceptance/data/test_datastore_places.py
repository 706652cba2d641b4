"""A datastore in which versions lie stays where it is; a job that locks its own folder is told so."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk
from tests.acceptance.data.test_read_only import HOST, change


def create_share(desk: Desk, path: str, more: str = "") -> tuple[int, str]:
    file = desk.write("s.yml", f"name: share\ntype: local_path\npath: {path}\n{more}")
    ran = desk.smalt(f"datastore create --file {file}")
    return ran.code, ran.err


def test_a_datastore_with_versions_keeps_its_place(desk: Desk) -> None:
    """Another path is refused with the name of a version; another description, or the path of an empty one, is not."""
    one, other = desk.write("one/f", "a\n").parent, desk.write("other/f", "b\n").parent
    assert create_share(desk, str(other))[0] == 0
    assert create_share(desk, str(one))[0] == 0
    uri = "azureml://datastores/share/paths/f"
    assert desk.smalt(f"data create -n there --version 1 --type uri_file --path {uri}").code == 0
    code, said = create_share(desk, str(other))
    assert code == 1
    assert "there:1" in said
    assert create_share(desk, str(one), "description: the same\n")[0] == 0
    assert desk.log(change("azureml:there:1", command="cat ${{inputs.a}}", kind="uri_file")) == ["a"]


@pytest.mark.parametrize("reads", ["", "inputs: {a: {type: uri_folder, path: ./d}}\n"])
def test_a_job_that_locks_its_folder_is_told_so(ordinary: Desk, reads: str) -> None:
    """A job that takes away the right to its own folder fails with a sentence, and can be deleted."""
    ordinary.write("d/f", "x\n")
    name = "locks-read" if reads else "locks"
    ran = ordinary.job(f"command: chmod 500 . outputs; chmod 000 logs ..\n{HOST}{reads}", f"--name {name}")
    assert ran.code == 1
    assert "took the right to read" in ran.err
    workspace = ordinary.ask("workspace show -n default --query id")
    assert ordinary.server.ask("DELETE", f"{workspace}/jobs/{name}").status in (200, 202)
