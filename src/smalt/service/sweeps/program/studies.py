"""Requests and answers.

A request has `study` (an id), `parameters` (path, kind, low, high, and under which index of which choice), `goal`,
`since` (how many trials this process was told before), `told` (the trials after those, in their order), `running`,
and the `seed` of this proposal. An answer has `coordinates` by path; or `known`, the number of trials that are known,
if it is less than `since`: the request then comes again with the trials from there on; or an `error`. Trials that
were told beyond `since` are forgotten: they were not recorded in that order.

A trial that was told is `[coordinates, value, is completed]`, and one that runs is its coordinates.
"""

from __future__ import annotations

import gc
import json
import sys
import traceback
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

_MOST_STUDIES = 32
"""Studies that are kept in memory; one that is missing is told again."""

Coordinates = dict[str, Any]


class ParameterRange(NamedTuple):
    path: str
    kind: str
    """`index` (of a choice), `integer` or `float`."""
    low: float
    high: float
    when: tuple[str, int] | None
    """The choice and the index of its option that the parameter belongs to; None if it is in each point."""


class ToldTrial(NamedTuple):
    coordinates: Coordinates
    value: float | None
    is_completed: bool


class Study(Protocol):
    @property
    def count(self) -> int:
        """Return how many trials it was told."""

    def tell(self, trial: ToldTrial) -> None: ...

    def forget(self, count: int) -> None:
        """Keep only as many of the trials that it was told."""

    def propose(self, seed: int, running: list[Coordinates]) -> Coordinates:
        """Return coordinates. Parameters that are left out are drawn at random by the caller."""


class Studies:
    """The studies of all sweeps of a home that have this algorithm."""

    def __init__(self, algorithm: str) -> None:
        self._make_study = _find_maker(algorithm)
        self._studies: OrderedDict[str, Study] = OrderedDict()
        gc.collect()
        gc.freeze()

    def answer(self, line: bytes) -> bytes:
        try:
            answer = self._answer_request(json.loads(line))
        except Exception as error:  # any: the process stays for other sweeps, and the caller has a sentence
            traceback.print_exc(file=sys.stderr)
            sys.stderr.flush()
            answer = {"error": f"{type(error).__name__}: {error}"}
        return json.dumps(answer).encode()

    def _answer_request(self, request: dict[str, Any]) -> dict[str, Any]:
        study = self._studies.get(request["study"])
        if study is None:
            parameters = [
                ParameterRange(path, kind, low, high, tuple(when) if when else None)
                for path, kind, low, high, when in request["parameters"]
            ]
            study = self._studies[request["study"]] = self._make_study(parameters, request["goal"])
            while len(self._studies) > _MOST_STUDIES:
                self._studies.popitem(last=False)
        self._studies.move_to_end(request["study"])
        if study.count < request["since"]:
            return {"known": study.count}
        study.forget(request["since"])
        for trial in request["told"]:
            study.tell(ToldTrial(*trial))
        return {"coordinates": study.propose(request["seed"], request["running"])}


def _find_maker(algorithm: str) -> Callable[[list[ParameterRange], str], Study]:
    if algorithm == "cmaes":
        from .evolution import EvolutionStudy

        return EvolutionStudy
    from .optuna_study import make_study_type

    return make_study_type(algorithm)
