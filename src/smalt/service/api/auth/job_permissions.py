"""The routes that a job's token may call; all others are refused. MLflow's API has its own table,
`tracking/job_permissions.py`.

A job reads its workspace, registers assets, submits jobs and writes files of datastores. It changes no settings and
nothing that acts later or elsewhere, and gets no credentials except the secrets of its workspace's vault.
"""

from __future__ import annotations

from typing import NoReturn

from smalt.exceptions import RefusedError
from smalt.service.records.jobs import Job
from smalt.wire.encoding.ids import PROVIDER

SERVER, VAULT = "server", "vault"
"""The keys of routes whose paths name no workspace; the other keys are the prefixes of workspace paths."""

_READ = frozenset({"GET"})
_WRITE = frozenset({"GET", "PUT"})
_ASK = frozenset({"POST"})
_REGISTRY = "/subscriptions/{subscription}/resourceGroups/{resource_group}" + f"/providers/{PROVIDER}/registries"
_ITEM = _REGISTRY + "/{registry}/{kind}/{name}"
_KINDS = ("components", "environments", "data", "models", "codes", "featuresets", "featurestoreEntities", "indexes")
_READ_ONLY = ("schedules", "onlineEndpoints", "batchEndpoints", "computes", "connections", "datastores")

ALLOWED: dict[str, dict[str, frozenset[str]]] = {
    SERVER: {
        **dict.fromkeys(("/identity/token", "/discovery", "/metadata/endpoints", "/smalt/v1/done"), _READ),
        **dict.fromkeys((_REGISTRY, f"{_REGISTRY}/{{registry}}", f"{_REGISTRY}/{{registry}}/{{kind}}"), _READ),
        **dict.fromkeys((_ITEM, f"{_ITEM}/versions", f"{_ITEM}/labels/{{label}}"), _READ),
        f"{_ITEM}/versions/{{version}}": _READ,
        "/smalt/v1/registries/{registry}/{kind}/{name}/versions/{version}/archive": _READ,
        "/registrymanagement/v1.0/registries/{name}/discovery": _READ,
        "/smalt/v1/blobs": _ASK,
        "/smalt/v1/blobs/{sha256}": frozenset({"PUT"}),
    },
    "": {
        "/": _READ,
        **{f"/{kind}": _READ for kind in (*_KINDS, *_READ_ONLY, "jobs")},
        **{f"/{kind}/{{name}}": _WRITE for kind in (*_KINDS, "jobs")},
        **{f"/{kind}/{{name}}": _READ for kind in _READ_ONLY},
        **{f"/{kind}/{{name}}/versions": _READ for kind in _KINDS},
        **{f"/{kind}/{{name}}/versions/{{version}}": _WRITE for kind in _KINDS},
        **{f"/{kind}/{{name}}/labels/{{label}}": _READ for kind in _KINDS},
        "/codes/{name}/versions/{version}/startPendingUpload": _ASK,
        "/datastores/{name}/listSecrets": _ASK,
        "/jobs/{name}/cancel": _ASK,
        "/jobs/{name}/cancelOperation": _READ,
        **{f"/{kind}/{{parent}}/deployments": _READ for kind in ("onlineEndpoints", "batchEndpoints")},
        **{f"/{kind}/{{parent}}/deployments/{{name}}": _READ for kind in ("onlineEndpoints", "batchEndpoints")},
        "/batchEndpoints/{name}/jobs": _READ | _ASK,
        "/batchEndpoints/{name}/jobs/{job}": _READ,
        **{f"/batchEndpoints/{{name}}/deployments/{{deployment}}/jobs{what}": _READ for what in ("", "/{job}")},
    },
    "/smalt/v1": {
        **{
            f"/jobs/{{name}}/{what}": _READ
            for what in ("tree", "overview", "references", "reuse", "stream", "metrics", "snapshot", "trials")
        },
        **dict.fromkeys(
            (
                "/jobs/{name}/validate",
                "/components/fixed",
                "/metrics",
                "/costs",
                "/compare",
                "/snapshots",
                "/assets",
                "/resolve",
            ),
            _ASK,
        ),
        **dict.fromkeys(("/jobs", "/job-counts"), _READ),
        **{f"/jobs/{{name}}/{what}": _READ for what in ("graph", "timeline", "attempts")},
        "/codes/{name}/versions/{version}/archive": _READ,
        "/lineage/jobs/{name}": _READ,
        "/lineage/{kind}/{name}/versions/{version}": _READ,
        "/imports": _READ,
        "/datastores/{name}/list": _READ,
        "/datastores/{name}/files/{path:path}": _WRITE,
        **{f"/datastores/{{name}}/uploads{what}": _ASK for what in ("", "/content", "/finish")},
        **dict.fromkeys(("/secrets", "/secrets/{name}"), _READ),
        **{f"/secrets/{{name}}/{what}": _READ for what in ("versions", "{version}")},
    },
    "/history/v1.0": {
        **{f"/runs/{{name}}{what}": _READ for what in ("", "/details", "/children", "/serviceinstances/{node}")},
        **{f"/experiments/{{experiment}}/runs/{{name}}{what}": _READ for what in ("", "/details")},
        "/rundata": _ASK,
    },
    "/data/v1.0": {"/dataversion/batchGetResolvedUris": _ASK},
    "/modelregistry/v1.0": {"/models/batchGetResolvedUris": _ASK},
    "/pipelines/v1.0": {
        **{f"/{kind}{what}": _READ for kind in ("Pipelines", "PipelineEndpoints") for what in ("", "/{id}")},
        "/PipelineRuns/PipelineSubmit/{id}": _ASK,
        "/PipelineRuns/PipelineEndpointSubmit/Id/{id}": _ASK,
        "/PipelineRuns/PipelineEndpointSubmit/Id/{id}/{version}": _ASK,
        "/PipelineRuns/PipelineEndpointSubmit/Name": _ASK,
    },
    VAULT: {
        **dict.fromkeys(("/secrets", "/secrets/{name}"), _READ),
        **{f"/secrets/{{name}}/{what}": _READ for what in ("versions", "{version}")},
    },
}
"""Prefix → template of a route → permitted methods. HEAD counts as GET."""


def check_route(job: Job | None, prefix: str, method: str, template: str) -> None:
    """Raise Refused if a job's token may not call the route; `job` is None for all other callers."""
    if job is None:
        return
    if ("GET" if method == "HEAD" else method) not in ALLOWED.get(prefix, {}).get(template, ()):
        refuse_job(job, f"{method} {template if prefix in (SERVER, VAULT) else prefix + '…' + template}")


def refuse_job(job: Job, what: str) -> NoReturn:
    raise RefusedError(
        f"the token of job '{job.name}' is not good for {what}; a job reads its workspace, registers assets and "
        "submits jobs, and does nothing else (docs/identity.md)"
    )
