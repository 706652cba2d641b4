"""The facts about a sweep, for a comparison with another one: how it searches, how far it got, and its best trial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smalt.exceptions import ValidationException
from smalt.service.api.native import sweep_facts
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.wire.encoding.codec import to_plain


async def get_sweep_facts(db: Database, path: Path, job: Job) -> dict[str, dict[str, Any]]:
    """Return the facts of a sweep by section; none for another job. `path` is that of MLflow's database."""
    summary = (await sweep_facts.summarise_sweeps(db, path, [job])).get(job.id)
    if summary is None:
        return {}
    try:
        entity = sweep_facts.read_entity(db, job)
    except ValidationException:  # it was recorded by another version
        return {}
    best, metric = summary["best"] or {}, summary["primary_metric"]
    facts = {
        "objective": f"{summary['goal']} {metric}",
        "sampling_algorithm": _describe_settings(getattr(entity, "sampling_algorithm", None)),
        "early_termination": _describe_settings(getattr(entity, "early_termination", None)),
        "limits": _describe_settings(entity.limits),
        "trials": ", ".join(f"{number} {status}" for status, number in summary["counts"].items()),
        "best trial": best.get("name"),
        f"best {metric}": best.get("value"),
    }
    space = to_plain(entity.search_space or {}) if job.type == "sweep" else {}
    return {
        "sweep": {name: value for name, value in facts.items() if value},
        "space": {name: describe_distribution(one) for name, one in space.items()},
        "best": dict(best.get("parameters", {})),
    }


def describe_distribution(found: Any) -> str:
    """Return a distribution as people read it: `uniform(0.1, 0.9)`, `choice(1, 2)`; any other value as text."""
    if not isinstance(found, Mapping):
        return str(found)
    if "type" not in found:
        return f"{{{', '.join(f'{key}: {describe_distribution(one)}' for key, one in found.items())}}}"
    values = found["values"] if found["type"] == "choice" else [one for key, one in found.items() if key != "type"]
    return f"{found['type']}({', '.join(map(describe_distribution, values))})"


def _describe_settings(found: Any) -> str | None:
    """Return an algorithm, a policy or limits as text: `bandit, slack_factor 0.1`."""
    if found is None or isinstance(found, str):
        return found
    values = dict(to_plain(found))
    kind = [str(values.pop("type"))] if "type" in values else []
    return ", ".join([*kind, *(f"{name} {value}" for name, value in values.items() if value is not None)])
