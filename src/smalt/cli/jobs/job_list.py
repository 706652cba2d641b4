"""The list of jobs: how many are shown, what is said of an empty one, and the columns with metrics and costs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from smalt.cli.framework.verb import Invocation
from smalt.cli.output import plain_data as plain
from smalt.client.jobs.metrics import MetricsReader

POINT = "tags.hyperparameters"
"""The values that a trial of a sweep has of the search space."""
_NEWEST = 50
_MOST_WORKSPACES = 5
_COLUMNS = 6


def fetch_newest(ctx: Invocation, sort: str | None, **chosen: Any) -> list[Any]:
    """Return the first jobs of the list, with a hint if there are more."""
    found = list(ctx.client.jobs.list(sort=sort, max_results=_NEWEST + 1, **chosen))
    if len(found) > _NEWEST:
        ctx.print_hint(f"these are the {'first' if sort else 'newest'} {_NEWEST}; add --all-results to see all")
    return found[:_NEWEST]


def explain_empty_list(ctx: Invocation, is_part: bool) -> None:
    """Print which workspace the empty list belongs to, and which workspaces have jobs."""
    client = ctx.client
    every = list(client.connection.list_items("/smalt/v1/workspaces", jobs="true"))
    here = f"workspace '{client.workspace_name}' of resource group '{client.resource_group_name}'"
    ctx.print_hint(f"no {'such jobs' if is_part else 'jobs'} in {here} ({client.why})")
    others = [one for one in every if one["jobs"] and str(one["id"]).lower() != client.workspace_id.lower()]
    for one in others[:_MOST_WORKSPACES]:
        count = f"{one['jobs']} job{'s' * (one['jobs'] != 1)}"
        ctx.print_hint(
            f"workspace '{one['name']}' has {count}: smalt job list{client.format_options_for(str(one['id']))}"
        )
    if len(others) > _MOST_WORKSPACES:
        ctx.print_hint(f"and so have {len(others) - _MOST_WORKSPACES} more; see: smalt workspace list")


def add_costs(ctx: Invocation, found: list[Any]) -> list[Any]:
    """Return the jobs as plain data with their use of the machine, and set the table's columns."""
    rows = [plain.to_plain_data(each) for each in found]
    costs = MetricsReader(ctx.client).get_costs([row["name"] for row in rows]) if rows else {}
    ctx.columns = (*ctx.columns[:3], "cpu_seconds", "peak_memory_bytes")
    return [{**row, **costs.get(row["name"], {})} for row in rows]


def add_metrics(ctx: Invocation, found: list[Any]) -> list[Any]:
    """Return the jobs as plain data with their metrics; a table has a column for each of the commonest ones."""
    latest = MetricsReader(ctx.client).get_latest([each.name for each in found]) if found else {}
    common = Counter(name for values in latest.values() for name in values if not name.startswith("system/"))
    ctx.columns = (*ctx.columns[:3], *(f"metrics.{name}" for name, _ in common.most_common(_COLUMNS)), POINT)
    return [{**plain.to_plain_data(each), "metrics": latest.get(each.name, {})} for each in found]
