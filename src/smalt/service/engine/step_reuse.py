"""Steps that need not run: the reuse room is asked, and a reused step gets the outputs of the earlier one."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import shlex
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from smalt import inside
from smalt.entities import CommandJob, Input
from smalt.exceptions import Unavailable
from smalt.service.data.job_data.access_modes import UPLOADED
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds import Leaf, places
from smalt.service.engine.kinds.places import ARTIFACTS, output_uri
from smalt.service.engine.kinds.properties import REUSE
from smalt.service.engine.outputs.registration import register_outputs
from smalt.service.environments import HOST, BuiltEnvironment, own_mltable_version
from smalt.service.records import job_attempts, job_data, jobs
from smalt.service.records import reuse as records
from smalt.service.records.job_data import DataRow
from smalt.service.records.jobs import Job
from smalt.service.reuse import Reuse, ReuseCandidate
from smalt.service.reuse.keys import DataInput, make_parts

log = logging.getLogger("smalt.engine")

_QUIET_SECONDS = 0.5
"""Seconds without work after which there is time for what nobody waits for."""
_CLOSE_SECONDS = 1.0
_LOCALE = frozenset({"TZ", "LANG", "LC_ALL", "LC_CTYPE"})
"""Variables of the server's own that steps inherit and that show in what they write."""
_URI = re.compile(r"azureml://[^\s'\"]+")
_MOST_PARENTS = 1000
_USUAL_STORE = "azureml://datastores/workspaceblobstore/"
_FEWEST_SLASHES = 5
"""Slashes in azureml://datastores/NAME/paths/…, of which no part is an output."""


