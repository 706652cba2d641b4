"""Each entity is sent as the official client sends it, by the builders of its own distribution.

The distribution has 99 of them, and 10 need files that it leaves out: those cannot be built with either.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smalt.wire import from_rest, to_rest
from tests.official.conftest import LONGEST, PROGRAMS

BUILT = 89

SILENT = {
    "_source": "telemetry: whether a program or a file made it",
    "client_component_hash": "a key by which their client finds an anonymous component again; smalt's has its own",
}
"""Keys that say nothing of the entity."""

DEFAULTS: dict[str, tuple[Any, ...]] = {
    "isAnonymous": (False,),
    "isArchived": (False,),
    "dataType": ("uri_folder",),
    "is_deterministic": (True,),
    "isSharedToAll": (True,),
    "kind": ("default",),
    "hbiWorkspace": (False,),
    "enableDataIsolation": (False,),
    "osType": ("Linux",),
    "remoteLoginPortPublicAccess": ("NotSpecified",),
    "minNodeCount": (0,),
    "applicationSharingPolicy": ("Shared",),
    "computeInstanceAuthorizationType": ("personal",),
    "enableOSPatching": (False,),
    "releaseQuotaOnStop": (False,),
    "authorityUrl": ("https://login.microsoftonline.com",),
    "endpoint": ("core.windows.net",),
    "sweepTrials": (0,),
    "sweepConcurrentTrials": (0,),
    "logVerbosity": ("Info",),
    "enableStackEnsemble": (False,),
    "slackAmount": (0,),
    "azureml.enable_chain_of_density": ("False",),
}
"""What holds where a key is not said, and so means the same said; so do null and what is empty."""

_MODEL = "properties.fineTuningDetails.model.jobInputType"
EXPLAINED = {
    ("aoai_finetuning_full", _MODEL): "theirs calls every model an MLflow model; smalt keeps the type that was given",
    ("aoai_finetuning_minimal", _MODEL): "the same",
    ("aml_compute_full", "properties.properties.subnet"): "their client adds the id, which needs a workspace, later",
    ("automl_text_ner", "properties.taskDetails.targetColumnName"): "their client drops it, since the task has none",
    ("command_job_local_compute", "properties.computeId"): "smalt keeps the name of the compute; theirs is a mark",
    ("command_job_local_compute", "properties.resources"): "the mark; smalt reads it as the compute 'local'",
    ("connection_one_lake", "properties.target"): "theirs doubles `https://` and `.Lakehouse` where they are given",
    ("schedule_pipeline", "properties.action.jobDefinition.jobs.node1"): "a component in place gets its id later",
    ("spark_component", "properties.componentSpec.code"): "local code gets its id later; theirs has a prefix already",
}
"""Differences that are meant, by case and place."""


@pytest.fixture(scope="module")
def bodies(official: str, distribution: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each builder gave with the official client, and with smalt."""
    folder, answers = distribution / "tests" / "smoke_serialization", tmp_path_factory.mktemp("bodies")
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "SMALT_HOME": str(answers / "home")}
    found = []
    for command in ([official], [sys.executable, "-m", "smalt", "python"]):
        answer = answers / f"{len(found)}.json"
        program = [*command, str(PROGRAMS / "bodies.py"), str(folder), str(answer)]
        done = subprocess.run(program, env=environment, timeout=LONGEST, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        found.append(json.loads(answer.read_text()))
    return found


def test_what_the_official_client_builds_is_sent_as_it_sends_it(bodies: list[dict[str, Any]]) -> None:
    """All that builds offline: nothing of what a program said is lost, added or spelt otherwise."""
    theirs, ours = bodies
    built = {name: each["body"] for name, each in theirs.items() if "body" in each}
    assert len(built) >= BUILT
    failures = {name: ours[name]["failure"] for name in built if "body" not in ours[name]}
    assert not failures
    different = {name: differences(body, ours[name]["body"]) for name, body in built.items()}
    unexplained = {
        name: [line for place, line in found.items() if (name, place) not in EXPLAINED]
        for name, found in different.items()
    }
    assert {name: lines for name, lines in unexplained.items() if lines} == {}
    assert {(name, place) for name, found in different.items() for place in found} == set(EXPLAINED)


KINDS = {
    "jobType": "job",
    "componentSpec": "component",
    "computeType": "compute",
    "datastoreType": "datastore",
    "category": "connection",
    "trigger": "schedule",
    "modelUri": "model",
    "dataUri": "data",
}
"""The kind of a resource, by a key that only it has."""

NAMED = (
    *("environment", "workspace", "managed_online_endpoint", "batch_endpoint", "serverless_endpoint"),
    *("marketplace_subscription", "feature_set", "feature_store_entity"),
)
"""The kinds whose cases have their name."""

INCOMPLETE = {
    "import_job_file_source": "an import without a connection is refused",
    "schedule_pipeline": "its component is a text, which no server takes",
    "synapse_spark_compute_full": "an attached pool needs its id",
}
"""What their client builds and no server can take."""


def test_what_the_official_client_sends_is_read_and_written_the_same(bodies: list[dict[str, Any]]) -> None:
    """Smalt's server loses nothing of it: what it reads it would send again."""
    different: dict[str, list[str]] = {}
    read = 0
    for name, each in bodies[0].items():
        body = {"name": "x", "version": "1", **_with_prefix(each.get("body", {}))}
        kind = _kind(name, body.get("properties", {}))
        if kind is None or name in INCOMPLETE:
            continue
        again = to_rest(from_rest(body, kind))
        read += 1
        for place, line in differences(body, {"name": "x", "version": "1", **again}).items():
            if (name, place) not in EXPLAINED and not place.endswith("componentSpec.name"):
                different.setdefault(name, []).append(line)
    assert different == {}
    assert read >= BUILT - len(INCOMPLETE) - 7, "only code, copies, packages, imports and registries are not read"


def _with_prefix(body: dict[str, Any]) -> dict[str, Any]:
    """The body as it is sent: their client has looked up the environments' names by then."""
    found: dict[str, Any] = json.loads(json.dumps(body).replace('"AzureML-', '"azureml:AzureML-'))
    return found


def _kind(case: str, properties: dict[str, Any]) -> str | None:
    known = next((kind for key, kind in KINDS.items() if key in properties), None)
    return known or next(
        (kind.removeprefix("managed_") for kind in NAMED if case.startswith(kind) and properties), None
    )


def differences(theirs: Any, ours: Any) -> dict[str, str]:
    """The places that differ, each with a line that says how."""
    return _differences(_plain(theirs), _plain(ours), "")


def _differences(theirs: Any, ours: Any, path: str) -> dict[str, str]:
    if isinstance(theirs, dict) and isinstance(ours, dict) and not _is_in_place(theirs, ours):
        found: dict[str, str] = {}
        for key in {**theirs, **ours}:
            found |= _differences(theirs.get(key), ours.get(key), f"{path}.{key}".lstrip("."))
        return found
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return {
            place: line
            for number, (left, right) in enumerate(zip(theirs, ours, strict=True))
            for place, line in _differences(left, right, f"{path}[{number}]").items()
        }
    if theirs == ours or (path.endswith(".category") and str(theirs).lower() == str(ours).lower()):
        return {}  # the service reads categories in any case
    return {path: f"{path}: official {json.dumps(theirs)[:300]}, smalt {json.dumps(ours)[:300]}"}


def _is_in_place(theirs: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Whether it is a step whose component is not registered yet: a text of YAML there, the step's own keys here."""
    return "\n" in str(theirs.get("componentId")) and "componentId" not in ours


def _plain(value: Any) -> Any:
    """Without what means nothing; a document inside a text is that document."""
    if isinstance(value, str) and value.startswith("{"):
        return _plain(json.loads(value))
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _plain(each) for key, each in value.items() if key not in SILENT}
    kept = {key: each for key, each in plain.items() if each not in (None, {}, [])}
    return {key: each for key, each in kept.items() if not _is_default(key, each)}


def _is_default(key: str, value: Any) -> bool:
    return any(value == default and type(value) is type(default) for default in DEFAULTS.get(key, ()))
