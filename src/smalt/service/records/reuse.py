"""Reuse records of pipeline steps: what each was made of, what it read and wrote, and whose outputs it reuses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

_COLUMNS = "job_id, root_id, partial, parts, key, contents, unfit, reason, of_id, of_name"
_UNSETTLED = (
    "reuse_steps s JOIN jobs j ON j.id=s.job_id"
    " WHERE s.key IS NULL AND s.unfit IS NULL AND s.of_id IS NULL AND j.status='Completed'"
)

_DID_NOT_COMPLETE = "s.of_id IS NULL AND j.status IN ('Failed', 'Canceled') AND j.ended_at<=?"
_READ = "it read"


@dataclass(slots=True)
class ReuseStep:
    """A step that was started, or that reuses the outputs of an earlier one."""

    job_id: int
    root_id: int
    partial: str
    parts: dict[str, Any]
    """The parts of its key, without the contents of its inputs."""
    key: str | None
    """The key; None until its contents were examined."""
    contents: dict[str, Any]
    """The contents: {"inputs": {name: content id}, "outputs": …, "artifacts": content id, "logs": [name and size]}.

    "found" is {name: content id} of what the step found at the given paths of outputs, without the empty ones. Until
    the key is known, these are the facts recorded at the start: of "inputs" the fetched ones; "copied", {name: time at
    which its copy began}; "named", {table: {text of a reference: [path, pattern, content id if it was fetched]}};
    "names", {name: the file's name, if its real path has another}; "inodes", {name: [path, inode]}; "host", the time at
    which the host's environment was examined, if that is the step's."""
    unfit: str | None
    """The reason why no later step can reuse its outputs."""
    reason: str | None
    """The reason why it ran though it might have been reused."""
    of_id: int | None
    of_name: str | None


class KnownContent(NamedTuple):
    """The content of a path when it was last read."""

    stamp: str
    content: str
    files: int
    bytes: int


def add_started(
    db: Database,
    job: Job,
    partial: str,
    parts: str,
    *,
    noted: Mapping[str, Any],
    unfit: str | None = None,
    reason: str | None = None,
) -> None:
    """Record a step that is about to start. `parts` is JSON, `noted` what its inputs are checked against later.

    What makes its outputs unfit stays so for a later attempt, which may find what an earlier one left.
    """
    contents = json.dumps(noted) if noted else None
    db.execute(
        "INSERT OR REPLACE INTO reuse_steps"
        " (job_id, workspace_id, root_id, partial, parts, contents, unfit, reason, created_by)"
        " VALUES (?,?,?,?,?,?,coalesce(?, (SELECT unfit FROM reuse_steps WHERE job_id=?)),?,?)",
        (job.id, job.workspace_id, job.root_id, partial, parts, contents, unfit, job.id, reason, job.created_by),
    )


def add_reused(
    db: Database, job: Job, partial: str, parts: str, key: str, contents: Mapping[str, Any], of: Job
) -> None:
    """Record a step that reuses the outputs of `of`."""
    db.execute(
        "INSERT OR REPLACE INTO reuse_steps"
        " (job_id, workspace_id, root_id, partial, parts, key, contents, of_id, of_name, created_by)"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            job.id, job.workspace_id, job.root_id, partial, parts, key, json.dumps(contents), of.id, of.name,
            job.created_by,
        ),
    )  # fmt: skip


def get_step(db: Database, job_id: int) -> ReuseStep | None:
    row = db.row(f"SELECT {_COLUMNS} FROM reuse_steps WHERE job_id=?", (job_id,))
    return _parse_step(row) if row else None


def has_candidate(db: Database, job: Job, partial: str) -> bool:
    """True if a completed step of another pipeline is identical, as far as known before the inputs are there."""
    return any(
        db.row(
            "SELECT 1 FROM reuse_steps s JOIN jobs j ON j.id=s.job_id WHERE s.workspace_id=? AND s.partial=?"
            f" AND s.root_id{side}? AND s.of_id IS NULL AND s.unfit IS NULL AND j.status='Completed' LIMIT 1",
            (job.workspace_id, partial, job.root_id),
        )
        for side in "<>"
    )


def list_with_key(db: Database, job: Job, key: str, limit: int) -> list[ReuseStep]:
    """Return the completed steps of other pipelines with the same key, newest first."""
    rows = db.rows(
        f"SELECT {_qualify_columns('s')} FROM reuse_steps s JOIN jobs j ON j.id=s.job_id"
        " WHERE s.workspace_id=? AND s.key=? AND s.of_id IS NULL AND s.root_id<>? AND s.unfit IS NULL"
        " AND j.status='Completed' ORDER BY s.job_id DESC LIMIT ?",
        (job.workspace_id, key, job.root_id, limit),
    )
    return [_parse_step(row) for row in rows]


def list_unexamined(db: Database, job: Job, partial: str, after: int, limit: int) -> list[int]:
    """Return the ids of completed steps of other pipelines that may be identical and whose contents were not
    examined yet.

    Steps of the same name come first, then the newest; only of roots `after` one, and of the newest so many: a
    step that ran thousands of times is not searched for among all of them.
    """
    rows = [
        row
        for side in "<>"
        for row in db.rows(
            "SELECT j.node=?, s.job_id FROM (SELECT job_id, key, unfit FROM reuse_steps WHERE workspace_id=?"
            f" AND partial=? AND of_id IS NULL AND root_id{side}? AND root_id>? ORDER BY root_id DESC LIMIT ?) s"
            " JOIN jobs j ON j.id=s.job_id WHERE s.key IS NULL AND s.unfit IS NULL AND j.status='Completed'",
            (job.node, job.workspace_id, partial, job.root_id, after, limit),
        )
    ]
    return [id for _, id in sorted(rows, reverse=True)]


def list_inputs_read(db: Database, job_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Return {job id: {input: content id}} of the steps whose contents were examined."""
    rows = db.rows(
        "SELECT job_id, json_extract(contents, '$.inputs') FROM reuse_steps"
        " WHERE key IS NOT NULL AND job_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(job_ids)),),
    )
    return {id: json.loads(contents or "{}") for id, contents in rows}


def list_unsettled(db: Database, after: int, limit: int) -> list[int]:
    """Return the ids of the completed steps whose contents were not examined yet."""
    rows = db.rows(
        f"SELECT s.job_id FROM {_UNSETTLED} AND s.job_id>? ORDER BY s.job_id LIMIT ?",
        (after, limit),
    )
    return [id for (id,) in rows]


def find_unsettled(db: Database, ids: Sequence[int]) -> list[int]:
    """Return the ids, among these, of completed steps whose contents were not examined yet."""
    marks = ",".join("?" * len(ids))
    rows = db.rows(
        f"SELECT s.job_id FROM {_UNSETTLED} AND s.job_id IN ({marks}) ORDER BY s.job_id",
        tuple(ids),
    )
    return [id for (id,) in rows]


def settle_step(
    db: Database, job: Job, key: str, contents: Mapping[str, Any], hashes: Iterable[tuple[str, str]]
) -> None:
    """Record what a completed step read and wrote; `hashes` are those of its parts."""
    with db.transaction():
        db.execute("UPDATE reuse_steps SET key=?, contents=? WHERE job_id=?", (key, json.dumps(contents), job.id))
        db.execute_many(
            "INSERT OR REPLACE INTO reuse_keys (workspace_id, job_id, part, hash, created_by) VALUES (?,?,?,?,?)",
            [(job.workspace_id, job.id, part, hash, job.created_by) for part, hash in hashes],
        )


def mark_unfit(db: Database, job_id: int, why: str) -> None:
    """Record that no later step can reuse its outputs, and why."""
    db.execute("UPDATE reuse_steps SET unfit=? WHERE job_id=?", (why, job_id))


def may_serve_others(db: Database, job_id: int) -> bool:
    """True if the job is a step whose outputs later steps can reuse, as far as is known."""
    return db.row("SELECT 1 FROM reuse_steps WHERE job_id=? AND unfit IS NULL", (job_id,)) is not None


def mark_reader(db: Database, job_id: int, what: str) -> None:
    """Record that a step read what is not among its inputs, so that no later step reuses its outputs."""
    if may_serve_others(db, job_id):
        with db.transaction():
            mark_unfit(db, job_id, f"{_READ} {what} while it ran, which is none of its inputs")


def is_reader(db: Database, workspace_id: int, name: str) -> bool:
    """True if the job of that name read what is not among its inputs, or was deleted, so that nobody knows."""
    unfit = db.row(
        "SELECT s.unfit FROM jobs j LEFT JOIN reuse_steps s ON s.job_id=j.id WHERE j.workspace_id=? AND j.name=?",
        (workspace_id, name),
    )
    return unfit is None or str(unfit[0] or "").startswith(_READ)


def find_unfit(db: Database, job: Job, partial: str, before: float) -> tuple[str, str] | None:
    """Return the name of the newest possibly identical step that cannot be reused, and why not."""
    return _find_newest(
        db, job, "s.unfit", "s.partial=? AND s.of_id IS NULL AND s.unfit IS NOT NULL AND j.ended_at<=?", partial, before
    )


def find_failed(db: Database, job: Job, partial: str, before: float) -> tuple[str, str] | None:
    """Return the name and the state of the newest possibly identical step that did not complete."""
    return _find_newest(db, job, "j.status", f"s.partial=? AND {_DID_NOT_COMPLETE}", partial, before)


def find_failed_namesake(db: Database, job: Job, before: float) -> tuple[str, str] | None:
    """Return the name and the state of the newest step of that name in an earlier run of the pipeline that did not
    complete; None for a step of a nested pipeline.

    An earlier run is what it is for `find_same_step`. Only the newest pipelines of the experiment are read, so that the
    time does not grow with all that ever ran.
    """
    if job.parent_id is None or job.parent_id != job.root_id:
        return None
    rows = db.rows(
        "SELECT j.name, j.status, j.parent_id FROM (SELECT id FROM jobs WHERE workspace_id=? AND experiment=?"
        " AND parent_id IS NULL AND id<? ORDER BY id DESC LIMIT 50) r CROSS JOIN jobs j ON j.parent_id=r.id"
        f" AND j.node=? JOIN reuse_steps s ON s.job_id=j.id WHERE {_DID_NOT_COMPLETE} ORDER BY j.id DESC",
        (job.workspace_id, job.experiment, job.root_id, job.node, before),
    )
    own = _list_step_names(db, job.parent_id)
    for name, status, parent_id in rows:
        theirs = _list_step_names(db, parent_id)
        if own <= theirs or theirs <= own:
            return name, status
    return None


def find_nearest(db: Database, job: Job, hashes: Sequence[tuple[str, str]], before: float) -> int | None:
    """Return the step of another pipeline, over at that time, that shares most of these parts; of equals the
    newest.

    A step of the same name counts as if it shared one more part; one of another name must share the command: the
    code is often that of all steps of a pipeline.
    """
    if not hashes:
        return None
    has_part, parts = _match_parts(hashes, "k.part, k.hash")
    row = db.row(
        f"SELECT k.job_id FROM reuse_keys k JOIN jobs j ON j.id=k.job_id"
        f" WHERE k.workspace_id=? AND {has_part} AND j.root_id<>? AND j.ended_at<=?"
        " GROUP BY k.job_id HAVING max(k.part='command') OR j.node=?"
        " ORDER BY count(*) + (j.node=?) DESC, k.job_id DESC LIMIT 1",
        (job.workspace_id, *parts, job.root_id, before, job.node, job.node),
    )
    return int(row[0]) if row else None


def find_same_step(db: Database, job: Job, hashes: Sequence[tuple[str, str]], before: float) -> int | None:
    """Return the step of that name in an earlier run of the pipeline that shares most of these parts; of equals
    the newest.

    Another pipeline is taken for an earlier run if it is of the same experiment and the names of one's steps
    are all among the other's.
    """
    if not hashes or job.parent_id is None:
        return None
    has_part, parts = _match_parts(hashes, "k.part, k.hash")
    rows = db.rows(
        "SELECT k.job_id, j.parent_id FROM reuse_keys k JOIN jobs j ON j.id=k.job_id"
        f" WHERE k.workspace_id=? AND {has_part}"
        " AND j.node=? AND j.experiment=? AND j.root_id<>? AND j.ended_at<=?"
        " GROUP BY k.job_id ORDER BY count(*) DESC, k.job_id DESC LIMIT 50",
        (job.workspace_id, *parts, job.node, job.experiment, job.root_id, before),
    )
    own = _list_step_names(db, job.parent_id)
    for id, parent_id in rows:
        theirs = _list_step_names(db, parent_id)
        if own <= theirs or theirs <= own:
            return int(id)
    return None


def count_shared(db: Database, job_id: int, hashes: Sequence[tuple[str, str]]) -> int:
    """Return how many of these parts a step has."""
    has_part, parts = _match_parts(hashes, "part, hash")
    return int(db.value(f"SELECT count(*) FROM reuse_keys WHERE job_id=? AND {has_part}", (job_id, *parts)))


def _match_parts(hashes: Sequence[tuple[str, str]], columns: str) -> tuple[str, tuple[str, ...]]:
    """Return the SQL condition that a key is one of these parts, and its values."""
    marks = ",".join(["(?,?)"] * len(hashes))
    return f"({columns}) IN (VALUES {marks})", tuple(text for pair in hashes for text in pair)


def _list_step_names(db: Database, pipeline_id: int) -> set[str]:
    return {node for (node,) in db.rows("SELECT node FROM jobs WHERE parent_id=?", (pipeline_id,))}


def find_concurrent(db: Database, job: Job, key: str, when: float) -> int | None:
    """Return the earlier step of another pipeline with the same key that was not over at that time."""
    id = db.value(
        "SELECT s.job_id FROM reuse_steps s JOIN jobs j ON j.id=s.job_id WHERE s.workspace_id=? AND s.key=?"
        " AND s.of_id IS NULL AND s.root_id<>? AND s.job_id<? AND j.ended_at>? ORDER BY s.job_id DESC LIMIT 1",
        (job.workspace_id, key, job.root_id, job.id, when),
    )
    return None if id is None else int(id)


def find_orphaned(db: Database, job: Job, key: str, before: float) -> tuple[str, str] | None:
    """Return an earlier reused step with the same key whose original was deleted, and that original; slow."""
    is_orphaned = "s.of_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.id=s.of_id)"
    return _find_newest(db, job, "s.of_name", f"s.key=? AND {is_orphaned} AND j.ended_at<=?", key, before)


def _find_newest(db: Database, job: Job, column: str, condition: str, *values: object) -> tuple[str, str] | None:
    """Return (job name, column) of the newest step of another pipeline in the workspace that meets the condition."""
    row = db.row(
        f"SELECT j.name, {column} FROM reuse_steps s JOIN jobs j ON j.id=s.job_id WHERE s.workspace_id=?"
        f" AND s.root_id<>? AND {condition} ORDER BY s.job_id DESC LIMIT 1",
        (job.workspace_id, job.root_id, *values),
    )
    return (row[0], row[1]) if row else None


def find_origin(db: Database, job_id: int) -> str | None:
    """Return the name of the job whose outputs this one reuses."""
    row = db.row("SELECT of_name FROM reuse_steps WHERE job_id=?", (job_id,))
    return row[0] if row else None


def find_origins_of(db: Database, ids: Sequence[int]) -> dict[int, str]:
    """Return {job id: name of the job whose outputs it reuses} of those among these jobs that reuse some."""
    rows = db.rows(
        "SELECT job_id, of_name FROM reuse_steps WHERE of_name IS NOT NULL"
        " AND job_id IN (SELECT value FROM json_each(?))",
        (json.dumps(ids),),
    )
    return dict(rows)


def find_reused(db: Database, ids: Iterable[int]) -> set[int]:
    """Return the ids, among these, of jobs that reuse the outputs of an earlier one."""
    rows = db.rows(
        "SELECT job_id FROM reuse_steps WHERE of_id IS NOT NULL AND job_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {id for (id,) in rows}


def list_origins(db: Database, root_id: int) -> dict[int, str]:
    """Return {job id: name of the job whose outputs it reuses} of all jobs below a root."""
    rows = db.rows(
        "SELECT s.job_id, s.of_name FROM jobs j JOIN reuse_steps s ON s.job_id=j.id"
        " WHERE j.root_id=? AND s.of_name IS NOT NULL",
        (root_id,),
    )
    return dict(rows)


def find_origins(db: Database, workspace_id: int, names: Sequence[str]) -> dict[str, str]:
    """Return {job name: name of the job whose outputs it reuses} of jobs by name."""
    found: dict[str, str] = {}
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        rows = db.rows(
            "SELECT j.name, s.of_name FROM jobs j JOIN reuse_steps s ON s.job_id=j.id"
            f" WHERE j.workspace_id=? AND s.of_name IS NOT NULL AND j.name IN ({','.join('?' * len(some))})",
            (workspace_id, *some),
        )
        found.update(rows)
    return found


def find_shared(db: Database, ids: Iterable[int]) -> set[int]:
    """Return the ids, among these, of jobs whose outputs are reused by others that are not among them."""
    own = set(ids)
    found = set()
    for id in own:
        rows = db.rows("SELECT job_id FROM reuse_steps WHERE of_id=?", (id,))
        if any(user not in own for (user,) in rows):
            found.add(id)
    return found


def find_last_holders(db: Database, ids: Iterable[int]) -> list[int]:
    """Return the ids, among these, of jobs that reuse outputs of a deleted job which no other job reuses."""
    own = set(ids)
    found = []
    for id in own:
        of_id = db.value("SELECT of_id FROM reuse_steps WHERE job_id=? AND of_id IS NOT NULL", (id,))
        if of_id is not None and not db.value("SELECT 1 FROM jobs WHERE id=?", (of_id,)):
            users = db.rows("SELECT job_id FROM reuse_steps WHERE of_id=?", (of_id,))
            if all(user in own for (user,) in users):
                found.append(id)
    return found


def put_places(db: Database, job: Job, places: Mapping[str, str]) -> None:
    """Record where the outputs of a reused job are: its planned URI → the URI of the earlier job's output."""
    db.execute_many(
        "INSERT OR REPLACE INTO reuse_places (root_id, planned, place, workspace_id, job_id, created_by)"
        " VALUES (?,?,?,?,?,?)",
        [(job.root_id, planned, place, job.workspace_id, job.id, job.created_by) for planned, place in places.items()],
    )


def list_places(db: Database, root_id: int) -> dict[str, str]:
    """Return {planned URI: URI of the reused output} of one pipeline."""
    return dict(db.rows("SELECT planned, place FROM reuse_places WHERE root_id=?", (root_id,)))


def move_output(db: Database, job_id: int, planned: str, place: str) -> None:
    """Record that the job's own output of the planned URI is elsewhere."""
    db.execute("UPDATE job_data SET uri=? WHERE job_id=? AND direction='output' AND uri=?", (place, job_id, planned))


def get_content(db: Database, path: str) -> KnownContent | None:
    row = db.row("SELECT stamp, content, files, bytes FROM seen_contents WHERE path=?", (path,))
    return KnownContent(*row) if row else None


def put_content(db: Database, path: str, seen: KnownContent) -> None:
    db.execute(
        "INSERT OR REPLACE INTO seen_contents (path, stamp, content, files, bytes) VALUES (?,?,?,?,?)", (path, *seen)
    )


def get_manifest(db: Database, content: str) -> bytes | None:
    """Return the manifest of a content, if it was kept."""
    row = db.row("SELECT manifest FROM seen_manifests WHERE content=?", (content,))
    return row[0] if row else None


def put_manifest(db: Database, content: str, manifest: bytes) -> None:
    db.execute("INSERT OR IGNORE INTO seen_manifests (content, manifest) VALUES (?,?)", (content, manifest))


def get_packages(db: Database, realised_hash: str) -> list[str] | None:
    """Return the packages installed in an environment that a step used."""
    found = db.value("SELECT packages FROM seen_environments WHERE realised_hash=?", (realised_hash,))
    return None if found is None else list(json.loads(found))


def put_packages(db: Database, realised_hash: str, packages: Sequence[str]) -> None:
    db.execute(
        "INSERT OR IGNORE INTO seen_environments (realised_hash, packages) VALUES (?,?)",
        (realised_hash, json.dumps(list(packages))),
    )


def _qualify_columns(table: str) -> str:
    return ", ".join(f"{table}.{column}" for column in _COLUMNS.split(", "))


def _parse_step(row: tuple[Any, ...]) -> ReuseStep:
    job_id, root_id, partial, parts, key, contents, *rest = row
    return ReuseStep(job_id, root_id, partial, json.loads(parts), key, json.loads(contents or "{}"), *rest)
