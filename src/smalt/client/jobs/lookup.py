"""A job of a workspace by its name, as users see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt import wire
from smalt.client.connection.name_rules import check_name
from smalt.client.jobs.display import shorten_references
from smalt.wire.encoding.ids import build_resource_id

if TYPE_CHECKING:
    from smalt.client.session import ClientSession
    from smalt.entities.jobs.job import Job


def fetch_job(session: ClientSession, name: str) -> Job:
    """Return the job; raises NotFound."""
    check_name("job", name)
    body = session.connection.get(build_resource_id(session.workspace_id, "jobs", name))
    job: Any = wire.from_rest(body, "job", is_answer=True)
    return shorten_references(job)  # type: ignore[no-any-return]
