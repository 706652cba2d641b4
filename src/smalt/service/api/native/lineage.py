"""GET /smalt/v1{WS}/lineage/{kind}/{name}…: the inputs and makers of an asset or job, and what was made from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smalt.entities.syntax.references import JobOutputUri, parse_uri
from smalt.exceptions import RefusedError
from smalt.service.api.arm.data import DATA
from smalt.service.api.arm.job_shapes import get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.arm.models import MODELS
from smalt.service.api.native.metrics import build_labels
from smalt.service.api.request import ApiRequest
from smalt.service.records import jobs, lineage, reuse

Node = dict[str, Any]

_MADE_BY, _USED_BY = "made_by", "used_by"
_DEPTH = 8
_MOST = 500
"""Nodes of one answer: a data set may be used by thousands of jobs."""
_COLLECTIONS = {"data": DATA, "models": MODELS}
_URIS = {"data": "dataUri", "models": "modelUri"}


async def get_version_lineage(request: ApiRequest) -> Node:
    kind = request.get_name("kind")
    if kind not in _COLLECTIONS:
        raise RefusedError("only data, models and jobs have a lineage")
    found = _COLLECTIONS[kind].find_version(request, request.get_name("version"), None)
    return _LineageWalk(request).walk_both_ways(_make_asset_node(kind, found.name, found.version))


async def get_job_lineage(request: ApiRequest) -> Node:
    return _LineageWalk(request).walk_both_ways(_make_job_node(request, find_job(request)))


class _LineageWalk:
    """A walk from one node in both directions that follows no node twice."""

    def __init__(self, request: ApiRequest) -> None:
        self._request = request
        self._db = request.server.db
        self._workspace = request.workspace.id
        self._depth = min(request.get_number("depth", _DEPTH), 50)
        self._left = _MOST

    def walk_both_ways(self, node: Node) -> Node:
        for direction in (_MADE_BY, _USED_BY):
            self._add_neighbours(node, direction, self._depth, {_get_key(node)})
        return node

    def _add_neighbours(self, node: Node, direction: str, depth: int, seen: set[tuple[str, str]]) -> None:
        if not depth:
            return
        found = []
        for other in self._list_neighbours(node, direction):
            self._left -= 1
            if self._left < 0:
                node["more"] = True
                break
            found.append(other)
            if _get_key(other) in seen:
                other["again"] = True
            else:
                seen.add(_get_key(other))
                self._add_neighbours(other, direction, depth - 1, seen)
        node[direction] = found

    def _list_neighbours(self, node: Node, direction: str) -> Iterator[Node]:
        if node["kind"] == "job":
            return self._list_job_neighbours(node, direction)
        return self._list_asset_neighbours(node, direction) if node["kind"] in _COLLECTIONS else iter(())

    def _list_job_neighbours(self, node: Node, direction: str) -> Iterator[Node]:
        """Yield the assets that the job read, or the jobs that made its inputs; for its outputs, those that read
        them."""
        job = jobs.find_by_name(self._db, self._workspace, node["name"])
        if job is None:
            return
        side, other_side = ("input", "output") if direction == _MADE_BY else ("output", "input")
        rows = [(port, uri, asset) for _, port, uri, asset in lineage.list_of_job(self._db, job.id, side)]
        if job.is_composite and side == "input":
            rows += self._list_step_inputs(job, {asset or uri for _, uri, asset in rows})
        for port, uri, asset in rows:
            if asset:
                yield {**_parse_asset(asset), side: port}
                continue
            found = list(self._find_jobs_at(uri, other_side, (job.name, port)))
            yield from ({**each, side: port} for each in found)
            if not found and side == "input" and uri:
                yield {"kind": "uri", "name": uri, side: port}

    def _list_step_inputs(self, job: jobs.Job, known: set[str | None]) -> Iterator[tuple[str, str | None, str | None]]:
        """Yield what a pipeline's steps read that comes neither from the pipeline's inputs nor from its own steps."""
        steps = {row.id: row for row in get_subtree(jobs.list_tree(self._db, job.root_id), job)}
        labels = build_labels(list(steps.values()))
        made = {str(uri).rstrip("/") for id, _, uri, _ in lineage.list_of_steps(self._db, job.root_id, "output")}
        names = {row.name for row in steps.values()}
        for id, port, uri, asset in lineage.list_of_steps(self._db, job.root_id, "input"):
            if id not in steps or (asset or uri) in known or _is_below(uri, made):
                continue
            parsed = parse_uri(uri) if uri else None
            if isinstance(parsed, JobOutputUri) and parsed.job in names:
                continue
            known.add(asset or uri)
            yield f"{labels[steps[id].name]}.{port}", uri, asset

    def _list_asset_neighbours(self, node: Node, direction: str) -> Iterator[Node]:
        asset = f"{node['kind']}/{node['name']}/versions/{node['version']}"
        side = "output" if direction == _MADE_BY else "input"
        found = {row[0]: row for row in lineage.list_of_asset(self._db, self._workspace, asset, side)}
        properties = self._get_properties(node)
        uris = [str(properties.get(_URIS[node["kind"]]) or "")]
        if side == "input":
            for job_id, port, _, _ in lineage.list_of_asset(self._db, self._workspace, asset, "output"):
                uris += _build_output_uris(jobs.get_name(self._db, job_id), port)
        rows = lineage.list_of_uris(self._db, self._workspace, [uri for uri in uris if uri], side)
        found = {**{row[0]: row for row in rows}, **found}
        for job_id, port, _, _ in self._remove_reused(list(found.values()), side):
            yield {**_make_job_node(self._request, jobs.get_job(self._db, job_id)), side: port}
        source = (properties.get("properties") or {}).get("smalt.imported_from")
        if source and direction == _MADE_BY:
            yield {"kind": "imported", "name": str(source)}

    def _find_jobs_at(self, uri: str | None, side: str, port: tuple[str, str]) -> Iterator[Node]:
        """Yield the jobs that wrote the content of a URI, or that read an output by its location or as the job's
        output."""
        if not uri:
            return
        parsed = parse_uri(uri)
        if side == "output" and isinstance(parsed, JobOutputUri):
            job = jobs.find_by_name(self._db, self._workspace, parsed.job)
            if job is not None:
                yield {**_make_job_node(self._request, job), side: parsed.output}
            return
        uris = [uri]
        if side == "input":
            uris += _build_output_uris(*port)
        for job_id, name, _, _ in self._remove_reused(
            lineage.list_of_uris(self._db, self._workspace, uris, side), side
        ):
            yield {**_make_job_node(self._request, jobs.get_job(self._db, job_id)), side: name}

    def _remove_reused(self, rows: list[lineage.Row], side: str) -> list[lineage.Row]:
        """Return the rows of outputs without those of reused jobs, which made nothing.

        If the job whose outputs they took was deleted, the earliest of them represents it.
        """
        if side == "input" or len(rows) < 2:
            return rows
        reused = reuse.find_reused(self._db, [row[0] for row in rows])
        return [row for row in rows if row[0] not in reused] or [min(rows)]

    def _get_properties(self, node: Node) -> dict[str, Any]:
        from smalt.service.records import assets

        found = assets.get_version(self._db, self._workspace, node["kind"], node["name"], node["version"])
        return found.properties if found else {}


def _build_output_uris(job: str, port: str) -> list[str]:
    base = f"azureml://jobs/{job}/outputs/{port}"
    return [base, f"{base}/paths"]


def _is_below(uri: str | None, places: set[str]) -> bool:
    """True if the URI is one of `places`, or within one."""
    above = (uri or "").rstrip("/")
    while above:
        if above in places:
            return True
        above = above.rpartition("/")[0]
    return False


def _make_asset_node(kind: str, name: str, version: str) -> Node:
    return {"kind": kind, "name": name, "version": version}


def _parse_asset(asset: str) -> Node:
    """Parse `data/n/versions/1`, or the same with a registry before it."""
    parts = asset.split("/")
    if parts[0] == "registries":
        return {**_make_asset_node(f"registry {parts[1]} {parts[2]}", parts[3], parts[5])}
    return _make_asset_node(parts[0], parts[1], parts[3])


def _make_job_node(request: ApiRequest, job: jobs.Job) -> Node:
    node: Node = {"kind": "job", "name": job.name, "type": job.type, "status": job.status}
    if job.parent_id is not None:
        node.update(step=job.node, parent=jobs.get_name(request.server.db, job.parent_id))
    return node


def _get_key(node: Node) -> tuple[str, str]:
    return node["kind"], f"{node['name']}:{node.get('version', '')}"


ROUTES = [
    ("GET", "/lineage/jobs/{name}", get_job_lineage),
    ("GET", "/lineage/{kind}/{name}/versions/{version}", get_version_lineage),
]