class ReuseSettler:
    """Records what completed steps read and wrote while no job runs, before that can change."""

    def __init__(self, reuse: Reuse, is_idle: Callable[[], bool]) -> None:
        self._reuse = reuse
        self._is_idle = is_idle
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def start_soon(self) -> None:
        """Start after half a second without work."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_QUIET_SECONDS, self._start_if_idle)

    async def close(self) -> None:
        """Record the steps that completed last if that is quick: a copy of the home can reuse them elsewhere."""
        if self._timer is not None:
            self._timer.cancel()
        self._start_if_idle()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_CLOSE_SECONDS)
            self._task.cancel()
            await asyncio.wait([self._task])

    def _start_if_idle(self) -> None:
        if self._is_idle() and (self._task is None or self._task.done()):
            self._task = asyncio.ensure_future(self._settle_completed())

    async def _settle_completed(self) -> None:
        try:
            await self._reuse.settlement.settle_completed(self._is_idle)
        except Unavailable as error:
            log.warning("what ended steps read and wrote is looked at later: %s", error)


class StepReuse:
    """Finds and applies the reuse of steps for the engine."""

    def __init__(self, context: EngineContext) -> None:
        self.reuse = Reuse(context.db, context.data, context.environments.get_host_state)
        self._context = context
        self._db = context.db
        self._moved_places: dict[int, dict[str, str]] = {}
        """By root: where outputs are that were planned elsewhere."""
        self._ancestors: dict[int, tuple[Job, ...]] = {}
        self._recorded_environments: set[str] = set()

    def resolve_reused_inputs(self, leaf: Leaf) -> None:
        """Let the leaf read the outputs of reused steps where they are, not where they were planned."""
        job = leaf.job
        if job.parent_id is None or not self._get_moved_places(job):
            return
        changed = {}
        for name, value in leaf.entity.inputs.items():
            text = value.path if isinstance(value, Input) else value
            if not isinstance(text, str) or "azureml://" not in text:
                continue
            there = _URI.sub(lambda found: self._find_current_uri(job, found[0]), text)
            if there != text:
                changed[name] = there
                if isinstance(value, Input):
                    value.path = there
                else:
                    leaf.entity.inputs[name] = there
        if changed:
            leaf.asked = None
            self._update_body(job, "inputs", changed)

    def judge_within_turn(self, leaf: Leaf, environment: BuiltEnvironment, *, is_early: bool = False) -> bool:
        """Look for an identical step; return False if that takes long or an input is not there yet.

        The verdict is in `leaf.verdict`. `is_early`: the leaf reads outputs of steps that still run.
        """
        asked = self._find_candidate(leaf, environment)
        if asked is None:
            return True
        if not is_early:
            leaf.verdict = self.reuse.judge_within_turn(asked)
        return leaf.verdict is not None

    async def judge_beside_loop(self, leaf: Leaf, environment: BuiltEnvironment) -> bool:
        """Look for an identical step, however long it takes; return True if there is one."""
        asked = self._find_candidate(leaf, environment)
        if asked is not None:
            leaf.verdict = await self.reuse.judge(asked)
        if leaf.verdict is not None and leaf.verdict.of is not None:
            return True
        candidate = self._make_candidate(leaf, environment)
        if candidate is not None and candidate.refusal is None and (parts := leaf.work_parts) is not None:
            leaf.work = await self.reuse.find_work_key(candidate, parts)
        return False

    async def record_fetched(
        self, leaf: Leaf, environment: BuiltEnvironment, paths: Mapping[str, Path], since: float
    ) -> None:
        """Record the inputs that were fetched since `since`, in seconds since the epoch, each with its path."""
        asked = self._make_candidate(leaf, environment)
        if asked is not None:
            await self.reuse.record_fetched(asked, paths, leaf.fetched.tables, since)

    def may_be_reused(self, leaf: Leaf, environment: BuiltEnvironment) -> bool:
        return self._find_candidate(leaf, environment) is not None

    def record_started(self, leaf: Leaf, environment: BuiltEnvironment, *, is_early: bool = False) -> None:
        """Record the key of a step that is about to run; `is_early` while steps run whose outputs it reads."""
        asked = self._make_candidate(leaf, environment)
        if asked is None:
            return
        self.reuse.record_started(asked, leaf.verdict.reason if leaf.verdict else None, is_early=is_early)
        if environment.realised_hash not in self._recorded_environments:
            self._recorded_environments.add(environment.realised_hash)
            records.put_packages(
                self._db, environment.realised_hash, self._context.environments.list_packages(environment)
            )

    def apply_reuse(self, leaf: Leaf) -> bool:
        """Give the job the outputs of the identical step, if one was found; the caller ends it if this returns True."""
        job, asked, verdict = leaf.job, leaf.asked, leaf.verdict
        if asked is None or verdict is None or verdict.of is None or records.get_step(self._db, verdict.of.id) is None:
            return False
        of = verdict.of
        written = job_data.read_data(self._db, of.id, "output")
        moved = {ARTIFACTS.format(job=job.name): ARTIFACTS.format(job=of.name)}
        rows: list[DataRow] = []
        for row in leaf.make_data_rows():
            if row.direction == "output" and row.name in written:
                there = written[row.name][2] or ""
                moved[row.uri or ""] = there
                rows.append(row._replace(uri=there, asset=None, place=None))
            else:
                rows.append(row)
        moved = {planned: place for planned, place in moved.items() if planned != place}
        job_data.put_data(self._db, job, rows)
        self.move_outputs(job, moved)
        self.reuse.record_reused(asked, verdict)
        self._update_body(
            job,
            "outputs",
            {row.name: row.uri or "" for row in rows if row.direction == "output"},
            _make_reuse_properties(self._context, of),
        )
        if not leaf.finishes_quickly:
            register_outputs(self._context, job, (of.empty_outputs or "").split())
        self._context.say(job, f"reused outputs of job {of.name} (identical code, inputs, environment)")
        job.empty_outputs = of.empty_outputs
        return True

    def move_outputs(self, job: Job, moved: Mapping[str, str]) -> None:
        """Record that outputs of the job, by planned URI, are elsewhere: all jobs below its root read them there.

        Nothing is copied. The jobs above it that have one of these outputs as their own have it there, too.
        """
        records.put_places(self._db, job, moved)
        self._get_moved_places(job).update(moved)
        for above in (job, *self._list_ancestors(job)) if job.is_composite else self._list_ancestors(job):
            for planned, place in moved.items():
                records.move_output(self._db, above.id, planned, place)

    def find_place(self, job: Job, uri: str) -> str:
        """Return the URI of what was planned to be at a URI in the tree of the job."""
        return self._find_current_uri(job, uri) if self._get_moved_places(job) else uri

    def _find_candidate(self, leaf: Leaf, environment: BuiltEnvironment) -> ReuseCandidate | None:
        """Return what to judge; None if the step must run in any case."""
        leaf.verdict = None
        asked = self._make_candidate(leaf, environment)
        if (
            asked is None
            or not self.reuse.may_be_reused(asked)
            or job_attempts.get_last_attempt_number(self._db, leaf.job)
        ):
            return None
        return asked

    def _make_candidate(self, leaf: Leaf, environment: BuiltEnvironment) -> ReuseCandidate | None:
        """Return what the step's key is made of; None if it has none because it is not a step of a pipeline."""
        job, entity = leaf.job, leaf.entity
        if job.parent_id is None:
            return None
        if leaf.asked is not None and leaf.asked.parts["environment"] == environment.realised_hash:
            return leaf.asked
        resources: dict[str, Any] = {"instances": int(getattr(entity.resources, "instance_count", None) or 1)}
        if entity.distribution is not None:
            resources["distribution"] = entity.distribution.to_dict()
        if leaf.wants_gpu:
            resources["gpu"] = True
        if environment.container is not None:
            told = [*shlex.split(self._context.settings.container_arguments), *leaf.docker_args]
            resources.update({"container": told} if told else {})
        parts, data = make_parts(
            entity, leaf.code, environment.realised_hash, resources, _list_given_places(job, entity)
        )
        variables = leaf.backend(self._context).steps.inherited_variables
        inherited = {name: value for name, value in variables.items() if name in _LOCALE}
        if inherited:
            parts["locale"] = {**inherited, **{name: "" for name in inherited if name in entity.environment_variables}}
        if own := _list_own_packages(entity, environment):
            parts["smalt"] = own
        refusal = entity.properties.get(REUSE)
        leaf.asked = ReuseCandidate(
            job,
            leaf.workspace,
            parts,
            data,
            _list_written_in_place(job, entity),
            refusal,
            leaf.places,
            self._get_host_seen if environment.declared_hash == HOST else None,
        )
        return leaf.asked

    def _get_host_seen(self) -> float:
        return self._context.environments.host_checked_at

    def clear(self) -> None:
        """Forget what is kept of the records, so that it is read again."""
        self._moved_places.clear()
        self._ancestors.clear()

    def forget_tree(self, root_id: int) -> None:
        self._moved_places.pop(root_id, None)

    def _find_current_uri(self, job: Job, uri: str) -> str:
        """Return where `uri` is now; it may lie below a place that was planned."""
        known = self._get_moved_places(job)
        above, below = uri, ""
        while above.count("/") > _FEWEST_SLASHES:
            for planned in (above, f"{above}/"):
                if planned in known:
                    there = known[planned]
                    return f"{there.rstrip('/')}/{below}" if below else there
            above, _, name = above.rpartition("/")
            below = f"{name}/{below}" if below else name
        return uri

    def _get_moved_places(self, job: Job) -> dict[str, str]:
        if job.root_id not in self._moved_places:
            self._moved_places[job.root_id] = records.list_places(self._db, job.root_id)
        return self._moved_places[job.root_id]

    def _list_ancestors(self, job: Job) -> tuple[Job, ...]:
        """Return the jobs above this one, nearest first."""
        parent_id = job.parent_id
        if parent_id is None:
            return ()
        if parent_id not in self._ancestors:
            if len(self._ancestors) >= _MOST_PARENTS:
                self._ancestors.clear()
            parent = jobs.get_job(self._db, parent_id)
            self._ancestors[parent_id] = (parent, *self._list_ancestors(parent))
        return self._ancestors[parent_id]

    def _update_body(
        self, job: Job, part: str, uris: Mapping[str, str], properties: Mapping[str, str] | None = None
    ) -> None:
        """Write to the job's body where its data is, and more properties."""
        body = jobs.read_properties(self._db, job.id)
        for name, uri in uris.items():
            shown = (body.get(part) or {}).get(name)
            if isinstance(shown, dict):
                shown["value" if "value" in shown else "uri"] = uri
        if properties:
            body["properties"] = {**(body.get("properties") or {}), **properties}
        jobs.set_properties(self._db, job, body)


