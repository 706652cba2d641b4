"""The routes by which a job reads data of its workspace that is not among its inputs.

A step that used one of them is never reused: its outputs depend on what its key does not contain. The routes of MLflow
are in `tracking/job_reads.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from smalt.service.api.auth.job_permissions import SERVER
from smalt.service.records import reuse
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.wire.encoding.ids import PROVIDER

_REGISTRY = "/subscriptions/{subscription}/resourceGroups/{resource_group}" + f"/providers/{PROVIDER}/registries"
_ITEM = _REGISTRY + "/{registry}/{kind}/{name}"
_SHARED = "{kind} '{name}' of the registry '{registry}'"
_STORE = "files of the datastore '{name}'"


def _list_asset_routes(kind: str, word: str) -> dict[str, str]:
    versions = dict.fromkeys(
        (f"/{kind}/{{name}}{what}" for what in ("/versions", "/versions/{version}", "/labels/{label}")),
        f"the {word} '{{name}}'",
    )
    return {f"/{kind}": f"the list of the workspace's {word}s", **versions}


_READS: dict[str, dict[str, str]] = {
    SERVER: {
        **dict.fromkeys((f"{_ITEM}/versions", f"{_ITEM}/versions/{{version}}", f"{_ITEM}/labels/{{label}}"), _SHARED),
        "/smalt/v1/registries/{registry}/{kind}/{name}/versions/{version}/archive": _SHARED,
    },
    "": {**_list_asset_routes("data", "data asset"), **_list_asset_routes("models", "model")},
    "/smalt/v1": {
        "/resolve": "data by its URI",
        "/datastores/{name}/list": _STORE,
        "/datastores/{name}/files/{path:path}": _STORE,
        "/codes/{name}/versions/{version}/archive": "the code '{name}'",
        "/jobs/{name}/metrics": "the metrics of the job '{name}'",
        "/jobs/{name}/trials": "the metrics of the trials of the job '{name}'",
        **dict.fromkeys(("/jobs", "/metrics", "/compare"), "the metrics of jobs"),
    },
    "/data/v1.0": {"/dataversion/batchGetResolvedUris": "data assets"},
    "/modelregistry/v1.0": {"/models/batchGetResolvedUris": "models"},
}
"""Prefix → template of a route → what it reads."""
_DATA_KINDS = ("data", "models")


def note_read(
    db: Database, job: Job | None, prefix: str, method: str, template: str, values: Mapping[str, str]
) -> None:
    """Record, before the answer, that a job reads data by a route; PUT writes."""
    what = _READS.get(prefix, {}).get(template)
    if job is None or what is None or method == "PUT" or values.get("kind", "data") not in _DATA_KINDS:
        return
    if template.startswith("/jobs/") and values["name"] == job.name:
        return
    reuse.mark_reader(db, job.id, what.format_map({**values, "name": values.get("name", "").removeprefix("azureml:")}))


def note_blob_read(db: Database, job: Job | None, datastore: str) -> None:
    """Record that a job reads or lists files of a datastore by a link."""
    if job is not None:
        reuse.mark_reader(db, job.id, _STORE.format(name=datastore))
