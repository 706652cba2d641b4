"""The MLflow routes that a job's token may call: it writes the job's run and runs below it, and reads its workspace.

So that scripts need no edit, some calls mean the job's own run and experiment: looking up or creating an experiment
returns the job's, another run becomes a child of the job's, and MLflow's status of the job's run is ignored (the
engine knows better: MLflow calls a script that dies FINISHED).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

from smalt.exceptions import NotFound, RefusedError, SmaltError, ValidationException
from smalt.service.records import jobs, reuse
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking import request_parsing
from smalt.service.tracking.job_reads import ForeignRead, find_read
from smalt.service.tracking.policy import CREATE_VERSION, MatchedRoute, resolve_source
from smalt.service.tracking.request_parsing import Body
from smalt.wire.encoding import artifact_paths

Call = Callable[[Workspace, str, str, Any], Awaitable[Any]]
"""A call to the child: workspace, method, path, body; NotFound where it has no such thing."""

PARENT = "mlflow.parentRunId"
_M = "/api/2.0/mlflow"
_SOURCE_RUN = "mlflow.sourceRun"
_MODEL_VERSIONS = "mlflow.modelVersions"
_OWN_TAGS = ("mlflow.artifactLocation", "smalt.")
"""They say where the server finds things, and what it made: nobody writes them from outside."""
_IN_PATH = ("model_id", "trace_id", "request_id")
"""Ids that MLflow reads from the body in some routes and from the URL in others."""
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,255}")
_REGISTERED = "registered:"
"""The mark of a registered model among the ids that are a job's own: the job made a version of it."""
_REMEMBERED = 10_000
_DEEPEST = 32


class ParsedRequest(NamedTuple):
    """A strictly parsed request to MLflow; rules change its parts in place."""

    found: MatchedRoute
    query: request_parsing.Query
    body: Body
    headers: dict[str, str]


def check_request(parsed: ParsedRequest) -> None:
    """Raise if the request names a location on the server's machine, or one thing in two ways; users may not either."""
    for name in _IN_PATH if parsed.found.ids else ():
        if parsed.body.get(name, parsed.found.ids[0]) != parsed.found.ids[0]:
            raise ValidationException(f"'{name}' differs between the body and the URL")
    for key, _ in _list_tags(parsed):
        if key.startswith(_OWN_TAGS):
            raise RefusedError(f"the tag '{key[:100]}' is reserved for the server")
    if parsed.body.get("artifact_location"):
        raise RefusedError("an experiment's artifacts lie in its workspace's datastore; leave out 'artifact_location'")
    if parsed.found.path == CREATE_VERSION:
        parsed.body["source"] = resolve_source(request_parsing.get_text(parsed.body, "source"))