def _list_own_packages(entity: CommandJob, environment: BuiltEnvironment) -> dict[str, str]:
    """Return the packages that smalt itself gives the step and that its environment does not hold."""
    own = {}
    if "mldesigner" in entity.command:
        own["mldesigner"] = _hash_package("designer")
    if "_smalt_parallel" in entity.command:
        own["parallel"] = _hash_package("parallel")
    reads_tables = any(getattr(value, "type", None) == "mltable" for value in entity.inputs.values())
    if environment.declared_hash == HOST and reads_tables:
        own["mltable"] = own_mltable_version()
    return own


@lru_cache(maxsize=2)
def _hash_package(name: str) -> str:
    """Return the digest of code that smalt puts into jobs: what runs function components, or parallel steps."""
    digest = hashlib.sha256()
    for path in sorted(Path(inside.__path__[0], name).rglob("*.py")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _list_given_places(job: Job, entity: CommandJob) -> dict[str, dict[str, str]]:
    """Return the places of outputs that count for reuse.

    A path counts as it was written; of other outputs only a datastore that is not the usual one.
    """
    given = {name: made.given for name, made in places.read(entity.properties).items()}
    counts = {}
    for name, output in entity.outputs.items():
        if path := given.get(name):
            counts[name] = {"path": path}
        elif name != "artifacts":
            uri = output_uri(job.name, name, output)
            if not uri.startswith(_USUAL_STORE):
                counts[name] = {"datastore": uri.split("/")[3]}
    return counts


def _list_written_in_place(job: Job, entity: CommandJob) -> dict[str, DataInput]:
    """Return the outputs that the command writes at a given path, where it finds what others left."""
    made = places.read(entity.properties)
    return {
        name: DataInput(output_uri(job.name, name, output), output.type or "uri_folder")
        for name, output in entity.outputs.items()
        if output.mode != UPLOADED and name in made and made[name].given is not None
    }


def _make_reuse_properties(context: EngineContext, of: Job) -> dict[str, str]:
    """Return the service's own properties of a reused step."""
    pipeline = context.root_name(of)
    return {
        "azureml.isreused": "true",
        "azureml.reusedrunid": of.name,
        "azureml.reusednodeid": of.node or "",
        "azureml.reusedpipeline": pipeline,
        "azureml.reusedpipelinerunid": pipeline,
    }
