"""What a program sets on a sweep, job or step."""

from __future__ import annotations

from typing import Any

from smalt.entities.jobs.resources import JobResourceConfiguration
from smalt.entities.jobs.search_space import Objective, SweepJobLimits
from smalt.entities.schema.entity import changed


class SweepMethods:
    """What is not given stays as it is."""

    resources: Any

    def set_limits(
        self: Any,
        *,
        max_concurrent_trials: int | None = None,
        max_total_trials: int | None = None,
        timeout: int | None = None,
        trial_timeout: int | None = None,
    ) -> None:
        """`timeout` and `trial_timeout` are in seconds."""
        given = _given(locals())
        self.limits = SweepJobLimits(**changed(vars(self).get("limits"), given))

    def set_objective(self: Any, *, goal: str | None = None, primary_metric: str | None = None) -> None:
        given = _given(locals())
        self.objective = Objective(**changed(vars(self).get("objective"), given))

    def set_resources(
        self: Any,
        *,
        instance_type: str | None = None,
        instance_count: int | None = None,
        locations: list[str] | None = None,
        properties: dict[str, Any] | None = None,
        docker_args: str | None = None,
        shm_size: str | None = None,
    ) -> None:
        given = _given(locals())
        self.resources = JobResourceConfiguration(**changed(self.resources, given))


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "self"}
