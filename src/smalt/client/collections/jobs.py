"""`ml_client.jobs`"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from smalt import wire
from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import LROPoller
from smalt.client.connection.name_rules import check_name
from smalt.client.connection.notices import print_notice
from smalt.client.jobs.default_names import make_job_name
from smalt.client.scope.config_file import get_current_folder
from smalt.entities.schema.problems import did_you_mean
from smalt.exceptions import (
    Conflict,
    JobException,
    LocatedProblem,
    NotFound,
    RefusedError,
    UserErrorException,
    ValidationException,
)
from smalt.machine.source_lines import find_caller, warn_caller
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.ids import build_url_path, parse_id

if TYPE_CHECKING:
    from smalt.client.jobs.validation import ValidationResult
    from smalt.entities.jobs.job import Job

_ARGUMENTS = (
    "description", "compute", "tags", "experiment_name", "skip_validation", "only", "from_", "of",
)  # fmt: skip
_PAGE = 500
_VIEWS = {"ActiveOnly": "active", "ArchivedOnly": "archived", "All": "all"}
"""As many jobs as the server gives at once."""
OVER = frozenset({"Completed", "Failed", "Canceled", "NotResponding"})


class JobOperations(Collection):
    kind = "job"
    segment = "jobs"

    def create_or_update(
        self,
        job: Job,
        *,
        description: str | None = None,
        compute: str | None = None,
        tags: dict[str, str] | None = None,
        experiment_name: str | None = None,
        skip_validation: bool = False,
        only: str | Sequence[str] = (),
        from_: str | Sequence[str] = (),
        of: str | None = None,
        **kwargs: Any,
    ) -> Job:
        """Submit the job, or update one that came from the server: its display name, description, tags and properties.

        smalt's own arguments: of a pipeline run `only` these steps, or the steps `from_` these on; the others' outputs
        are those of an earlier run, by default the newest that has them, else the job named by `of`.
        Raises ValidationException with every problem, and Refused where an update changes anything else.
        """
        _check_arguments(kwargs)
        given = {"description": description, "compute": compute, "tags": tags, "experiment_name": experiment_name}
        from smalt.client.jobs.validation import validate_entity
        from smalt.entities.steps.standalone_jobs import to_job

        job = copy.copy(to_job(job))  # the user's own stays as it is, so that it can be submitted again
        for name, value in given.items():
            if value is not None:
                setattr(job, name, value)
        if _is_submitted(job):
            return self._update_existing(job)
        if not skip_validation:
            validate_entity(job, raise_on_failure=True)
        if only or from_:
            from smalt.client.jobs.step_selection import select_steps

            job = select_steps(self._session, job, _to_list(only), _to_list(from_), of).job
        elif of is not None:
            raise UserErrorException("of= needs only= or from_=, the steps to run again", find_caller())
        from smalt.client.jobs.display import shorten_references

        created: Job = self._parse_entity(self._submit_checked(job))
        return shorten_references(created)

    def submit_job(self, job: Job) -> str:
        """Submit a new job and return its name; what the server has made of a large one is not read."""
        from smalt.client.jobs.validation import validate_entity
        from smalt.entities.steps.standalone_jobs import to_job

        job = copy.copy(to_job(job))
        validate_entity(job, raise_on_failure=True)
        return str(self._submit_checked(job)["name"])

    def _submit_checked(self, job: Job) -> Any:
        """Submit a copy of a job, which gets a name if it has none; return the server's answer."""
        from smalt.client.jobs.validation import locate_problems

        there = self._find_body(job.name) if job.name else None
        job.name = job.name or make_job_name()
        with locate_problems(job):
            answer = self._connection.put(self._build_path(job.name), self._build_body(job))
        if there is not None and self._session.show_progress:
            print_notice(_describe_resubmission(there["properties"], answer["properties"], job.name))
        error = answer["properties"].get("error") or {}
        if error.get("code") == "NotSupported":  # recorded, for clients that look only at the job's status
            raise RefusedError(error["message"])
        return answer

    def validate(self, job: Job, *, raise_on_failure: bool = False, **kwargs: Any) -> ValidationResult:
        """Return the problems that `create_or_update` would raise; nothing is submitted.

        Code and inline assets are sent to the server, which checks the job with everything that it names.
        """
        from smalt.client.jobs.validation import ValidationResult, locate_problems, validate_entity
        from smalt.entities.steps.standalone_jobs import to_job

        job = copy.copy(to_job(job))
        result = validate_entity(job, raise_on_failure)
        if not result.passed or _is_submitted(job):
            return result
        job.name = job.name or make_job_name()
        try:
            with locate_problems(job):
                answer = self._connection.post(f"/smalt/v1{self._build_path(job.name)}/validate", self._build_body(job))
        except (ValidationException, RefusedError, Conflict, NotFound) as error:
            if raise_on_failure:
                raise
            problems = getattr(error, "problems", None)
            return ValidationResult(problems or [LocatedProblem("", 0, 0, str(error))])
        return ValidationResult(warnings=answer["warnings"])

    def get(self, name: str) -> Job:
        from smalt.client.jobs.lookup import fetch_job

        return fetch_job(self._session, name)

    def list(
        self,
        *,
        parent_job_name: str | None = None,
        list_view_type: str = "ActiveOnly",
        max_results: int | None = None,
        **kwargs: Any,
    ) -> Iterator[Job]:
        """Return the workspace's jobs, newest first, or the children of one job.

        `status`, `experiment_name`, `tag` (a key, or KEY=VALUE) and `job_type` filter them; so do, as smalt's own,
        `where` (conditions on the last values of their metrics, such as "loss<0.3"), and `sort` orders them ("created",
        "name", "experiment", "type", "status", "owner", "started", "duration" or "metric.NAME"; with "-" before it in
        descending order).
        """
        from itertools import islice

        status, experiment, type = kwargs.get("status"), kwargs.get("experiment_name"), kwargs.get("job_type")
        if parent_job_name is not None:
            chosen = _filter_children(self._list_children(parent_job_name), status, type)
            return islice(chosen, max_results)
        view = str(getattr(list_view_type, "value", list_view_type))
        if kwargs.get("where") or kwargs.get("sort"):
            return islice(self._search_jobs(view, kwargs, min(max_results or _PAGE, _PAGE)), max_results)
        query = {"tag": kwargs.get("tag"), "status": status, "experimentName": experiment, "jobType": type}
        top = max(max_results, 1) if max_results is not None and max_results < _PAGE else None
        return islice(self._list_entities(self._build_path(), listViewType=view, __top=top, **query), max_results)

    def _search_jobs(self, view: str, chosen: Mapping[str, Any], limit: int) -> Iterator[Job]:
        """Yield the jobs that the server's table of jobs finds, in its order, in pages of `limit`."""
        where = chosen.get("where") or ()
        names = {"sort": "sort", "tag": "tag", "status": "status", "experiment_name": "experiment", "job_type": "type"}
        query = [("view", _VIEWS.get(view, view))]
        query += [("where", condition) for condition in ([where] if isinstance(where, str) else where)]
        query += [(name, str(chosen[key])) for key, name in names.items() if chosen.get(key) is not None]
        path, skip = f"/smalt/v1{self._workspace_id}/jobs?{urlencode(query)}", 0
        while True:
            page = self._connection.get(path, skip=skip, limit=limit)
            for row in page["jobs"]:
                try:
                    job = self.get(row["name"])
                except NotFound:  # deleted since
                    continue
                yield job
            skip += len(page["jobs"])
            if not page["jobs"] or skip >= page["total"]:
                return

    def lineage(self, name: str, *, depth: int = 8) -> dict[str, Any]:
        """Return the sources of the job's inputs (`made_by`) and the users of its outputs (`used_by`)."""
        check_name(self.kind, name)
        found: dict[str, Any] = self._connection.get(f"/smalt/v1{self._workspace_id}/lineage/jobs/{name}", depth=depth)
        return found

    def snapshot(self, name: str) -> dict[str, Any]:
        """Return the code of the job and of each of its steps: files with sizes, and the state of the git checkout."""
        found: dict[str, Any] = self._connection.get(f"/smalt/v1{self._build_path(name)}/snapshot")
        return found

    def restore_snapshot(self, name: str, folder: str | os.PathLike[str]) -> dict[str, Any]:
        """Write the job's code into a new or empty folder.

        Each different code of a pipeline into a folder of its step.
        """
        from smalt.client.transfers.downloads import restore_snapshots

        return restore_snapshots(self._session, self.snapshot(name), os.fspath(folder))

    def overview(self, name: str) -> Sequence[dict[str, Any]]:
        """Return the job and its descendants: state, times, error, end of the log, and what each waits for.

        smalt's own.
        """
        found: Sequence[dict[str, Any]] = self._connection.get(f"/smalt/v1{self._build_path(name)}/overview")["jobs"]
        return found

    def trials(self, name: str) -> dict[str, Any]:
        """Return `{"sweep": …, "trials": […]}`: a sweep's objective and best trial, and each trial with its point.

        smalt's own.
        """
        check_name(self.kind, name)
        found: dict[str, Any] = self._connection.get(f"/smalt/v1{self._build_path(name)}/trials")
        return found

    def explain_reuse(self, name: str, node: str | None = None) -> Sequence[dict[str, Any]]:
        """Return why each step of a job was reused or ran; `node` selects one step of a pipeline. smalt's own."""
        query = f"?{urlencode({'node': node})}" if node else ""
        path = build_url_path(f"/smalt/v1{self._build_path(name)}/reuse")
        found: Sequence[dict[str, Any]] = self._connection.get(f"{path}{query}")["steps"]
        return found

    def begin_cancel(self, name: str, **kwargs: Any) -> LROPoller[None]:
        """Request the cancellation of a job and its descendants; the poller waits for their end."""
        self._connection.post(f"{self._build_path(name)}/cancel")
        return LROPoller(lambda: self._get_status(name) in OVER, lambda: None)

    def begin_delete(self, name: str, **kwargs: Any) -> LROPoller[None]:
        self._connection.delete(self._build_path(name))
        return LROPoller(lambda: True, lambda: None)

    def archive(self, name: str) -> None:
        """Hide the job from lists."""
        self._patch_run(name, {"hidden": True})

    def restore(self, name: str) -> None:
        self._patch_run(name, {"hidden": False})

    def update(
        self,
        name: str,
        *,
        display_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        properties: dict[str, str] | None = None,
    ) -> Job:
        """Change the job's descriptive fields; tags and properties are added, and a tag that is None is removed."""
        given = {"displayName": display_name, "description": description, "tags": tags, "properties": properties}
        self._patch_run(name, {key: value for key, value in given.items() if value is not None})
        return self.get(name)

    def show_services(self, name: str, node_index: int = 0) -> dict[str, Any] | None:
        """Return the interactive services of the job; None if it has none."""
        return self.get(name).services or None

    def events(self, name: str, *, trial_logs: bool = True) -> Iterator[bytes]:
        """Yield the events of the job and its descendants from the beginning to the job's end, as lines of JSON.

        Without `trial_logs` the trials of sweeps have no logs but the end of each that fails.
        """
        query = "" if trial_logs else "?trial_logs=false"
        answer = self._connection.stream(f"/smalt/v1{self._build_path(name)}/stream{query}")
        try:
            yield from answer.read_lines()
        finally:
            answer.close()

    def stream(self, name: str, on_event: Callable[[dict[str, Any]], None] | None = None) -> None:
        """Follow the job until it ends; raises JobException unless it completes.

        `on_event` receives every event. Without it the logs and the progress of the job and its steps are printed.
        """
        from smalt.client.jobs.event_stream import follow_events
        from smalt.client.jobs.stream_printer import StreamPrinter

        show = on_event or StreamPrinter(shows_progress=self._session.show_progress)
        try:
            status, reason = follow_events(lambda: self.events(name, trial_logs=on_event is not None), show)
        except KeyboardInterrupt:
            print_notice(
                f"stopped following {name}, which continues to run; to follow it again: "
                f"ml_client.jobs.stream('{name}'); to cancel it: ml_client.jobs.begin_cancel('{name}')"
            )
            raise
        if status != "Completed":
            raise JobException(f"job {name} ended as {status}{f': {reason}' if reason else ''}")

    def download(
        self,
        name: str,
        *,
        download_path: str | os.PathLike[str] = ".",
        output_name: str | None = None,
        all: bool = False,
    ) -> int:
        """Download logs and files into `artifacts/`, outputs into `named-outputs/NAME/`; return the number of files.

        With `all` the files of each step come, too, into `steps/STEP/`. Of a sweep these are the files of its best
        trial, and its own logs are in `hd-artifacts/`.
        """
        from smalt.client.jobs.trials import leave_out_trials
        from smalt.client.transfers.downloads import download_job, download_steps

        job = self.get(name)
        if job.status not in OVER and job.status != "Paused":
            raise JobException(f"job {name} is {job.status}; download it after it has ended")
        folder = os.path.abspath(download_path)
        count = download_job(self._session, job, folder, output_name, all)
        if all and output_name is None:
            rows = leave_out_trials(self.overview(name))[1:]
            steps = ((str(row["label"]), self.get(row["name"])) for row in rows)
            count += download_steps(self._session, steps, folder)
        return count

    def _build_body(self, job: Job) -> dict[str, Any]:
        from smalt.client.jobs.text_inputs import convert_text_paths
        from smalt.client.transfers import git_checkout
        from smalt.client.transfers.local_assets import LocalAssets

        convert_text_paths(self._session, job)
        assets = LocalAssets(self._session)
        body = wire.to_rest(job, assets)
        properties = body["properties"]
        properties.setdefault("displayName", job.name)
        properties.setdefault(
            "experimentName", os.path.basename(get_current_folder() or "").replace(" ", "") or "Default"
        )
        folder = assets.first_code or (job.source_path and job.base_path)
        if folder:
            sources = [*assets.sources, *([job.source_path] if job.source_path else ())]
            facts = git_checkout.read_properties(folder, sources=sources)
            properties["properties"] = {**facts, **properties["properties"], **_find_command_file(job)}
        assets.send()
        return body

    def _find_body(self, name: str) -> dict[str, Any] | None:
        """Return the REST body of the job of that name; None if there is none."""
        try:
            found: dict[str, Any] = self._connection.get(self._build_path(name))
        except NotFound:
            return None
        return found

    def _update_existing(self, job: Job) -> Job:
        from smalt.client.jobs.updates import build_changes

        there = self.get(str(job.name))
        changes = build_changes(job, there)
        if not changes:
            return there
        self._patch_run(str(job.name), changes)
        return self.get(str(job.name))

    def _patch_run(self, name: str, changes: dict[str, Any]) -> None:
        job = self._connection.get(self._build_path(name))
        experiment = job["properties"].get("experimentName") or "Default"
        path = f"/history/v1.0{self._workspace_id}/experiments/{experiment}/runs/{name}"
        self._connection.patch(path, changes)

    def _get_status(self, name: str) -> str:
        return str(self._connection.get(self._build_path(name))["properties"].get("status"))

    def _list_children(self, name: str) -> Iterator[Job]:
        from smalt.client.jobs.display import build_child

        tree = self._connection.get(f"/smalt/v1{self._build_path(name)}/tree", children="true")
        return map(build_child, tree["jobs"])


