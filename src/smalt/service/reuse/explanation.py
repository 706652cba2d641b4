"""Explanations of reuse: a step's key, part by part, beside that of the nearest earlier step."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from smalt.exceptions import SmaltError
from smalt.service.data.snapshots.manifest import ManifestEntry
from smalt.service.records import job_attempts, jobs
from smalt.service.records import reuse as records
from smalt.service.records.jobs import Job
from smalt.service.records.reuse import ReuseStep
from smalt.service.reuse import composite_contents, key_differences
from smalt.service.reuse.contents import PathContent
from smalt.service.reuse.key_differences import Change
from smalt.service.reuse.keys import Parts, add_contents, list_part_hashes, make_key
from smalt.service.reuse.reuse import Reuse
from smalt.service.reuse.started_inputs import explain_unfit_input

Json = dict[str, Any]

_NOT_KNOWN = "unknown"
_ONLY_COMPLETED = "only completed steps are reused"


async def explain_step(reuse: Reuse, job: Job) -> Json:
    """Return the explanation of a step that has started: {"job", "status", "result", "reason", "of",
    "compared_to", "parts"}.

    `result` is "reused", "ran" or "none" (it did not start). A part is {"part", "same", "before", "now",
    "changes"}.
    """
    step = records.get_step(reuse.db, job.id)
    if step is None:
        has_run = bool(job_attempts.list_attempts(reuse.db, job.id))
        return _make_answer(job, "ran" if has_run else "none", _explain_missing_key(job, has_run))
    if step.of_name is not None:
        parts = _read_settled_parts(step)
        same = [_make_part(name, content, content) for name, content in parts.items()]
        return _make_answer(job, "reused", f"it reuses the outputs of job {step.of_name}", step.of_name, None, same)
    await reuse.settlement.settle_completed(lambda: True)
    return await _explain_run(reuse, job, step)


async def _explain_run(reuse: Reuse, job: Job, step: ReuseStep) -> Json:
    """Return why the step ran, with its parts beside those of the nearest earlier step."""
    now = await _read_parts(reuse, job, step)
    other = _find_nearest(reuse, job, now)
    began = job.started_at or job.created_at
    ruled_out = records.find_unfit(reuse.db, job, step.partial, began)
    orphaned = records.find_orphaned(reuse.db, job, make_key(now), began)
    if orphaned is not None and not (other is not None and other.key == make_key(now)):
        reason = _remove_mark(step.reason) or (
            f"job {orphaned[0]} is identical, but was itself reused, and the job that ran, {orphaned[1]}, was deleted"
        )
        parts = [_make_part(name, content, content) for name, content in now.items()]
        return _make_answer(job, "ran", reason, parts=parts)
    failed = records.find_failed(reuse.db, job, step.partial, began)
    if other is None:
        namesake = records.find_failed_namesake(reuse.db, job, began)
        reason = _remove_mark(step.reason) or _explain_new(ruled_out, failed, namesake)
        parts = [_make_part(name, None, content) for name, content in now.items()]
        return _make_answer(job, "ran", reason, parts=parts)
    twin = jobs.get_job(reuse.db, other.job_id)
    before = _read_settled_parts(other)
    beside: list[Json] = await asyncio.to_thread(_compare_parts, _ComparisonData(reuse, before, now), before, now)
    reason = _remove_mark(step.reason) or _explain_differences(beside, twin)
    if step.reason is None and ruled_out and (other.partial != step.partial or all(part["same"] for part in beside)):
        reason = _explain_unfit(*ruled_out)  # that one was nearer, as far as anyone knows
    elif step.reason is None and failed and other.partial != step.partial:
        reason = _explain_failed(*failed)
    return _make_answer(job, "ran", reason, None, twin, beside, jobs.get_name(reuse.db, twin.root_id))


async def _read_parts(reuse: Reuse, job: Job, step: ReuseStep) -> Parts:
    """Return the parts with the contents of inputs, as far as they are known."""
    step = records.get_step(reuse.db, job.id) or step
    if step.key is not None:
        return _read_settled_parts(step)
    contents = {
        name: content.id
        if isinstance(content, PathContent) and explain_unfit_input(step, job, name, content) is None
        else _NOT_KNOWN
        for name, content in (await reuse.inputs.load_inputs(step, job)).items()
    }
    there = step.contents.get("found", {})
    return add_contents(
        step.parts, {name: id for name, id in contents.items() if f"inputs.{name}" in step.parts}, there
    )


def _read_settled_parts(step: ReuseStep) -> Parts:
    """Return the parts, with contents, of a step that was settled."""
    return add_contents(step.parts, step.contents.get("inputs", {}), step.contents.get("found", {}))


def _find_nearest(reuse: Reuse, job: Job, now: Parts) -> ReuseStep | None:
    began = job.started_at or job.created_at
    found = records.find_concurrent(reuse.db, job, make_key(now), began)
    if found is None:
        parts = list(list_part_hashes(now))
        found = records.find_nearest(reuse.db, job, parts, began)
        if found is not None and records.count_shared(reuse.db, found, parts) < len(parts):
            found = records.find_same_step(reuse.db, job, parts, began) or found
    return records.get_step(reuse.db, found) if found is not None else None


class _ComparisonData:
    """The data needed to compare two keys, read from the records beforehand: the comparison runs beside the event
    loop.
    """

    def __init__(self, reuse: Reuse, before: Parts, now: Parts) -> None:
        self.snapshots = reuse.data.snapshots
        self.packages = {
            id: records.get_packages(reuse.db, id) for id in (str(before["environment"]), str(now["environment"]))
        }
        self.manifests: dict[str, list[ManifestEntry]] = {}
        for side in (before, now):
            for content in side.values():
                id = content.get("content") if isinstance(content, dict) else None
                if id and (text := records.get_manifest(reuse.db, id)):
                    self.manifests[id] = list(
                        composite_contents.list_entries(text, lambda id: records.get_manifest(reuse.db, id))
                    )

    def read_file(self, entry: ManifestEntry) -> bytes | None:
        try:
            return Path(self.snapshots.objects.get_path(entry.content)).read_bytes()
        except OSError:
            return None


def _compare_parts(material: _ComparisonData, before: Parts, now: Parts) -> list[Json]:
    parts = []
    for name in [*now, *(name for name in before if name not in now)]:
        part = _make_part(name, before.get(name), now.get(name))
        if not part["same"]:
            part["changes"] = _list_changes(material, name, before.get(name), now.get(name))
        parts.append(part)
    return parts


def _make_part(name: str, before: Any, now: Any) -> Json:
    return {"part": name, "same": before == now, "before": before, "now": now, "changes": []}


def _list_changes(material: _ComparisonData, name: str, before: Any, now: Any) -> list[Change]:
    if before is None or now is None:
        return []
    if name == "code":
        return _compare_code(material, before, now)
    if name == "environment":
        were, are = material.packages.get(before), material.packages.get(now)
        return key_differences.compare_packages(were, are) if were is not None and are is not None else []
    if name == "command":
        return key_differences.compare_lines("line", before, now) if "\n" in f"{before}{now}".strip() else []
    if not isinstance(before, dict) or not isinstance(now, dict):
        return []
    contents = [side.get("content", "") for side in (before, now)]
    known = [material.manifests.get(content) for content in contents]
    if contents[0] == contents[1] or known[0] is None or known[1] is None:
        return key_differences.compare_mappings(before, now)
    others = ({key: value for key, value in side.items() if key != "content"} for side in (before, now))
    return [
        *key_differences.compare_mappings(*others),
        *key_differences.compare_files(known[0], known[1], material.read_file),
    ]


def _compare_code(material: _ComparisonData, before: str, now: str) -> list[Change]:
    try:
        return key_differences.compare_files(
            material.snapshots.read_entries(before), material.snapshots.read_entries(now), material.read_file
        )
    except SmaltError:  # the earlier code was pruned
        return []


def _explain_differences(parts: list[Json], twin: Job) -> str:
    different = [part["part"] for part in parts if not part["same"]]
    if not different:
        return f"job {twin.name} has identical code, inputs and environment, but had not ended when this was decided"
    words = ", ".join(different[:-1]) + (" and " if len(different) > 1 else "") + different[-1]
    return f"{words} {'differs' if len(different) == 1 else 'differ'} from job {twin.name}, the nearest earlier one"


def _remove_mark(reason: str | None) -> str | None:
    """Return the sentence without the mark of a step that serves nobody."""
    return reason.removeprefix("never: ") if reason else None


def _explain_new(
    ruled_out: tuple[str, str] | None, failed: tuple[str, str] | None, namesake: tuple[str, str] | None
) -> str:
    """Return the sentence for a step that no completed one is similar to."""
    if failed is not None and (ruled_out is None or ruled_out[0] == failed[0]):
        return _explain_failed(*failed)
    if ruled_out is not None:
        return _explain_unfit(*ruled_out)
    if namesake is not None:
        return f"a step of this name {_describe_end(namesake[1])} as job {namesake[0]}; {_ONLY_COMPLETED}"
    return "this step has not run before: no earlier pipeline step is similar"


def _explain_failed(name: str, status: str) -> str:
    """Return the sentence for a failed step that is the same but perhaps for the contents of its inputs."""
    return f"job {name}, which may have been identical, {_describe_end(status)}; {_ONLY_COMPLETED}"


def _describe_end(status: str) -> str:
    return "failed" if status == "Failed" else "was canceled"


def _explain_unfit(name: str, why: str) -> str:
    return f"job {name}, which may have been identical, cannot be reused: {_remove_mark(why)}"


def _explain_missing_key(job: Job, has_run: bool) -> str:
    """Return the sentence that says why a job has no key."""
    if job.parent_id is None:
        return "it is a stand-alone job, and those always run; only steps of pipelines are reused"
    if has_run:
        return "it ran before smalt recorded reuse keys"
    if job.is_over:
        return f"it never started: {job.ended_by['message']}" if job.ended_by else "it never started"
    return "it has not started yet"


def _make_answer(
    job: Job,
    result: str,
    reason: str,
    of: str | None = None,
    twin: Job | None = None,
    parts: list[Json] | None = None,
    pipeline: str | None = None,
) -> Json:
    compared = {"job": twin.name, "pipeline": pipeline, "end": twin.ended_at} if twin is not None else None
    return {
        "job": job.name, "status": job.status, "result": result, "reason": reason, "of": of, "compared_to": compared,
        "parts": parts or [],
    }  # fmt: skip
