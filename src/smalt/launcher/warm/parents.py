"""The warm parents of a home: started when steps like an earlier one come, ended when nothing needs them."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import socket
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from smalt.launcher import marks, tree
from smalt.launcher.marks import StepMark
from smalt.launcher.timers import Timers
from smalt.launcher.tree import ProcessTree
from smalt.launcher.warm.parent import WarmChild, WarmParent, send_message

MOST_PARENTS = 4
MOST_CHILDREN = 4
"""Children of one parent that wait for a step."""
LONGEST_IMPORT = 120.0
LOOK = 5.0
"""Seconds between two looks at idle time and memory."""
LEAST_MEMORY = 0.1
"""The share of the machine's memory below which no parent is started, and idle ones end."""
CHANGED = 251
"""A child's exit code: what its parent imported has changed. As in `inside/warm/keeper.py`."""
_LOCKS = 10
_REMEMBERED = 256
_LEAST_STEPS, _MOST_STEPS = 2, 64
"""Steps of a kind that start a parent: as many as the first at first, twice as many after each parent that soon ended
unused, so that kinds which take each other's place cost little."""
_SOON = 60.0
"""Seconds; of a parent that ended later, the import was not too much."""
_FORGET_AFTER = 3600.0
"""Seconds without a step of a kind after which it counts as a new one."""
MARK = "warm"
"""The id in the mark of parents and of children that wait: no step has it, so none takes them for its own."""


