"""GET /smalt/v1{WS}/jobs/{name}/environment: what the environment of a job has, and where the log of its build is.

{"name", "declaration": {"image", "condaFile", "build"}, "python", "packages": ["name==version"], "used": true if these
are the packages that the job had, false if they are those of the environment as it is built now, "built", "seconds",
"size", "notes": sentences on what could not be installed as declared, "built_for": the job that it was built for,
whose system_logs/smalt.log has the log of the build}. What is not known is null.
"""

from __future__ import annotations

import contextlib
from typing import Any

from smalt.exceptions import SmaltError
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.request import ApiRequest
from smalt.service.engine.submission import lookup
from smalt.service.environments.store.environment_store import EnvironmentRecord
from smalt.service.records import environments as uses
from smalt.service.records import jobs, reuse
from smalt.wire.encoding.ids import get_short_name

_DECLARED = ("image", "condaFile", "build")


async def get_job_environment(request: ApiRequest) -> dict[str, Any]:
    job, db = find_job(request), request.server.db
    id = jobs.read_properties(db, job.id).get("environmentId")
    if not isinstance(id, str) or not id:
        return {"name": None}
    context, declared = request.server.engine.context, None
    built = None
    with contextlib.suppress(SmaltError):  # gone since the job ran
        declared = lookup.find_environment(context, request.workspace, id)
        built, _ = await context.environments.find_build(declared)
    record = context.environments.read_record(built) if built else None
    step = reuse.get_step(db, job.id)
    used = reuse.get_packages(db, str(step.parts.get("environment"))) if step else None
    now = context.environments.list_packages(built) if built and used is None else None
    python, packages = _split_python(used or now)
    return {
        "name": get_short_name(id).removeprefix("azureml:"),
        "declaration": {key: declared[key] for key in _DECLARED if declared.get(key)} if declared else None,
        "python": python or (built.version if built else None),
        "packages": packages,
        "used": used is not None,
        **_describe_build(request, record),
    }


def _split_python(packages: list[str] | None) -> tuple[str | None, list[str] | None]:
    """Return the version of Python, and the packages without it."""
    if packages is None:
        return None, None
    first, *rest = packages or [""]
    return (first.removeprefix("python=="), rest) if first.startswith("python==") else (None, packages)


def _describe_build(request: ApiRequest, record: EnvironmentRecord | None) -> dict[str, Any]:
    if record is None:
        return {"built": None, "seconds": None, "size": None, "notes": [], "built_for": None}
    first = next((use for use in uses.list_uses(request.server.db) if use.declared_hash == record.declared_hash), None)
    name = first.job if first else None
    if name and jobs.find_by_name(request.server.db, request.workspace.id, name) is None:
        name = None  # of another workspace
    told = {"built": record.built, "seconds": round(record.seconds, 1), "size": record.size}
    return {**told, "notes": record.relaxed, "built_for": name}


ROUTES = [("GET", "/jobs/{name}/environment", get_job_environment)]