class JobRules:
    """The rules for jobs' tokens, with a cache of recent lookups."""

    def __init__(self, db: Database, call: Call) -> None:
        self._db = db
        self._call = call
        self._own: OrderedDict[tuple[int, str], None] = OrderedDict()
        self._experiments: OrderedDict[int, str] = OrderedDict()

    async def apply_rule(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> Any:
        """Check and change a job's request; a result other than None is the answer, and MLflow is not asked."""
        rule = parsed.found.route.rule
        if not rule:
            path = parsed.found.path[:200]
            raise RefusedError(f"the token of job '{job.name}' is not good for {path}; use the home's token")
        return await getattr(self, "_apply_" + rule.replace("-", "_"))(workspace, job, parsed)

    async def _apply_read(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        """Permit reading everything in the workspace; a step that reads what is not its own is never reused."""
        if not reuse.may_serve_others(self._db, job.id):
            return
        found = find_read(parsed.found.path, parsed.found.ids, parsed.query, parsed.body, job.name)
        if found is not None and not await self._is_own_read(workspace, job, found):
            reuse.mark_reader(self._db, job.id, found.what)

    async def _is_own_read(self, workspace: Workspace, job: Job, read: ForeignRead) -> bool:
        if read.model:
            return (job.id, _REGISTERED + read.model) in self._own
        try:
            if read.logged_model:
                await self._check_model(workspace, job, read.logged_model)
            for run in read.runs:
                await self._check_run(workspace, job, run, or_ancestor=True)
        except SmaltError:
            return False
        return bool(read.logged_model or read.runs)

    async def _apply_write(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        """Permit writing what belongs to no run: the model registry."""

    async def _apply_create_version(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        """Permit a version of any run of the workspace: a pipeline's last step registers what another step logged."""
        self._add_own(job, _REGISTERED + request_parsing.get_text(parsed.body, "name"))

    async def _apply_own_experiment_by_name(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        parsed.query[:] = [("experiment_name", job.experiment)]

    async def _apply_own_experiment(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> Any:
        return {"experiment_id": await self._find_experiment(workspace, job)}

    async def _apply_experiment_tag(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        if request_parsing.get_text(parsed.body, "experiment_id") != await self._find_experiment(workspace, job):
            raise RefusedError(f"job '{job.name}' may tag its own experiment only")

    async def _apply_own_run(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        """Require that the run in the body is the job's, one that it made, or that of a pipeline above it."""
        await self._resolve_run(workspace, job, parsed.body, or_ancestor=True)
        for key, value in _list_tags(parsed):
            if key == PARENT:
                await self._check_run(workspace, job, value)
        for model in (
            request_parsing.get_objects(parsed.body, "models") if parsed.found.path == f"{_M}/runs/outputs" else ()
        ):
            await self._check_model(workspace, job, request_parsing.get_text(model, "model_id"))

    async def _apply_update_run(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> Any:
        """Answer for the job's own run, whose status, end and name only smalt sets; permit other runs of the job."""
        run = await self._resolve_run(workspace, job, parsed.body, or_ancestor=True)
        if run != job.name and run not in self._list_ancestors(job):
            return None
        found = await self._fetch_run(workspace, run)
        return {"run_info": found["info"]}

    async def _apply_nested_run(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        if await self._resolve_run(workspace, job, parsed.body) == job.name:
            raise RefusedError(f"the run of job '{job.name}' goes with the job; delete the job instead")

    async def _apply_create_run(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> Any:
        """Create another run of a script as a child of the job's."""
        body = parsed.body
        body["experiment_id"] = await self._find_experiment(workspace, job)
        parents = [value for key, value in _list_tags(parsed) if key == PARENT]
        for parent in parents:
            await self._check_run(workspace, job, parent)
        if not parents:
            body["tags"] = [*request_parsing.get_objects(body, "tags"), {"key": PARENT, "value": job.name}]
        reply = await self._call(workspace, "POST", parsed.found.path, body)
        self._add_own(job, reply["run"]["info"]["run_id"])
        return reply

    async def _apply_create_model(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> Any:
        """Create a model; one logged outside any run is an output of the job's run."""
        body = parsed.body
        body["experiment_id"] = await self._find_experiment(workspace, job)
        run = request_parsing.get_text(body, "source_run_id")
        if run:
            await self._check_run(workspace, job, run)
        body["source_run_id"] = run or job.name
        reply = await self._call(workspace, "POST", parsed.found.path, body)
        model = reply["model"]["info"]["model_id"]
        self._add_own(job, model)
        if not run:
            output = {"run_id": job.name, "models": [{"model_id": model, "step": 0}]}
            await self._call(workspace, "POST", f"{_M}/runs/outputs", output)
        return reply

    async def _apply_own_model(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        await self._check_model(workspace, job, parsed.found.ids[0])

    async def _apply_model_tags(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        """Permit the tag that every registration sets, on another job's model too; other tags on own models only."""
        if {key for key, _ in _list_tags(parsed)} != {_MODEL_VERSIONS}:
            await self._check_model(workspace, job, parsed.found.ids[0])

    async def _apply_spans(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        run = parsed.headers.get("x-mlflow-run-id") or job.name
        await self._check_run(workspace, job, run)
        parsed.headers["x-mlflow-run-id"] = run
        parsed.headers["x-mlflow-experiment-id"] = await self._find_experiment(workspace, job)

    async def _apply_start_trace(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        """Start a trace in the job's experiment, of the job's run or of another run that the job owns."""
        experiment = await self._find_experiment(workspace, job)
        if parsed.found.path == f"{_M}/traces":  # mlflow 2
            parsed.body["experiment_id"] = experiment
            metadata = request_parsing.get_objects(parsed.body, "request_metadata")
            sources = _list_source_runs(parsed.body)
            if not sources:
                parsed.body["request_metadata"] = [*metadata, {"key": _SOURCE_RUN, "value": job.name}]
        else:
            info = _get_nested(parsed.body, "trace", "trace_info")
            await self._check_trace(workspace, job, request_parsing.get_text(info, "trace_id"))
            info["trace_location"] = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
            metadata = info.setdefault("trace_metadata", {})
            if not isinstance(metadata, dict):
                raise ValidationException("'trace_metadata' must be an object")
            sources = [request_parsing.get_text(metadata, _SOURCE_RUN)] if metadata.get(_SOURCE_RUN) else []
            if not sources:
                metadata[_SOURCE_RUN] = job.name
        for source in sources:
            await self._check_run(workspace, job, source)

    async def _apply_own_trace(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        ids = parsed.found.ids
        await self._check_trace(workspace, job, ids[0] if ids else request_parsing.get_text(parsed.body, "trace_id"))
        for run in _list_source_runs(parsed.body):
            await self._check_run(workspace, job, run)

    async def _apply_own_file(self, workspace: Workspace, job: Job, parsed: ParsedRequest) -> None:
        """Permit a file below an own run, model or trace."""
        path = parsed.found.ids
        of_run = artifact_paths.parse_artifacts_path("/".join(path))
        if of_run and of_run[1]:
            await self._check_run(workspace, job, of_run[0], or_ancestor=True)
        elif len(path) > 5 and path[0] == "mlflow" and path[4] == "artifacts" and path[2] in ("models", "traces"):
            if path[1] != await self._find_experiment(workspace, job):
                raise RefusedError(f"job '{job.name}' writes into its own experiment only")
            need = self._check_model if path[2] == "models" else self._check_trace
            await need(workspace, job, path[3])
        else:
            raise RefusedError(
                f"job '{job.name}' may write the files of its own runs only, not '{'/'.join(path)[:200]}'"
            )

    async def _resolve_run(self, workspace: Workspace, job: Job, body: Body, *, or_ancestor: bool = False) -> str:
        """Return the run that the body names, and leave one way of naming it there."""
        run = request_parsing.get_text(body, "run_id", "run_uuid")
        await self._check_run(workspace, job, run, or_ancestor=or_ancestor)
        body.pop("run_uuid", None)
        body["run_id"] = run
        return run

    async def _check_run(self, workspace: Workspace, job: Job, run: str, *, or_ancestor: bool = False) -> None:
        if not _RUN_ID.fullmatch(run):
            raise ValidationException(f"'{run[:100]}' is not the id of a run")
        if or_ancestor and run in self._list_ancestors(job):
            return
        if not await self._owns_run(workspace, job, run):
            raise RefusedError(f"run '{run[:100]}' is not one of job '{job.name}', whose token this is")

    def _list_ancestors(self, job: Job) -> list[str]:
        """List the pipelines above the job; in the service a step logs to its pipeline as `run.parent`."""
        found = []
        while job.parent_id is not None:
            job = jobs.get_job(self._db, job.parent_id)
            found.append(job.name)
        return found

    async def _owns_run(self, workspace: Workspace, job: Job, run: str) -> bool:
        """True if the run's chain of parents leads to the job's run before it leads to another job's."""
        passed: list[str] = []
        while len(passed) < _DEEPEST:
            if run == job.name or (job.id, run) in self._own:
                for one in passed:
                    self._add_own(job, one)
                return True
            if not _RUN_ID.fullmatch(run) or jobs.find_by_name(self._db, workspace.id, run) is not None:
                return False
            passed.append(run)
            found = await self._fetch_run(workspace, run)
            run = next((tag["value"] for tag in found["data"].get("tags", ()) if tag["key"] == PARENT), "")
        return False

    async def _check_model(self, workspace: Workspace, job: Job, model: str) -> None:
        if (job.id, model) in self._own:
            return
        if not _RUN_ID.fullmatch(model):
            raise ValidationException(f"'{model[:100]}' is not the id of a logged model")
        found = await self._call(workspace, "GET", f"{_M}/logged-models/{model}", None)
        source = found["model"]["info"].get("source_run_id", "")
        if not source or not await self._owns_run(workspace, job, source):
            raise RefusedError(f"model '{model[:100]}' is not one of job '{job.name}', whose token this is")
        self._add_own(job, model)

    async def _check_trace(self, workspace: Workspace, job: Job, trace: str) -> None:
        """Raise Refused if the trace exists and is not the job's own."""
        if (job.id, trace) in self._own:
            return
        if not _RUN_ID.fullmatch(trace):
            raise ValidationException(f"'{trace[:100]}' is not the id of a trace")
        try:
            found = await self._call(workspace, "GET", f"/api/3.0/mlflow/traces/{trace}", None)
        except NotFound:
            return
        info = found["trace"]["trace_info"]
        place = info.get("trace_location", {}).get("mlflow_experiment", {}).get("experiment_id")
        source = info.get("trace_metadata", {}).get(_SOURCE_RUN)
        is_own = await self._owns_run(workspace, job, source) if source else True
        if not is_own or place != await self._find_experiment(workspace, job):
            raise RefusedError(f"trace '{trace[:100]}' is not one of job '{job.name}', whose token this is")
        if source:
            self._add_own(job, trace)

    async def _find_experiment(self, workspace: Workspace, job: Job) -> str:
        """Return the id of the experiment of the job's run."""
        if job.id not in self._experiments:
            found = await self._fetch_run(workspace, job.name)
            self._experiments[job.id] = str(found["info"]["experiment_id"])
            _trim_cache(self._experiments)
        return self._experiments[job.id]

    async def _fetch_run(self, workspace: Workspace, run: str) -> Any:
        found = await self._call(
            workspace, "GET", f"{_M}/runs/get?{request_parsing.encode_query([('run_id', run)])}", None
        )
        return found["run"]

    def _add_own(self, job: Job, id: str) -> None:
        self._own[job.id, id] = None
        _trim_cache(self._own)


def _list_source_runs(body: Body) -> list[str]:
    """Return the run that a trace of mlflow 2 names as its own."""
    metadata = request_parsing.get_objects(body, "request_metadata")
    return [request_parsing.get_text(one, "value") for one in metadata if one.get("key") == _SOURCE_RUN]


def _trim_cache(memory: OrderedDict[Any, Any]) -> None:
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


def _get_nested(body: Body, *names: str) -> Body:
    where = ""
    for name in names:
        inner = body.get(name)
        if not isinstance(inner, dict):
            raise ValidationException(f"'{where}{name}' must be an object")
        where += f"{name}."
        request_parsing.check_fields(inner, where)
        body = inner
    return body


def _list_tags(parsed: ParsedRequest) -> Iterator[tuple[str, str]]:
    """Yield every tag that a request sets or deletes, in any of MLflow's forms."""
    body, path = parsed.body, parsed.found.path
    if path.endswith(("-tag", "/tags")) and "key" in body:
        yield request_parsing.get_text(body, "key"), request_parsing.get_text(body, "value")
    inner = body.get("trace")
    info = inner.get("trace_info") if isinstance(inner, dict) else None
    for holder in (body, info if isinstance(info, dict) else {}):
        tags = holder.get("tags")
        if isinstance(tags, dict):
            yield from ((key, str(value)) for key, value in tags.items())
        elif tags is not None:
            yield from (
                (request_parsing.get_text(tag, "key"), request_parsing.get_text(tag, "value"))
                for tag in request_parsing.get_objects(holder, "tags")
            )