class _Kind:
    """The steps that one parent would serve, as far as they are known."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        """The steps that asked for a parent, as many as are needed for one."""
        self.needed = _LEAST_STEPS
        self._asked = 0.0

    def add_step(self, step_id: str, *, has_siblings: bool) -> bool:
        """Return True if steps enough have asked; one that has siblings counts as two."""
        now = time.monotonic()
        if now - self._asked > _FORGET_AFTER:
            self.seen.clear()
            self.needed = _LEAST_STEPS
        self._asked = now
        if len(self.seen) < self.needed:
            self.seen.add(step_id)
        return len(self.seen) + has_siblings >= self.needed

    def note_use(self) -> None:
        self.needed = _LEAST_STEPS

    def note_unused(self, lived: float) -> None:
        self.seen.clear()
        if lived < _SOON:
            self.needed = min(2 * self.needed, _MOST_STEPS)


class GivenStep(NamedTuple):
    """A step that a child was given."""

    pid: int
    parent: WarmParent


class WarmParents:
    def __init__(
        self,
        folder: Path,
        mark: StepMark,
        timers: Timers,
        selector: selectors.BaseSelector,
        add_stranger: Callable[[int], None],
        say: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._mark = mark
        self._timers = timers
        self._selector = selector
        self._add_stranger = add_stranger
        self._say = say
        self._parents: list[WarmParent] = []
        self._kinds: OrderedDict[str, _Kind] = OrderedDict()
        self.note_change: Callable[[], None] = lambda: None
        """Called where a step that waits for a parent may start, with it or without."""
        self._unsafe: dict[str, dict[str, str]] = {}
        self._failed: set[str] = set()
        """The kinds of which the last parent ended before it was ready, or hung."""
        self._is_looking = False
        self._count = 0
        self.started: Counter[str] = Counter()
        """The number of steps that were started warm, and of those started cold by reason."""
        self.saved = 0.0

    def expect_step(self, step: dict[str, Any]) -> None:
        """Take note of a step that will start now or later; start a parent if enough of its kind have come."""
        warm = step.get("warm")
        if warm is None:
            return
        name = _make_kind(warm)
        kind = self._kinds.setdefault(name, _Kind())
        self._kinds.move_to_end(name)
        if len(self._kinds) > _REMEMBERED:
            self._kinds.popitem(last=False)
        if kind.add_step(step["id"], has_siblings=bool(warm.get("has_siblings"))) and not self._has_parent(warm):
            self._start_parent(warm, kind)

    def find_coming_parent(self, step: dict[str, Any], taken: Counter[WarmParent]) -> WarmParent | None:
        """Return the parent that the step had better wait for; None if it had better start now.

        A parent that imports began before the step, and imports nothing that the step does not: it is done first.
        `taken` counts the children of each parent that steps before this one are about to be given.
        """
        warm = step.get("warm")
        if warm is None or (parent := self._find_parent(warm)) is None:
            return None
        if not parent.is_ready:
            is_doubtful = parent.is_hanging or _make_kind(parent.plan) in self._failed
            return None if is_doubtful else parent
        if self._find_obstacle(warm, parent, step["env"]) is not None:
            return None
        taken[parent] += 1
        waiting = sum(1 for child in parent.children if child.pid)
        if taken[parent] <= waiting:
            return None
        return parent if waiting or parent.is_forking else None  # for each that is given, another is made

    def start_step(
        self, step: dict[str, Any], claim: str, variables: dict[str, str], mark: StepMark, namespace: int | None
    ) -> GivenStep | str:
        """Give the step to a child that waits; return why if it must start cold."""
        warm = step["warm"]
        parent = self._find_parent(warm)
        reason = self._find_obstacle(warm, parent, step["env"])
        if reason is None and parent is not None:
            message = {
                **{name: warm[name] for name in ("argv", "first", "module", "script", "view", "command")},
                "line": warm.get("line", 1),  # an older server tells none
                "claim": claim, "folder": step["folder"], "cwd": warm["cwd"], "log": step["log"],
                "env": {**variables, **warm["assigned"], **_make_shell_variables(warm, variables)},
            }  # fmt: skip
            pid = self._hand_over(parent, message, mark, namespace)
            if pid:
                parent.steps += 1
                parent.used = time.monotonic()
                parent.note_use()
                self.started["warm"] += 1
                self.saved += parent.cpu
                _say_how(warm, self._describe_start(warm, parent))
                return GivenStep(pid, parent)
            reason = "no child is ready"
        cold_reason = str(reason)
        self.started[cold_reason] += 1
        _say_how(warm, f"started cold: {cold_reason}")
        return cold_reason

    def _describe_start(self, warm: dict[str, Any], parent: WarmParent) -> str:
        """Return what the parent of a step has imported, and what of the rest a later one will have."""
        said = f"started warm: imported before: {', '.join(parent.plan['modules']) or 'nothing'}"
        unsafe = self._unsafe.get(warm["key"], {})
        rest = [name for name in warm["modules"] if name not in parent.modules]
        if later := [name for name in rest if name not in unsafe]:
            said += f"; not yet: {', '.join(later)}"
        if own := [f"{name} ({unsafe[name]})" for name in rest if name in unsafe]:
            said += f"; left to the program: {', '.join(own)}"
        return said

    def take_back(self, warm: dict[str, Any], parent: WarmParent, code: int) -> str:
        """Count a step as cold whose child ended with `code` before it claimed it, and return why it starts cold.

        A parent that is out of date ends.
        """
        reason = "the child that was given the step ended before it began"
        if code == CHANGED:
            reason = "a file or folder that was imported from has changed"
            if parent in self._parents:
                self._remove_parent(parent)
        parent.steps -= 1
        self.saved -= parent.cpu
        self.started["warm"] -= 1
        self.started[reason] += 1
        _say_how(warm, f"started cold after all: {reason}")
        return reason

    def handle_exit(self, pid: int) -> None:
        """A process that is no step ended."""
        for parent in [one for one in self._parents if one.pid == pid]:
            if parent.is_ready:
                self._say(f"the warm parent {pid} ended by itself; its steps start cold until there is another")
            else:  # its channel tells nothing where a process that an import started has it open, too
                self._handle_failure(parent, "ended before it was ready")
            self._remove_parent(parent, is_reaped=True)
        for parent in self._parents:
            for child in [one for one in parent.children if one.pid == pid]:
                self._remove_child(parent, child)

    def describe_parents(self) -> dict[str, Any]:
        """Return what `smalt server status` shows."""
        now = time.monotonic()
        return {
            "parents": [
                {
                    "pid": parent.pid, "folder": parent.plan["folder"], "imported": sorted(parent.modules),
                    "ready": parent.is_ready, "memory_bytes": _read_memory(parent.pid), "steps": parent.steps,
                    "saves_seconds": round(parent.cpu, 3), "idle_seconds": round(now - parent.used, 1),
                    "waiting": sum(1 for child in parent.children if child.pid), "key": parent.plan["key"],
                }
                for parent in self._parents
            ],
            "started": dict(self.started),
            "saved_seconds": round(self.saved, 1),
        }  # fmt: skip

    def end_parents(self) -> None:
        for parent in list(self._parents):
            self._remove_parent(parent)

    # Parents

    def end_earlier_parents(self, tree_of_home: ProcessTree) -> None:
        """End what the imports of an earlier launcher's parents started: nobody else knows of it."""
        if self._folder.exists():
            tree.send_signal(tree_of_home.list_marked(MARK), tree.KILL)

    def _find_parent(self, warm: dict[str, Any]) -> WarmParent | None:
        """Return the parent that has imported most of what the step imports, and nothing else."""
        wanted = self._list_modules(warm)
        fitting = [one for one in self._parents if one.plan["key"] == warm["key"] and one.modules <= wanted]
        ready = [one for one in fitting if one.is_ready]
        return max(ready or fitting, key=lambda one: len(one.modules), default=None)

    def _has_parent(self, warm: dict[str, Any]) -> bool:
        """Return True if a parent imports, or has imported, all that the step imports."""
        wanted = self._list_modules(warm)
        return any(one.plan["key"] == warm["key"] and one.modules == wanted for one in self._parents)

    def _list_modules(self, warm: dict[str, Any]) -> frozenset[str]:
        return frozenset(warm["modules"]).difference(self._unsafe.get(warm["key"], ()))

    def _start_parent(self, warm: dict[str, Any], kind: _Kind) -> None:
        if len(self._parents) >= MOST_PARENTS and not self._remove_oldest():
            return
        if _is_memory_scarce():
            return
        modules = self._list_modules(warm)
        plan = {
            "key": warm["key"], "folder": warm["folder"], "env": warm["env"], "idle": warm["idle"],
            "modules": [name for name in warm["modules"] if name in modules],
        }  # fmt: skip
        self._count += 1
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            parent = WarmParent(plan, str(self._folder / f"{self._count % (2 * MOST_PARENTS)}.log"), self._mark)
        except OSError as error:
            self._say(f"cannot start a warm parent: {error}")
            return
        parent.note_use, parent.note_unused = kind.note_use, kind.note_unused
        self._parents.append(parent)
        self._add_stranger(parent.pid)
        self._selector.register(parent.channel, selectors.EVENT_READ, partial(self._read_report, parent))
        if not self._is_looking:
            self._is_looking = True
            self._timers.add_after(LOOK, self._look_around)

    def _read_report(self, parent: WarmParent) -> None:
        if parent not in self._parents:  # its exit was handled in the same round of the loop, before its channel
            return
        if not parent.read_report():
            if not parent.is_ready:
                self._handle_failure(parent, "ended before it was ready")
            self._remove_parent(parent)
        elif parent.unsafe:
            known = self._unsafe.setdefault(parent.plan["key"], {})
            known.update(parent.unsafe)
            for name, reason in parent.unsafe.items():
                self._say(f"{name} is left to the steps: {reason}")
            self._remove_parent(parent)
        elif parent.is_ready:
            self._failed.discard(_make_kind(parent.plan))
            for _ in range(MOST_CHILDREN - len(parent.children)):
                self._add_child(parent)
            self.note_change()  # steps that wait may be none of its own, now that it says what it has

    def _handle_failure(self, parent: WarmParent, how: str) -> None:
        """Leave to the steps what a second parent in turn failed at; the first may have been killed from outside."""
        self._say(f"the warm parent {parent.pid} {how}; {self._folder} has its log")
        kind = _make_kind(parent.plan)
        if kind in self._failed:
            self._unsafe.setdefault(parent.plan["key"], {}).update(dict.fromkeys(parent.modules, f"the parent {how}"))
        self._failed.add(kind)

    def _remove_oldest(self) -> bool:
        """Make place for another parent; False if each was used just now."""
        oldest = min(self._parents, key=lambda one: one.used)
        if time.monotonic() - oldest.used < LOOK:
            return False
        self._give_up(oldest)
        return True

    def _give_up(self, parent: WarmParent) -> None:
        """End a parent that nothing uses."""
        if parent.is_ready and not parent.steps:
            parent.note_unused(time.monotonic() - parent.started)
        self._remove_parent(parent)

    def _remove_parent(self, parent: WarmParent, *, is_reaped: bool = False) -> None:
        self._parents.remove(parent)
        self.note_change()
        self._forget_channel(parent.channel)
        for child in parent.children:
            self._forget_channel(child.channel)
        parent.close()
        # It may hang in an import, or have started processes there. A child with a step has left the group before.
        if is_reaped:
            tree.send_marked_group(parent.pid, self._mark, tree.KILL)
        else:
            tree.send_group(parent.pid, tree.KILL)

    def _look_around(self) -> None:
        """End parents that are idle, stuck, or whose environment or memory is gone."""
        now, is_scarce = time.monotonic(), _is_memory_scarce()
        for parent in list(self._parents):
            is_idle = now - parent.used > (LOOK if is_scarce else parent.plan["idle"])
            is_stuck = not parent.is_ready and now - parent.started > LONGEST_IMPORT
            if not parent.is_ready:
                parent.look_at_progress()
            if is_stuck:
                self._handle_failure(parent, "took too long to import")
            if is_idle:
                self._give_up(parent)
            elif is_stuck or not os.path.exists(f"{parent.plan['folder']}/bin/python"):
                self._remove_parent(parent)
        self.note_change()
        self._is_looking = bool(self._parents)
        if self._is_looking:
            self._timers.add_after(LOOK, self._look_around)

    # Children

    def _find_obstacle(self, warm: dict[str, Any], parent: WarmParent | None, variables: dict[str, str]) -> str | None:
        """Return why the step cannot be a child of the parent."""
        if parent is None:
            return "the first of its kind"
        if not parent.is_ready:
            return "the parent still imports"
        if hidden := parent.names.intersection(warm["names"]):
            return f"its folder has a module called {min(hidden)}"
        if found := parent.missing.intersection((*warm["names"], *warm["folders"])):
            return f"its folder has '{min(found)}', which its packages look for"
        if written := parent.reads.keys() & set(warm["writes"]):
            return f"it sets the variable {min(written)}, which is read at import"
        variables = {**variables, **warm["assigned"]}
        for name, value in parent.reads.items():
            own = variables.get(name)
            if (own if own is None else own.replace(warm["view"], warm["folder"])) != value:
                return f"the variable {name}, which is read at import, is another"
        return None

    def _hand_over(self, parent: WarmParent, message: dict[str, Any], mark: StepMark, namespace: int | None) -> int:
        """Give the step to a child that waits, and make another; return its pid, or 0."""
        pid = 0
        while not pid and (ready := [one for one in parent.children if one.pid]):
            child = ready[0]
            parent.children.remove(child)
            self._forget_channel(child.channel)
            try:
                os.setpgid(child.pid, child.pid)
                resource.prlimit(child.pid, _LOCKS, (mark.number, resource.RLIM_INFINITY))
                descriptors = [] if namespace is None else [namespace]
                pid = child.pid if send_message(child.channel, message, descriptors) else 0
            except OSError as error:
                self._say(f"the warm child {child.pid} cannot be given a step: {error}")
            if not pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
            child.close()
        while len(parent.children) < MOST_CHILDREN and self._add_child(parent):
            pass
        return pid

    def _add_child(self, parent: WarmParent) -> bool:
        child = parent.add_child()
        if child is None:
            return False
        self._selector.register(child.channel, selectors.EVENT_READ, partial(self._greet_child, parent, child))
        return True

    def _greet_child(self, parent: WarmParent, child: WarmChild) -> None:
        try:
            greeting = child.channel.recv(64)
        except BlockingIOError:
            return
        except OSError:
            greeting = b""
        if greeting.isdigit() and not child.pid:
            child.pid = int(greeting)
            self._add_stranger(child.pid)
            self.note_change()
        elif parent in self._parents:
            self._remove_child(parent, child)
            self.note_change()

    def _remove_child(self, parent: WarmParent, child: WarmChild) -> None:
        if child in parent.children:
            parent.children.remove(child)
            self._forget_channel(child.channel)
            child.close()

    def _forget_channel(self, channel: socket.socket) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(channel)


