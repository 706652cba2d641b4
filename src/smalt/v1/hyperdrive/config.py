"""`azureml.train.hyperdrive.HyperDriveConfig`: a sweep job of v2."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.v1.command_ports import quote_input
from smalt.v1.commands import CommandParts, build_command, collect_fields
from smalt.v1.exceptions import UserErrorException
from smalt.v1.hyperdrive.sampling import HyperParameterSampling, TerminationPolicy
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.experiment import Experiment
    from smalt.v1.hyperdrive.run import HyperDriveRun

MAX_DURATION_MINUTES = 10080
"""A week, which v1 says where a program does not."""


class PrimaryMetricGoal(enum.Enum):
    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    @staticmethod
    def from_str(goal: str) -> PrimaryMetricGoal:
        try:
            return PrimaryMetricGoal(str(goal).lower())
        except ValueError:
            raise UserErrorException(f"the goal of a primary metric is MAXIMIZE or MINIMIZE, not {goal!r}") from None


class HyperDriveConfig:
    """A script run, the space of its arguments, and the metric by which its runs are compared."""

    def __init__(
        self,
        hyperparameter_sampling: HyperParameterSampling,
        primary_metric_name: str,
        primary_metric_goal: PrimaryMetricGoal | str,
        max_total_runs: int,
        max_concurrent_runs: int | None = None,
        max_duration_minutes: int = MAX_DURATION_MINUTES,
        policy: TerminationPolicy | None = None,
        estimator: Any = None,
        run_config: Any = None,
        resume_from: Any = None,
        resume_child_runs: Any = None,
        pipeline: Any = None,
        debug_flag: Any = None,
        custom_run_id: str | None = None,
    ) -> None:
        if not isinstance(hyperparameter_sampling, HyperParameterSampling):
            raise UserErrorException(
                "hyperparameter_sampling is RandomParameterSampling, GridParameterSampling or BayesianParameterSampling"
            )
        if policy is not None and not isinstance(policy, TerminationPolicy):
            raise UserErrorException("policy is a BanditPolicy, MedianStoppingPolicy or TruncationSelectionPolicy")
        sources = [name for name, one in (("estimator", estimator), ("run_config", run_config)) if one is not None]
        if pipeline is not None:
            raise UserErrorException(
                "HyperDriveConfig: a pipeline as the trial is not served; in v2, sweep a pipeline component "
                "(docs/sweeps.md)"
            )
        if len(sources) != 1:
            raise UserErrorException("a HyperDriveConfig takes one of run_config and estimator")
        for name, value in (("resume_from", resume_from), ("resume_child_runs", resume_child_runs)):
            if value:
                raise UserErrorException(
                    f"HyperDriveConfig: {name} is not served; finished trials of the same points are reused anyway"
                )
        tell_no_effect("HyperDriveConfig", {"debug_flag": debug_flag})
        self.hyperparameter_sampling, self.policy = hyperparameter_sampling, policy
        self.primary_metric_name = primary_metric_name
        goal = primary_metric_goal
        self.primary_metric_goal = goal if isinstance(goal, PrimaryMetricGoal) else PrimaryMetricGoal.from_str(goal)
        self.max_total_runs, self.max_concurrent_runs = max_total_runs, max_concurrent_runs
        self.max_duration_minutes, self.custom_run_id = max_duration_minutes, custom_run_id
        self.estimator = estimator
        self.run_config = run_config if run_config is not None else _get_script_run(estimator)

    def __repr__(self) -> str:
        return (
            f"HyperDriveConfig(primary_metric_name={self.primary_metric_name!r}, max_total_runs={self.max_total_runs}, "
            f"parameters={list(self.hyperparameter_sampling.parameter_space)})"
        )

    @property
    def source_directory(self) -> str | None:
        found: str | None = self.run_config.source_directory
        return found

    def to_sweep(self, parts: CommandParts, arguments: str = "", after: str = "", **fields: Any) -> Any:
        """Return the sweep of v2; `parts` may have inputs already, `after` is text that each trial runs at its end."""
        source = self.run_config
        text = " ".join(filter(None, [source.render_command(parts), arguments]))
        space: dict[str, Any] = {}
        for given, values in self.hyperparameter_sampling.parameter_space.items():
            flag = given if given.startswith("-") else f"--{given}"
            name = _take_name(given, {**parts.inputs, **space})
            space[name] = values
            sample = next((one for one in getattr(values, "values", None) or () if isinstance(one, str)), None)
            text += f" {flag} {quote_input(name, sample)}"
        parts.inputs.update(space)
        node = build_command(parts, text + after, source._get_code(), source.run_config, **fields)
        limits = self.max_concurrent_runs
        sweep = node.sweep(
            primary_metric=self.primary_metric_name,
            goal=self.primary_metric_goal.value,
            sampling_algorithm=self.hyperparameter_sampling.to_algorithm(),
            early_termination_policy=self.policy.to_policy() if self.policy is not None else None,
            max_total_trials=self.max_total_runs,
            max_concurrent_trials=None if limits is None else min(limits, self.max_total_runs),
            timeout=None if self.max_duration_minutes == MAX_DURATION_MINUTES else self.max_duration_minutes * 60,
            trial_timeout=node.limits.timeout if node.limits is not None else None,
            compute=node.compute,
        )
        return sweep

    def submit_to(self, experiment: Experiment, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> HyperDriveRun:
        from smalt.v1.hyperdrive.run import HyperDriveRun

        sweep = self.to_sweep(CommandParts(), experiment_name=experiment.name, tags=collect_fields(tags) or None)
        name = kwargs.pop("run_id", None) or self.custom_run_id
        tell_no_effect("Experiment.submit", kwargs, "a sweep has no such setting")
        if name:
            sweep.name = name
        made = experiment.workspace.client.jobs.create_or_update(sweep)
        return HyperDriveRun(experiment, str(made.name), self)


class HyperDriveRunConfig(HyperDriveConfig):
    """v1's earlier name of HyperDriveConfig."""


def _get_script_run(estimator: Any) -> Any:
    """Return the script run that an estimator stands for."""
    to_script_run_config = getattr(estimator, "to_script_run_config", None)
    if to_script_run_config is None:
        raise UserErrorException(f"estimator is an Estimator, not {type(estimator).__name__}; or give a run_config")
    return to_script_run_config()


def _take_name(flag: str, taken: Mapping[str, Any]) -> str:
    base = re.sub(r"\W", "_", flag.lstrip("-")) or "parameter"
    if base[0].isdigit():
        base = f"_{base}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name