def _check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse an argument that is nearly one of `create_or_update`; warn of any other, which has no effect."""
    for name in arguments:
        hint = did_you_mean(name, _ARGUMENTS)
        if hint:
            raise TypeError(f"create_or_update has no argument '{name}'{hint}")
        warn_caller(f"create_or_update has no argument '{name}', so it has no effect")


def _is_submitted(job: Job) -> bool:
    """Return True if the job came from the server and kept its name; an id in a file belongs to another run."""
    if job.id is None or job.source_path is not None:
        return False
    parsed = parse_id(job.id)
    return parsed is None or parsed.name == job.name


def _describe_resubmission(before: dict[str, Any], after: dict[str, Any], name: str) -> str:
    """Return the notice for a job that existed already, with the descriptive fields that changed."""
    words = {"displayName": "display name", "description": "description", "tags": "tags", "properties": "properties"}
    changed = [word for key, word in words.items() if (before.get(key) or None) != (after.get(key) or None)]
    if before.get("status") not in OVER:  # times come to the properties of a job as it goes
        changed = [word for word in changed if word != "properties"]
    updated = f", and its {' and '.join(changed)} changed" if changed else ""
    return f"job '{name}' exists already with the same definition{updated}; no new job was started"


def _filter_children(found: Iterator[Job], status: str | None, type: str | None) -> Iterator[Job]:
    from smalt.entities.syntax.job_states import parse_state

    wanted = None if status is None else parse_state(status)
    for job in found:
        if wanted in (None, job.status) and (
            type is None or fold_case(str(getattr(job, "type", ""))) == fold_case(str(type))
        ):
            yield job


def _to_list(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names


def _find_command_file(job: Job) -> dict[str, str]:
    """Return the property with the path of a file that a command names like a program, for messages."""
    code, words = getattr(job, "code", None), str(getattr(job, "command", "")).split()
    if not code or not words:
        return {}
    file = os.path.join(code, words[0]) if os.path.isdir(code) else str(code)
    if not os.path.isfile(file) or os.path.basename(file) != os.path.basename(words[0]):
        return {}
    return {"smalt.command-file": os.path.relpath(file)}