def _say_how(warm: dict[str, Any], sentence: str) -> None:
    """Write a line to the job's own log, if the job asks; for others a file more would be a difference."""
    if not warm["explains"]:
        return
    path = warm["say"]
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a") as file:
            file.write(sentence + "\n")


def _make_kind(warm: dict[str, Any]) -> str:
    return "\0".join([warm["key"], *sorted(warm["modules"])])


def _make_shell_variables(warm: dict[str, Any], variables: dict[str, str]) -> dict[str, str]:
    """Return the variables that a step's shell sets for what it starts."""
    level = variables.get("SHLVL", "0")
    return {
        "PWD": warm["cwd"],
        "OLDPWD": "/",
        "SHLVL": str(int(level) + 1) if level.isdecimal() else "1",
        "_": f"{warm['view']}/bin/{warm['argv'][0]}",
    }


def _is_memory_scarce() -> bool:
    try:
        with open("/proc/meminfo") as file:
            facts = dict(line.split(":", 1) for line in file)
        return int(facts["MemAvailable"].split()[0]) < LEAST_MEMORY * int(facts["MemTotal"].split()[0])
    except (OSError, KeyError, ValueError):
        return False


def _read_memory(pid: int) -> int:
    """Return the bytes of memory that a process has alone, or shares with its children."""
    for line in (marks.read_proc_file(pid, "status") or b"").split(b"\n"):
        if line.startswith(b"VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
