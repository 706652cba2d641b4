"""`azureml.train.hyperdrive`'s sampling algorithms and policies of early termination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs import search_space as spaces
from smalt.v1.exceptions import UserErrorException


class HyperParameterSampling:
    """A space of parameters and the way in which points of it are chosen."""

    algorithm = "random"

    def __init__(self, parameter_space: Mapping[str, Any], properties: Mapping[str, Any] | None = None) -> None:
        if not isinstance(parameter_space, Mapping) or not parameter_space:
            raise UserErrorException(
                "a parameter space names at least one parameter: {'--learning_rate': uniform(0.1, 1)}"
            )
        for name, values in parameter_space.items():
            if not isinstance(values, spaces.SweepDistribution):
                raise UserErrorException(
                    f"the values of '{name}' are an expression such as choice(1, 2) or uniform(0, 1), not {values!r}"
                )
        self.parameter_space = dict(parameter_space)
        self.properties = dict(properties or {})

    def to_algorithm(self) -> Any:
        """Return the sampling algorithm of v2."""
        return self.algorithm


class RandomParameterSampling(HyperParameterSampling):
    def to_algorithm(self) -> Any:
        known = {key.lower(): value for key, value in self.properties.items()}
        given = {name: known[name] for name in ("seed", "rule", "logbase") if name in known}
        return spaces.RandomSamplingAlgorithm(**given) if given else "random"


class GridParameterSampling(HyperParameterSampling):
    algorithm = "grid"


class BayesianParameterSampling(HyperParameterSampling):
    algorithm = "bayesian"


class TerminationPolicy:
    """A policy by which trials that do badly are ended early; v1 calls the base EarlyTerminationPolicy."""

    def to_policy(self) -> Any:
        """Return the policy of v2; None for none."""
        return None


class NoTerminationPolicy(TerminationPolicy):
    """Let every trial run to its end."""


class BanditPolicy(TerminationPolicy):
    def __init__(
        self,
        evaluation_interval: int = 1,
        slack_factor: float | None = None,
        slack_amount: float | None = None,
        delay_evaluation: int = 0,
    ) -> None:
        if (slack_factor is None) == (slack_amount is None):
            raise UserErrorException("a BanditPolicy takes one of slack_factor and slack_amount")
        self.evaluation_interval, self.delay_evaluation = evaluation_interval, delay_evaluation
        self.slack_factor, self.slack_amount = slack_factor, slack_amount

    def to_policy(self) -> Any:
        slack = {"slack_factor": self.slack_factor, "slack_amount": self.slack_amount}
        return spaces.BanditPolicy(
            evaluation_interval=self.evaluation_interval,
            delay_evaluation=self.delay_evaluation,
            **{name: value for name, value in slack.items() if value is not None},
        )


class MedianStoppingPolicy(TerminationPolicy):
    def __init__(self, evaluation_interval: int = 1, delay_evaluation: int = 0) -> None:
        self.evaluation_interval, self.delay_evaluation = evaluation_interval, delay_evaluation

    def to_policy(self) -> Any:
        return spaces.MedianStoppingPolicy(
            evaluation_interval=self.evaluation_interval, delay_evaluation=self.delay_evaluation
        )


class TruncationSelectionPolicy(TerminationPolicy):
    def __init__(
        self,
        truncation_percentage: int,
        evaluation_interval: int = 1,
        delay_evaluation: int = 0,
        exclude_finished_jobs: bool = False,
    ) -> None:
        self.truncation_percentage, self.evaluation_interval = truncation_percentage, evaluation_interval
        self.delay_evaluation, self.exclude_finished_jobs = delay_evaluation, exclude_finished_jobs

    def to_policy(self) -> Any:
        return spaces.TruncationSelectionPolicy(
            truncation_percentage=self.truncation_percentage,
            evaluation_interval=self.evaluation_interval,
            delay_evaluation=self.delay_evaluation,
            **({"exclude_finished_jobs": True} if self.exclude_finished_jobs else {}),
        )


EarlyTerminationPolicy = TerminationPolicy
