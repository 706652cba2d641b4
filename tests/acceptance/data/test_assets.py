"""Part 8: components, environments, data, models, computes, datastores and workspaces by the command line."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk

COMPONENT = "type: command\nname: part\nversion: 1\ncommand: echo ${{inputs.n}}\ninputs: {n: {type: integer}}\n"


def test_components(desk: Desk) -> None:
    """create, show, list, archive, restore, update; the same content again is fine, another one is a conflict."""
    desk.write("part.yml", f"{COMPONENT}environment: azureml:host\n")
    created = desk.smalt("component create --file part.yml --set version=2 tags.a=b")
    assert (created.code, created.json["version"], created.json["tags"]) == (0, "2", {"a": "b"}), created.err
    assert desk.ask("component show --name part --version 2 --query command") == "echo ${{inputs.n}}"
    assert desk.smalt("component create --file part.yml").code == 0
    assert desk.smalt("component create --file part.yml").code == 0
    changed = desk.smalt("component create --file part.yml --set command='echo other'")
    assert (changed.code, changed.out, len(changed.err.splitlines())) == (1, "", 1), changed
    assert set(desk.ask("component list --name part --query [].version").split()) == {"1", "2"}
    assert desk.smalt("component update --name part --version 1 --set description=d").code == 0
    assert desk.ask("component show -n part -v 1 --query description") == "d"
    assert desk.smalt("component archive --name part").code == 0
    assert "part" not in desk.ask("component list --query [].name").split()
    assert desk.smalt("component restore --name part").code == 0
    assert "part" in desk.ask("component list --query [].name").split()


def test_environments(desk: Desk) -> None:
    """From a file, from options, from an image and a conda file; show by version and label."""
    desk.write("conda.yml", "name: x\ndependencies: [python=3.10, pip: [requests]]\n")
    desk.write("env.yml", "name: from-file\nimage: some/image:1\nconda_file: ./conda.yml\nversion: 1\n")
    assert desk.smalt("environment create --file env.yml").code == 0
    assert desk.smalt("environment create --name given --version 3 --image a/b --conda-file conda.yml").code == 0
    shown = desk.smalt("environment show --name from-file --version 1").json
    assert (shown["image"], shown["conda_file"]["name"]) == ("some/image:1", "x")
    assert desk.ask("environment show --name given --label latest --query version") == "3"
    assert {"from-file", "given"} <= set(desk.ask("environment list --query [].name").split())


def test_an_environment_with_a_build_context_is_archived_and_described(desk: Desk) -> None:
    """What smalt fills in when it is shown is not taken for a change."""
    desk.write("context/Dockerfile", "FROM python:3.11\n")
    desk.write("env.yml", "name: built\nversion: 1\nbuild: {path: ./context}\n")
    assert desk.smalt("environment create --file env.yml").code == 0
    archived = desk.smalt("environment archive --name built --version 1")
    assert archived.code == 0, archived.err
    assert desk.smalt("environment list --name built").json == []
    assert desk.smalt("environment restore --name built --version 1").code == 0
    assert desk.ask("environment update -n built -v 1 --set tags.a=b --query tags.a") == "b"


def test_data_and_models(desk: Desk) -> None:
    """Versions count up by themselves; list by name; show by label; what is not there is a sentence."""
    desk.write("a.csv", "a\n")
    desk.write("d.yml", "name: d\ntype: uri_file\npath: ./a.csv\ntags: {x: y}\n")
    assert [desk.ask("data create -f d.yml --query version") for _ in range(2)] == ["1", "2"]
    assert desk.ask("data show --name d --label latest --query version") == "2"
    assert desk.ask("model create --name m --path a.csv --type custom_model --query version") == "1"
    assert desk.ask("model list --name m --query [].version") == "1"
    assert desk.smalt("model update --name m --version 1 --set tags.stage=prod").code == 0
    assert desk.ask("model show m:1 --query tags.stage") == "prod"
    wrong = desk.smalt("data create --name e --type uri_file --path ./absent.csv")
    assert (wrong.code in (1, 2), wrong.out) == (True, "")
    assert "absent.csv" in wrong.err


TYPES = {"uri_file": "in", "uri_folder": "in/a.csv", "mltable": "in"}


@pytest.mark.parametrize("type", TYPES)
def test_data_is_of_the_type_that_is_said(desk: Desk, type: str) -> None:
    """A folder is not a uri_file, a file not a uri_folder, and an mltable has a file MLTable."""
    desk.write("in/a.csv", "a\n")
    ran = desk.smalt(f"data create --name wrong --type {type} --path {TYPES[type]}")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert type in ran.err
    assert desk.smalt("data show --name wrong").code == 1


def test_computes(desk: Desk) -> None:
    """The idiom of the examples' scripts; what was given comes back, identity too."""
    ran = desk.smalt(
        "compute create --name big-cluster --type amlcompute --min-instances 0 --max-instances 8 "
        "--idle-time-before-scale-down 120 --size Standard_DS3_v2 --identity-type SystemAssigned"
    )
    assert ran.code == 0, ran.err
    shown = desk.smalt("compute show --name big-cluster").json
    assert (shown["min_instances"], shown["max_instances"], shown["idle_time_before_scale_down"]) == (0, 8, 120)
    assert shown["identity"]["type"].lower().replace("_", "") == "systemassigned"
    assert shown["provisioning_state"] == "Succeeded"
    assert desk.smalt("compute update --name big-cluster --max-instances 2").code == 0
    assert desk.ask("compute show -n big-cluster --query max_instances") == "2"
    assert desk.smalt("compute delete --name big-cluster --yes").code == 0
    assert "big-cluster" not in desk.ask("compute list --query [].name").split()


