"""What reuse knows of pipeline steps: what each was made of, what it read and wrote, and whose outputs it has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

_COLUMNS = "job_id, root_id, partial, parts, key, contents, unfit, reason, of_id, of_name"


@dataclass(slots=True)
class Step:
    """One row: a step that was started, or that has the outputs of an earlier one."""

    job_id: int
    root_id: int
    partial: str
    parts: dict[str, Any]
    """What it was made of, by part, but for the contents of its inputs."""
    key: str | None
    """None until its contents were looked at."""
    contents: dict[str, Any]
    """{"inputs": {name: content id}, "outputs": …, "artifacts": content id, "logs": [name and size]}; "found", what the
    step found at the given paths of outputs, {name: content id}, of those that were not empty.

    Until the key is known, what was noted at the start: of "inputs" those that were fetched; "copied", {name: when its
    copy was begun}; "named", {table: {text that names something: [path, pattern, content id if it was fetched]}};
    "names", {name: the file's name, if its real path has another}; "inodes", {name: [path, inode]}; "host", when the
    host's environment was seen, if that is the step's."""
    unfit: str | None
    """Why no later step can have its outputs."""
    reason: str | None
    """Why it ran though it might have been reused."""
    of_id: int | None
    of_name: str | None


class Seen(NamedTuple):
    """What was at a path when it was last read."""

    stamp: str
    content: str
    files: int
    bytes: int


def add(
    db: Database,
    job: Job,
    partial: str,
    parts: str,
    *,
    noted: Mapping[str, Any],
    unfit: str | None = None,
    reason: str | None = None,
) -> None:
    """A step is about to start. `parts` is JSON, `noted` what is to be known of its inputs later."""
    contents = json.dumps(noted) if noted else None
    db.execute(
        "INSERT OR REPLACE INTO reuse_steps"
        " (job_id, workspace_id, root_id, partial, parts, contents, unfit, reason, created_by)"
        " VALUES (?,?,?,?,?,?,?,?,?)",
        (job.id, job.workspace_id, job.root_id, partial, parts, contents, unfit, reason, job.created_by),
    )


def add_reused(
    db: Database, job: Job, partial: str, parts: str, key: str, contents: Mapping[str, Any], of: Job
) -> None:
    """A step has the outputs of `of`."""
    db.execute(
        "INSERT OR REPLACE INTO reuse_steps"
        " (job_id, workspace_id, root_id, partial, parts, key, contents, of_id, of_name, created_by)"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (
            job.id, job.workspace_id, job.root_id, partial, parts, key, json.dumps(contents), of.id, of.name,
            job.created_by,
        ),
    )  # fmt: skip


def step(db: Database, job_id: int) -> Step | None:
    row = db.row(f"SELECT {_COLUMNS} FROM reuse_steps WHERE job_id=?", (job_id,))
    return _step(row) if row else None


def may_serve(db: Database, job: Job, partial: str) -> bool:
    """Whether a completed step of another pipeline is the same, as far as that is known before inputs are there."""
    return any(
        db.row(
            "SELECT 1 FROM reuse_steps s JOIN jobs j ON j.id=s.job_id WHERE s.workspace_id=? AND s.partial=?"
            f" AND s.root_id{side}? AND s.of_id IS NULL AND s.unfit IS NULL AND j.status='Completed' LIMIT 1",
            (job.workspace_id, partial, job.root_id),
        )
        for side in "<>"
    )


def with_key(db: Database, job: Job, key: str, limit: int) -> list[Step]:
    """The completed steps of other pipelines with the same key, newest first."""
    rows = db.rows(
        f"SELECT {_of('s')} FROM reuse_steps s JOIN jobs j ON j.id=s.job_id WHERE s.workspace_id=? AND s.key=?"
        " AND s.of_id IS NULL AND s.root_id<>? AND s.unfit IS NULL AND j.status='Completed'"
        " ORDER BY s.job_id DESC LIMIT ?",
        (job.workspace_id, key, job.root_id, limit),
    )
    return [_step(row) for row in rows]


def not_looked_at(db: Database, job: Job, partial: str, after: int, limit: int) -> list[int]:
    """The completed steps of other pipelines that may be the same, and whose contents nobody has looked at, by job.

    Those of the same name first, then the newest; only of roots `after` one, and of the newest so many: a step that ran
    thousands of times is not looked for among all of them.
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


def inputs_read(db: Database, job_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Return by job the content of each input that was data, of the steps that were looked at."""
    rows = db.rows(
        "SELECT job_id, json_extract(contents, '$.inputs') FROM reuse_steps"
        " WHERE key IS NOT NULL AND job_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(job_ids)),),
    )
    return {id: json.loads(contents or "{}") for id, contents in rows}


def unsettled(db: Database, after: int, limit: int) -> list[int]:
    """The completed steps whose contents nobody has looked at, by job."""
    rows = db.rows(
        "SELECT s.job_id FROM reuse_steps s JOIN jobs j ON j.id=s.job_id"
        " WHERE s.key IS NULL AND s.unfit IS NULL AND s.of_id IS NULL AND s.job_id>? AND j.status='Completed'"
        " ORDER BY s.job_id LIMIT ?",
        (after, limit),
    )
    return [id for (id,) in rows]


def unsettled_of(db: Database, ids: Sequence[int]) -> list[int]:
    """Return those of these jobs that are completed steps whose contents nobody has looked at."""
    marks = ",".join("?" * len(ids))
    rows = db.rows(
        "SELECT s.job_id FROM reuse_steps s JOIN jobs j ON j.id=s.job_id"
        " WHERE s.key IS NULL AND s.unfit IS NULL AND s.of_id IS NULL AND j.status='Completed'"
        f" AND s.job_id IN ({marks}) ORDER BY s.job_id",
        tuple(ids),
    )
    return [id for (id,) in rows]


def settle(db: Database, job: Job, key: str, contents: Mapping[str, Any], hashes: Iterable[tuple[str, str]]) -> None:
    """What a completed step read and wrote; `hashes` are of its parts."""
    with db.transaction():
        db.execute("UPDATE reuse_steps SET key=?, contents=? WHERE job_id=?", (key, json.dumps(contents), job.id))
        db.execute_many(
            "INSERT OR REPLACE INTO reuse_keys (workspace_id, job_id, part, hash, created_by) VALUES (?,?,?,?,?)",
            [(job.workspace_id, job.id, part, hash, job.created_by) for part, hash in hashes],
        )


def rule_out(db: Database, job_id: int, why: str) -> None:
    """No later step can have its outputs."""
    db.execute("UPDATE reuse_steps SET unfit=? WHERE job_id=?", (why, job_id))


def ruled_out(db: Database, job: Job, partial: str, before: float) -> tuple[str, str] | None:
    """The newest step that may have been the same and cannot be reused: its name, and why not."""
    row = db.row(
        "SELECT j.name, s.unfit FROM reuse_steps s JOIN jobs j ON j.id=s.job_id WHERE s.workspace_id=? AND s.partial=?"
        " AND s.of_id IS NULL AND s.root_id<>? AND s.unfit IS NOT NULL AND j.ended_at<=?"
        " ORDER BY s.job_id DESC LIMIT 1",
        (job.workspace_id, partial, job.root_id, before),
    )
    return (row[0], row[1]) if row else None


def nearest(db: Database, job: Job, hashes: Sequence[tuple[str, str]], before: float) -> int | None:
    """The step of another pipeline that shares most of these parts, and was over at that time; of equals the newest.

    One of the same name counts as if it shared a part more; of another name, it must share at least command or code.
    """
    if not hashes:
        return None
    values = ",".join(["(?,?)"] * len(hashes))
    row = db.row(
        f"SELECT k.job_id FROM reuse_keys k JOIN jobs j ON j.id=k.job_id"
        f" WHERE k.workspace_id=? AND (k.part, k.hash) IN (VALUES {values})"
        " AND j.root_id<>? AND j.ended_at<=?"
        " GROUP BY k.job_id HAVING max(k.part IN ('command', 'code')) OR j.node=?"
        " ORDER BY count(*) + (j.node=?) DESC, k.job_id DESC LIMIT 1",
        (job.workspace_id, *(text for pair in hashes for text in pair), job.root_id, before, job.node, job.node),
    )
    return int(row[0]) if row else None


def same_step(db: Database, job: Job, hashes: Sequence[tuple[str, str]], before: float) -> int | None:
    """The step of that name in an earlier run of the pipeline that shares most of these parts; of equals the newest.

    A pipeline is one of the same experiment whose steps have the names of this one's, or of some of them, or more.
    """
    if not hashes or job.parent_id is None:
        return None
    values = ",".join(["(?,?)"] * len(hashes))
    rows = db.rows(
        "SELECT k.job_id, j.parent_id FROM reuse_keys k JOIN jobs j ON j.id=k.job_id"
        f" WHERE k.workspace_id=? AND (k.part, k.hash) IN (VALUES {values})"
        " AND j.node=? AND j.experiment=? AND j.root_id<>? AND j.ended_at<=?"
        " GROUP BY k.job_id ORDER BY count(*) DESC, k.job_id DESC LIMIT 50",
        (job.workspace_id, *(text for pair in hashes for text in pair), job.node, job.experiment, job.root_id, before),
    )
    own = _names_of_steps(db, job.parent_id)
    for id, parent_id in rows:
        theirs = _names_of_steps(db, parent_id)
        if own <= theirs or theirs <= own:
            return int(id)
    return None


def shared(db: Database, job_id: int, hashes: Sequence[tuple[str, str]]) -> int:
    """How many of these parts a step has."""
    values = ",".join(["(?,?)"] * len(hashes))
    return int(
        db.value(
            f"SELECT count(*) FROM reuse_keys WHERE job_id=? AND (part, hash) IN (VALUES {values})",
            (job_id, *(text for pair in hashes for text in pair)),
        )
    )


def _names_of_steps(db: Database, pipeline_id: int) -> set[str]:
    return {node for (node,) in db.rows("SELECT node FROM jobs WHERE parent_id=?", (pipeline_id,))}


def meanwhile(db: Database, job: Job, key: str, when: float) -> int | None:
    """The earlier step of another pipeline that has the same key, and was not over at that time."""
    id = db.value(
        "SELECT s.job_id FROM reuse_steps s JOIN jobs j ON j.id=s.job_id WHERE s.workspace_id=? AND s.key=?"
        " AND s.of_id IS NULL AND s.root_id<>? AND s.job_id<? AND j.ended_at>? ORDER BY s.job_id DESC LIMIT 1",
        (job.workspace_id, key, job.root_id, job.id, when),
    )
    return None if id is None else int(id)


def orphaned(db: Database, job: Job, key: str, before: float) -> tuple[str, str] | None:
    """Return an earlier reused step with the same key whose original was deleted, and that original; slow."""
    row = db.row(
        "SELECT j.name, s.of_name FROM reuse_steps s JOIN jobs j ON j.id=s.job_id WHERE s.of_id IS NOT NULL"
        " AND s.workspace_id=? AND s.key=? AND s.root_id<>? AND j.ended_at<=?"
        " AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.id=s.of_id) ORDER BY s.job_id DESC LIMIT 1",
        (job.workspace_id, key, job.root_id, before),
    )
    return (row[0], row[1]) if row else None


def origin(db: Database, job_id: int) -> str | None:
    """The name of the job whose outputs this one has."""
    row = db.row("SELECT of_name FROM reuse_steps WHERE job_id=?", (job_id,))
    return row[0] if row else None


def reused_among(db: Database, ids: Iterable[int]) -> set[int]:
    """Return those of these jobs that have the outputs of an earlier one."""
    rows = db.rows(
        "SELECT job_id FROM reuse_steps WHERE of_id IS NOT NULL AND job_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {id for (id,) in rows}


def origins(db: Database, root_id: int) -> dict[int, str]:
    """The same of all jobs below a root, by id."""
    rows = db.rows(
        "SELECT s.job_id, s.of_name FROM jobs j JOIN reuse_steps s ON s.job_id=j.id"
        " WHERE j.root_id=? AND s.of_name IS NOT NULL",
        (root_id,),
    )
    return dict(rows)


def origins_of(db: Database, workspace_id: int, names: Sequence[str]) -> dict[str, str]:
    """The same of jobs by name."""
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


def held(db: Database, ids: Iterable[int]) -> set[int]:
    """Of these jobs, those whose outputs others have that are not among them."""
    own = set(ids)
    found = set()
    for id in own:
        rows = db.rows("SELECT job_id FROM reuse_steps WHERE of_id=?", (id,))
        if any(user not in own for (user,) in rows):
            found.add(id)
    return found


def left_behind(db: Database, ids: Iterable[int]) -> list[int]:
    """Of these jobs, those that have outputs of a deleted one which no other job has."""
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
    """Where the outputs of a reused job are: its planned URI → the URI of the earlier job's output."""
    db.execute_many(
        "INSERT OR REPLACE INTO reuse_places (root_id, planned, place, workspace_id, job_id, created_by)"
        " VALUES (?,?,?,?,?,?)",
        [(job.root_id, planned, place, job.workspace_id, job.id, job.created_by) for planned, place in places.items()],
    )


def places(db: Database, root_id: int) -> dict[str, str]:
    """All of one pipeline."""
    return dict(db.rows("SELECT planned, place FROM reuse_places WHERE root_id=?", (root_id,)))


def move_output(db: Database, job_id: int, planned: str, place: str) -> None:
    """The job's own output of that URI is elsewhere."""
    db.execute("UPDATE job_data SET uri=? WHERE job_id=? AND direction='output' AND uri=?", (place, job_id, planned))


def seen(db: Database, path: str) -> Seen | None:
    row = db.row("SELECT stamp, content, files, bytes FROM seen_contents WHERE path=?", (path,))
    return Seen(*row) if row else None


def note_seen(db: Database, path: str, seen: Seen) -> None:
    db.execute(
        "INSERT OR REPLACE INTO seen_contents (path, stamp, content, files, bytes) VALUES (?,?,?,?,?)", (path, *seen)
    )


def manifest(db: Database, content: str) -> bytes | None:
    """What a content consists of, where that was kept."""
    row = db.row("SELECT manifest FROM seen_manifests WHERE content=?", (content,))
    return row[0] if row else None


def keep_manifest(db: Database, content: str, manifest: bytes) -> None:
    db.execute("INSERT OR IGNORE INTO seen_manifests (content, manifest) VALUES (?,?)", (content, manifest))


def packages(db: Database, realised_hash: str) -> list[str] | None:
    """What is installed in an environment that a step used."""
    found = db.value("SELECT packages FROM seen_environments WHERE realised_hash=?", (realised_hash,))
    return None if found is None else list(json.loads(found))


def keep_packages(db: Database, realised_hash: str, packages: Sequence[str]) -> None:
    db.execute(
        "INSERT OR IGNORE INTO seen_environments (realised_hash, packages) VALUES (?,?)",
        (realised_hash, json.dumps(list(packages))),
    )


def _of(table: str) -> str:
    return ", ".join(f"{table}.{column}" for column in _COLUMNS.split(", "))


def _step(row: tuple[Any, ...]) -> Step:
    job_id, root_id, partial, parts, key, contents, *rest = row
    return Step(job_id, root_id, partial, json.loads(parts), key, json.loads(contents or "{}"), *rest)
