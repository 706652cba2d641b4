"""Proposals by Optuna's samplers.

Optuna numbers trials as they start; here they are numbered as they were told, and those that run come after them. So
a study that is made again from the records is the same as one that was there all the time. Each proposal has a
sampler of its own with a seed of its own: nothing depends on how often the process was asked before.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from .studies import Coordinates, ParameterRange, Study, ToldTrial

optuna.logging.set_verbosity(optuna.logging.WARNING)

_NAME = "sweep"
_ID = 0


def make_study_type(algorithm: str) -> Callable[[list[ParameterRange], str], Study]:
    if algorithm == "bayesian":
        return lambda parameters, goal: OptunaStudy(parameters, goal, _SteadyTpe)
    if algorithm == "gp":
        import torch

        torch.set_num_threads(1)
        return lambda parameters, goal: OptunaStudy(parameters, goal, _make_gp_sampler)
    raise ValueError(f"there is no algorithm '{algorithm}'")


class OptunaStudy:
    """A study of one objective, told in the order of the records."""

    def __init__(
        self,
        parameters: list[ParameterRange],
        goal: str,
        make_sampler: Callable[[int, dict[str, BaseDistribution]], BaseSampler],
    ) -> None:
        self._parameters = parameters
        self._distributions = {each.path: _make_distribution(each) for each in parameters}
        # In the order of their names, as Optuna has them itself.
        self._shared = {
            each.path: self._distributions[each.path]
            for each in sorted(parameters)
            if each.when is None and not self._distributions[each.path].single()
        }
        self._make_sampler = make_sampler
        self._trials = _RecordedTrials(goal)
        self._study = optuna.load_study(study_name=_NAME, storage=self._trials, pruner=optuna.pruners.NopPruner())

    @property
    def count(self) -> int:
        return len(self._trials.told)

    def tell(self, trial: ToldTrial) -> None:
        self._trials.told.append(self._make_trial(trial.coordinates, trial, self.count))

    def forget(self, count: int) -> None:
        del self._trials.told[count:]

    def propose(self, seed: int, running: list[Coordinates]) -> Coordinates:
        self._trials.running = [
            self._make_trial(coordinates, None, self.count + place) for place, coordinates in enumerate(running)
        ]
        self._study.sampler = self._make_sampler(seed, self._shared)
        trial = self._study.ask()
        found: Coordinates = {}
        for each in self._parameters:
            if each.when is None or found.get(each.when[0]) == each.when[1]:
                found[each.path] = _suggest_value(trial, each)
        return found

    def _make_trial(self, coordinates: Coordinates, told: ToldTrial | None, number: int) -> FrozenTrial:
        value = told.value if told is not None and told.value == told.value else None  # NaN is no value
        if told is None:
            state = TrialState.RUNNING
        elif value is None:
            state = TrialState.FAIL
        else:
            state = TrialState.COMPLETE if told.is_completed else TrialState.PRUNED
        return _make_frozen_trial(
            number,
            state,
            value if state == TrialState.COMPLETE else None,
            {1: value} if state == TrialState.PRUNED and value is not None else {},
            coordinates,
            {path: self._distributions[path] for path in coordinates},
        )


class _SteadyTpe(TPESampler):
    """TPE that need not look through all trials for the parameters that they share: they are known."""

    def __init__(self, seed: int, shared: dict[str, BaseDistribution]) -> None:
        super().__init__(seed=seed, multivariate=True, constant_liar=True)
        self._shared = shared

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._shared


def _make_gp_sampler(seed: int, shared: dict[str, BaseDistribution]) -> BaseSampler:
    return optuna.samplers.GPSampler(seed=seed)


def _make_frozen_trial(
    number: int,
    state: TrialState,
    value: float | None,
    reports: dict[int, float],
    coordinates: Coordinates,
    distributions: dict[str, BaseDistribution],
) -> FrozenTrial:
    return FrozenTrial(
        number=number,
        trial_id=number,
        state=state,
        value=value,
        datetime_start=None,
        datetime_complete=None,
        params=coordinates,
        distributions=distributions,
        user_attrs={},
        system_attrs={},
        intermediate_values=reports,
    )


def _make_distribution(parameter: ParameterRange) -> BaseDistribution:
    if parameter.kind == "index":
        return CategoricalDistribution(range(int(parameter.high) + 1))
    if parameter.kind == "integer":
        return IntDistribution(int(parameter.low), int(parameter.high))
    return FloatDistribution(parameter.low, parameter.high)


def _suggest_value(trial: optuna.Trial, parameter: ParameterRange) -> Any:
    if parameter.kind == "index":
        return trial.suggest_categorical(parameter.path, range(int(parameter.high) + 1))
    if parameter.kind == "integer":
        return trial.suggest_int(parameter.path, int(parameter.low), int(parameter.high))
    return trial.suggest_float(parameter.path, parameter.low, parameter.high)


class _RecordedTrials(BaseStorage):
    """One study's trials: those that were told, and at each proposal those that run. The one that is proposed is not
    kept: it is told by its values when it has ended.
    """

    def __init__(self, goal: str) -> None:
        self._direction = StudyDirection.MAXIMIZE if goal == "maximize" else StudyDirection.MINIMIZE
        self.told: list[FrozenTrial] = []
        self.running: list[FrozenTrial] = []

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        found = self.told + self.running
        return found if states is None else [trial for trial in found if trial.state in states]

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        return len(self.told) + len(self.running)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return _make_frozen_trial(trial_id, TrialState.RUNNING, None, {}, {}, {})

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None: ...

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None: ...

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None: ...

    def get_study_id_from_name(self, study_name: str) -> int:
        return _ID

    def get_study_name_from_id(self, study_id: int) -> str:
        return _NAME

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return [self._direction]

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return {}

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return {}

    def create_new_study(self, directions: Any, study_name: str | None = None) -> int:
        raise NotImplementedError

    def delete_study(self, study_id: int) -> None:
        raise NotImplementedError

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        raise NotImplementedError

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        raise NotImplementedError

    def get_all_studies(self) -> list[Any]:
        raise NotImplementedError

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        raise NotImplementedError

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        raise NotImplementedError
