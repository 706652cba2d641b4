"""The steps that wait for a warm parent which is about to be ready."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from smalt.launcher.timers import Timers
from smalt.launcher.warm.parent import WarmParent
from smalt.launcher.warm.parents import WarmParents


class HeldSteps:
    """Holds steps back for as long as that is quicker than to start them cold."""

    def __init__(self, warm: WarmParents, timers: Timers, start: Callable[[list[dict[str, Any]]], None]) -> None:
        self._warm = warm
        self._timers = timers
        self._start = start
        self._steps: dict[str, dict[str, Any]] = {}
        self._parents: dict[str, WarmParent] = {}
        """The parent that each waits for."""
        self._is_due = False
        warm.note_change = self._plan_start

    def __contains__(self, step_id: str) -> bool:
        return step_id in self._steps

    def __bool__(self) -> bool:
        return bool(self._steps)

    def hold_back(self, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Keep the steps for which a parent will soon be ready; return those that are to start now."""
        taken: Counter[WarmParent] = Counter()
        return [step for step in steps if not self._hold_step(step, taken)]

    def _hold_step(self, step: dict[str, Any], taken: Counter[WarmParent]) -> bool:
        step_id = step["id"]
        parent, before = self._warm.find_coming_parent(step, taken), self._parents.pop(step_id, None)
        if parent is None or before not in (None, parent):  # it waits for one parent, not for its successor too
            return False
        step.setdefault("turn", time.time())
        self._steps[step_id], self._parents[step_id] = step, parent
        return True

    def take_step(self, step_id: str) -> dict[str, Any] | None:
        """Return the step, which waits no more; None if it is not held."""
        self._parents.pop(step_id, None)
        return self._steps.pop(step_id, None)

    def take_all(self) -> list[str]:
        """Return the ids of the steps that were held, and forget them."""
        found = list(self._steps)
        self._steps.clear()
        self._parents.clear()
        return found

    def _plan_start(self) -> None:
        """Look at the steps again after what happens now."""
        if self._steps and not self._is_due:
            self._is_due = True
            self._timers.add_after(0, self._start_held)

    def _start_held(self) -> None:
        self._is_due = False
        steps = list(self._steps.values())
        self._steps.clear()
        self._start(steps)
