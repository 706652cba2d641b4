"""The edges of a job's graph: which step waits for which, and over which of these edges no data goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from smalt.service.engine.kinds.control_flow.control_jobs import read_output_uris
from smalt.service.records import job_graph, jobs
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

Edge = tuple[int, int]
"""The ids of a job and of one that waits for it."""


def list_edges(db: Database, rows: Sequence[Job]) -> dict[Edge, bool]:
    """Return the edges between jobs of a tree, or of a part of it, and whether each is of the order only.

    An iteration of a do_while is added after the one before has ended, and so waits for none in the records.
    """
    known = {row.id for row in rows}
    edges = {
        (needed, job): False
        for needed, job in job_graph.list_dependencies(db, rows[0].root_id)
        if needed in known and job in known
    }
    edges.update(dict.fromkeys(_list_first_and_last(db, rows, edges), True))
    edges.update(_list_iterations(db, rows))
    return edges


def _list_first_and_last(db: Database, rows: Sequence[Job], edges: dict[Edge, bool]) -> Iterator[Edge]:
    """Yield the edges from the first and to the last step of a pipeline, which are bound to no other step."""
    top = rows[0]
    if top.type != "pipeline" or top.parent_id is not None:
        return
    first, last = job_graph.find_edge_steps(db, top.id)
    nodes = {row.id: row.node for row in rows if row.parent_id == top.id}
    for needed, job in edges:
        if (first and nodes.get(needed) == first) or (last and nodes.get(job) == last):
            yield needed, job


def _list_iterations(db: Database, rows: Sequence[Job]) -> Iterator[tuple[Edge, bool]]:
    """Yield the edges from each iteration of a do_while to the next one, and whether its outputs are not mapped."""
    iterations = defaultdict[int, list[Job]](list)
    loops = {row.id for row in rows if row.type == "do_while"}
    for row in rows:
        if row.parent_id in loops:
            iterations[row.parent_id].append(row)
    for found in iterations.values():
        found.sort(key=lambda row: row.id)
        is_order = len(found) > 1 and not _reads_outputs(db, found[1], found[0])
        for before, after in pairwise(found):
            yield (before.id, after.id), is_order


def _reads_outputs(db: Database, reader: Job, maker: Job) -> bool:
    """Return True if an input of one job is an output of the other."""
    outputs = set(read_output_uris(jobs.read_properties(db, maker.id)).values())
    inputs = jobs.read_properties(db, reader.id).get("inputs") or {}
    return any(isinstance(value, dict) and value.get("uri") in outputs for value in inputs.values())
