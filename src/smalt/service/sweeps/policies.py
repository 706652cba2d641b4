"""Early termination: bandit, median stopping and truncation selection, as the service documents them; and Hyperband.

An *interval* is one report of the primary metric by a trial. The service is silent on negative metrics, even counts,
trials with fewer reports, ties and NaN; docs/sweeps.md says what smalt does.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

from smalt.entities.jobs.search_space import (
    BanditPolicy,
    EarlyTerminationPolicy,
    MedianStoppingPolicy,
    SamplingAlgorithm,
    TruncationSelectionPolicy,
)
from smalt.service.sweeps.hyperband import HyperbandPolicy, count_survivors, is_rung, list_rivals

Reports = Mapping[str, Sequence[float]]
"""The values that each trial has reported, in their order; trials in the order in which they were created."""


class _Review(NamedTuple):
    """The reports at an interval of a trial, with signs such that greater is better."""

    reports: Reports
    sign: int
    trial: str
    interval: int
    finished: Collection[str]

    def find_best(self, trial: str) -> float | None:
        """Return the best value of a trial up to the interval; None if it has no number."""
        values = self._list_values(trial)
        if not values:
            return None
        return max(values) if self.sign > 0 else -min(values)

    def find_average(self, trial: str) -> float | None:
        values = self._list_values(trial)
        return self.sign * fmean(values) if values else None

    def _list_values(self, trial: str) -> Sequence[float]:
        """Return the values up to the interval without NaN, and without what is infinitely good."""
        values = self.reports[trial][: self.interval]
        if math.isfinite(sum(values)):  # all are: a look at each of 100,000 would take long
            return values
        return [value for value in values if not math.isnan(value) and value != self.sign * math.inf]

    def list_comparable(self) -> list[str]:
        """List the trials that have come as far as the interval, or ended before."""
        return [
            trial
            for trial, values in self.reports.items()
            if trial == self.trial or trial in self.finished or len(values) >= self.interval
        ]


def choose_policy(
    algorithm: str | SamplingAlgorithm | None, given: EarlyTerminationPolicy | None
) -> EarlyTerminationPolicy | HyperbandPolicy | None:
    """Return the policy of a sweep: the given one, or that of its sampling algorithm; ValueError if there are both."""
    kind = algorithm if isinstance(algorithm, str) else getattr(algorithm, "type", None)
    if kind != HyperbandPolicy.type:
        return given
    if given is not None:
        raise ValueError("hyperband sampling ends trials by its own rule; remove 'early_termination'")
    return HyperbandPolicy()


def find_reason_to_stop(
    policy: EarlyTerminationPolicy | HyperbandPolicy,
    goal: str,
    reports: Reports,
    trial: str,
    finished: Collection[str],
) -> str | None:
    """Return why the trial is to be ended after its last report, as a sentence; None if it goes on."""
    interval = len(reports[trial])
    if interval == 0 or not _is_evaluated(policy, trial, interval):
        return None
    review = _Review(reports, 1 if goal.lower() == "maximize" else -1, trial, interval, finished)
    own = review.find_best(trial)
    if own is None:
        return None
    if isinstance(policy, BanditPolicy):
        reason = _apply_bandit(policy, review, own)
    elif isinstance(policy, MedianStoppingPolicy):
        reason = _apply_median(review, own)
    elif isinstance(policy, TruncationSelectionPolicy):
        reason = _apply_truncation(policy, review, own)
    elif isinstance(policy, HyperbandPolicy):
        reason = _apply_hyperband(review, own)
    else:
        raise ValueError(f"there is no early termination policy '{getattr(policy, 'type', policy)}'")
    return reason and f"it was ended by the {policy.type} policy: {reason}"


def _is_evaluated(policy: EarlyTerminationPolicy | HyperbandPolicy, trial: str, interval: int) -> bool:
    if isinstance(policy, HyperbandPolicy):
        return is_rung(trial, interval)
    return interval % max(policy.evaluation_interval or 1, 1) == 0 and interval >= (policy.delay_evaluation or 0)


def _apply_bandit(policy: BanditPolicy, review: _Review, own: float) -> str | None:
    best = max((value for value in map(review.find_best, review.reports) if value is not None), default=own)
    if math.isinf(best):
        return None
    bound = best - _get_slack(policy, best, review.sign)
    if not _is_below(own, bound):
        return None
    name = "slack_factor" if policy.slack_factor else "slack_amount"
    return (
        f"{_name_value(review, own)} is {_name_side(review)} {review.sign * bound:.6g}, "
        f"the limit set by the best trial's {review.sign * best:.6g} "
        f"and {name} {getattr(policy, name) or 0:g}"
    )


def _get_slack(policy: BanditPolicy, best: float, sign: int) -> float:
    """Return the allowed distance from the best. By a factor it is a share of the best's size, whatever its sign."""
    if not policy.slack_factor:
        return policy.slack_amount or 0
    share = policy.slack_factor if sign < 0 else 1 - 1 / (1 + policy.slack_factor)
    return abs(best) * share


def _apply_median(review: _Review, own: float) -> str | None:
    averages = [each for each in map(review.find_average, review.list_comparable()) if each is not None]
    middle = median(averages)
    if not _is_below(own, middle):
        return None
    return (
        f"{_name_value(review, own)} is {_name_side(review)} {review.sign * middle:.6g}, "
        f"the median of the running averages of {len(averages)} trials"
    )


def _apply_truncation(policy: TruncationSelectionPolicy, review: _Review, own: float) -> str | None:
    left_out = review.finished if _is_true(policy.exclude_finished_jobs) else ()
    names = [name for name in review.list_comparable() if name == review.trial or name not in left_out]
    bests = [(name, best) for name in names if (best := review.find_best(name)) is not None]
    count = len(bests) * policy.truncation_percentage // 100
    if review.trial not in _list_worst_first(bests)[:count]:
        return None
    return (
        f"{_name_value(review, own)} is {_name_rank(count, 'worst')} of {len(bests)} trials "
        f"(truncation_percentage {policy.truncation_percentage})"
    )


def _apply_hyperband(review: _Review, own: float) -> str | None:
    rivals = list_rivals(review.reports, review.trial, review.interval)
    bests = [(name, best) for name in rivals if (best := review.find_best(name)) is not None]
    count = count_survivors(len(bests))
    if review.trial in _list_worst_first(bests)[-count:]:
        return None
    return (
        f"{_name_value(review, own)} is not {_name_rank(count, 'best')} of the {len(bests)} trials of its bracket "
        "that have come as far"
    )


def _list_worst_first(bests: Sequence[tuple[str, float]]) -> list[str]:
    """List the trials by their best values; of equal ones, the later is worse."""
    order = sorted(range(len(bests)), key=lambda place: (bests[place][1], -place))
    return [bests[place][0] for place in order]


def _is_true(value: Any) -> bool:
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)


def _is_below(value: float, bound: float) -> bool:
    """Return True if a value is below by more than the error of the arithmetic: 0.6 is not below 0.8 - 0.2."""
    return value < bound and not math.isclose(value, bound, rel_tol=1e-9)


def _name_value(review: _Review, own: float) -> str:
    return f"its best value {review.sign * own:.6g} at interval {review.interval}"


def _name_rank(count: int, word: str) -> str:
    return f"the {word}" if count == 1 else f"among the {count} {word}"


def _name_side(review: _Review) -> str:
    return "below" if review.sign > 0 else "above"