def test_a_compute_is_patched_by_rest(desk: Desk) -> None:
    """A PATCH says only what changes."""
    assert desk.smalt("compute create --name part --type amlcompute --min-instances 1 --max-instances 3").code == 0
    path = desk.ask("compute show part --query id")
    change = {"properties": {"properties": {"scaleSettings": {"maxNodeCount": 5}}}}
    assert desk.server.ask("PATCH", path, change).status == 200
    assert desk.ask("compute show part --query '[[min_instances, max_instances]]'") == "1\t5"


def test_user_assigned_identities(desk: Desk) -> None:
    """--identity-type user_assigned with ids, as az takes them."""
    id = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u"
    command = "compute create --name idc --type AmlCompute --identity-type user_assigned --user-assigned-identities"
    assert desk.smalt(f"{command} {id}").code == 0
    shown = desk.smalt("compute show idc --query identity").json
    assert [one["resource_id"] for one in shown["user_assigned_identities"]] == [id]


def test_datastores(desk: Desk) -> None:
    """The four that every workspace has, one as default; one of a cloud is kept and its paths may be mapped."""
    names = set(desk.ask("datastore list --query [].name").split())
    assert {"workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"} <= names
    desk.write("blob.yml", "name: far\ntype: azure_blob\naccount_name: a\ncontainer_name: c\n")
    assert desk.smalt("datastore create --file blob.yml").code == 0
    assert desk.ask("datastore show --name far --query container_name") == "c"
    desk.write("mirror/x.txt", "x\n")
    assert desk.smalt("config set url-map azureml://datastores/far/paths/=mirror").code == 0
    job = "command: cat ${{inputs.x}}\ninputs: {x: {type: uri_file, path: azureml://datastores/far/paths/x.txt}}\n"
    assert desk.log(f"{job}environment: azureml:host\n") == ["x"]
    assert desk.smalt("config unset url-map azureml://datastores/far/paths/").code == 0
    assert desk.smalt("datastore delete --name far --yes").code == 0


def test_workspaces(desk: Desk) -> None:
    """Any name is a workspace of its own, with jobs of its own."""
    file = desk.write("job.yml", "command: echo there\nenvironment: azureml:host\n")
    assert desk.smalt(f"job create -f {file} -n apart -w other -g group --stream").out == "there\n"
    assert desk.smalt("job show apart").code == 1
    assert desk.smalt("job show apart -w other -g group").code == 0
    assert desk.ask("workspace show --name other -g group --query name") == "other"
    assert "other" in desk.ask("workspace list --query [].name").split()


_UNKNOWN = "bad.yml:2:1: unknown key 'nonsense_key'"
_NO_COMMAND = "bad.yml:1:1: a command component needs 'command'"  # of a component's file an unknown key is a warning


@pytest.mark.parametrize(
    ("noun", "words"),
    [("component", _NO_COMMAND), ("environment", _UNKNOWN), ("data", _UNKNOWN), ("model", _UNKNOWN)],
)
def test_a_broken_file_is_told_at_its_line(desk: Desk, noun: str, words: str) -> None:
    """Exit code 2."""
    desk.write("bad.yml", "name: x\nnonsense_key: 1\n")
    ran = desk.smalt(f"{noun} create --file bad.yml")
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


@pytest.mark.parametrize("kind", ["data", "model", "environment", "component"])
def test_an_asset_that_is_archived_as_a_whole_is_not_the_latest(desk: Desk, kind: str) -> None:
    """`@latest` says that it is archived; one version alone cannot be restored; a new version is not hidden unsaid."""
    desk.write("part", "x")
    texts = {
        "data": "type: uri_file\npath: part\n", "model": "path: part\n", "environment": "image: any\n",
        "component": "type: command\ncommand: echo a\nenvironment: azureml:host\n",
    }  # fmt: skip
    desk.write("file.yml", f"name: raw\n{texts[kind]}")
    create = f"{kind} create --file file.yml"
    assert desk.smalt(f"{create} --version 1").code == 0
    assert desk.smalt(f"{kind} archive --name raw").code == 0
    for shown in ("raw@latest", "raw"):
        ran = desk.smalt(f"{kind} show --name {shown}")
        assert ran.code == 1
        assert f"'raw' is archived; restore it with 'smalt {kind} restore --name raw', or name a version: 1" in ran.err
    assert desk.smalt(f"{kind} show --name raw --version 1").code == 0
    assert "restore it without a version" in desk.smalt(f"{kind} restore --name raw --version 1").err
    assert "a new version would be hidden" in desk.smalt(f"{create} --version 2").err
    assert desk.smalt(f"{kind} restore --name raw").code == 0
    assert desk.ask(f"{kind} show --name raw --query version") == "1"
