"""GET /smalt/v1{WS}/jobs/{name}/snapshot: the code that a job and its steps run.

{"name", "git", "snapshots": [{"id", "hash", "bytes", "files": [{"path", "kind", "size", "hash" or "link"}], "jobs",
"steps"}]}; `api/job_details/code_files.py` has the files.
"""

from __future__ import annotations

from typing import Any

from smalt.entities.syntax.references import parse_reference
from smalt.service.api.arm.job_shapes import get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.request import ApiRequest
from smalt.service.api.rest_shapes import build_resource_id
from smalt.service.data.snapshots.manifest import LINK, ManifestEntry
from smalt.service.records import assets, jobs

_GIT = ("azureml.git.", "mlflow.source.git.")


async def get_job_snapshot(request: ApiRequest) -> dict[str, Any]:
    """Return each distinct code once, with the jobs and steps that run it."""
    db, top = request.server.db, find_job(request)
    found: dict[str, dict[str, Any]] = {}
    for job in get_subtree(jobs.list_tree(db, top.root_id), top):
        text = jobs.read_properties(db, job.id).get("codeId")
        reference = parse_reference(str(text or ""))
        if reference is None:
            continue
        code = assets.find_version(db, request.workspace.id, "codes", reference.name, reference.version, None)
        if code.content_hash is None:
            continue
        one = found.setdefault(code.content_hash, _render_code(request, code))
        one["jobs"].append(job.name)
        one["steps"].append(job.node)
    notes = jobs.read_properties(db, top.id).get("properties") or {}
    git = {key: value for key, value in notes.items() if key.startswith(_GIT)}
    return {"name": top.name, "git": git, "snapshots": list(found.values())}


def _render_code(request: ApiRequest, code: assets.AssetVersion) -> dict[str, Any]:
    entries = request.server.data.snapshots.read_entries(str(code.content_hash))
    return {
        "id": f"{build_resource_id(request.workspace, 'codes', code.name)}/versions/{code.version}",
        "hash": code.content_hash,
        "bytes": sum(entry.size for entry in entries),
        "files": [render_file(entry) for entry in entries],
        "jobs": [],
        "steps": [],
    }


def render_file(entry: ManifestEntry) -> dict[str, Any]:
    file: dict[str, Any] = {"path": entry.path, "kind": entry.kind, "size": entry.size}
    if entry.kind == LINK:
        file["link"] = entry.content
    elif entry.content:
        file["hash"] = entry.content
    return file


ROUTES = [("GET", "/jobs/{name}/snapshot", get_job_snapshot)]
