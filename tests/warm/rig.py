"""Runs a program as two steps of one launcher, cold and warm, and shows what each left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from smalt.launcher import claims
from smalt.runner import script
from smalt.service.compute.local.variables import BIN, SITE
from smalt.service.compute.local.warm_starts import WarmStarts
from smalt.service.compute.spec import StepSpec
from smalt.service.compute.step import Folders
from smalt.service.environments import BuiltEnvironment
from smalt.service.environments.views.host_python import HostPython
from smalt.service.environments.views.overlay_pool import OverlayPool
from smalt.service.records.workspaces import Workspace
from smalt.service.settings import ServerSettings
from tests.helpers import LONGEST, eventually
from tests.launcher.rig import Client, Rig
from tests.warm.program import Program

READY = 60
"""Seconds in which a parent must have imported."""
_WORKSPACE = Workspace(1, "sub", "group", "default", "default", "", "", 0.0)


class Result(NamedTuple):
    """What a program left; `how` is the line of the step's log."""

    code: int | None
    signal: int | None
    log: str
    files: dict[str, bytes]
    how: str


class WarmRig:
    def __init__(self, rig: Rig, client: Client, python: str) -> None:
        self.rig = rig
        self.client = client
        rig.home.path("config.json").write_text(json.dumps({"warm": "on"}))
        self.starts = WarmStarts(rig.home, ServerSettings(rig.home))
        self.environment = HostPython(OverlayPool(rig.home.path("environments", ".spare"))).examine(python)
        self.environment.overlays._folder.mkdir(parents=True, exist_ok=True)
        self._count = 0

    def run_cold(self, program: Program) -> Result:
        return self.run(self.make_step(program, "cold"), is_stopped=program.is_stopped)

    def run_warm(self, program: Program) -> Result:
        """Run the program once a parent has imported what it imports."""
        self.warm_up(program)
        return self.run(self.make_step(program, "warm"), is_stopped=program.is_stopped)

    def warm_up(self, program: Program) -> None:
        plan = self.make_step(program, "warm")["warm"]
        assert plan, f"{program.name} cannot be warm"
        self.announce(plan, lambda: self.has_child(plan), program.name)

    def announce(self, plan: dict[str, Any], is_there: Callable[[], object], name: str) -> None:
        """Expect steps of a kind until a parent for them is there."""
        for _ in range(READY):  # said again, as there are only so many parents at a time
            self.expect(plan)
            with contextlib.suppress(AssertionError):
                eventually(is_there, f"a parent for {name}", 1.0)
                return
        raise AssertionError(f"no parent for {name} came about")

    def expect(self, plan: dict[str, Any]) -> None:
        """Announce two steps of a kind, which are taken back at once."""
        for _ in range(2):
            self._count += 1
            step = {"id": f"announced{self._count}", "after": ["nothing"], "warm": plan}
            self.client.send({"t": "start", "steps": [step]}, {"t": "stop", "id": step["id"], "grace": 0})

    def has_child(self, plan: dict[str, Any]) -> bool:
        """Tell whether a parent has imported all of a plan, but for what it leaves to the steps."""
        log = self.rig.home.path("launcher.log")
        said = log.read_text() if log.exists() else ""
        wanted = sorted(name for name in plan["modules"] if f" {name} is left to the steps" not in said)
        return any(
            parent["ready"] and parent["waiting"] and parent["imported"] == wanted
            for parent in self.describe()["parents"]
            if parent["key"] == plan["key"]
        )

    def describe(self) -> dict[str, Any]:
        self.client.warm = None
        self.client.send({"t": "warm"})
        return eventually(lambda: self.client.pump().warm, "the launcher's account of its parents")

    def name_next(self, program: Program, kind: str) -> str:
        """Return the name of the step that will be made next."""
        return f"{program.name}.{kind}.{self._count + 1:04}"

    def make_step(self, program: Program, kind: str, **more: Any) -> dict[str, Any]:
        """Make the step; `kind`, of four letters, is in the place of its folder's name that results leave out."""
        name = self.name_next(program, kind)
        self._count += 1
        folder = self.rig.home.path("jobs", name)
        folders = Folders(str(folder), f"{folder}/wd", str(folder))
        for place in (f"{folder}/wd", f"{folder}/user_logs"):
            os.makedirs(place)
        for path, text in {"program.py": program.text, **program.files}.items():
            Path(folders.cwd, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folders.cwd, path).write_text(text)
        view = self.environment.clone(folder / "environment")
        variables = _make_variables(view, program)
        variables[claims.VARIABLE] = claims.make_path(str(folder), name)
        command = f"{program.assigned}{program.command} {program.arguments}".strip()
        spec = make_spec(name, command, program, kind)
        plan, reason = self.starts.make_plan(spec, command, variables, view, folders)
        assert plan or kind != "warm", f"{program.name} cannot be warm: {reason}"
        text = script.build_script(command, step_id=name, folder=folders.folder, cwd=folders.cwd)
        step: dict[str, Any] = {
            "id": name, "script": text, "folder": folders.folder, "env": variables, "log": folders.log,
            "timeout": None, "grace": 5.0, **more,
        }  # fmt: skip
        return {**step, "warm": plan} if plan else step

    def run(self, step: dict[str, Any], *, is_stopped: bool = False) -> Result:
        self.client.start(step)
        if is_stopped:
            log = Path(step["log"])
            eventually(lambda: log.exists() and "begun" in log.read_text(), f"a line of {step['id']}", LONGEST)
            self.client.stop(step["id"], LONGEST)
        exit = eventually(lambda: self.client.pump().exits.get(step["id"]), f"the exit of {step['id']}", LONGEST)
        self.client.acknowledge(step["id"])
        return self.read_result(step, exit)

    def read_result(self, step: dict[str, Any], exit: dict[str, Any]) -> Result:
        folder = Path(step["folder"])
        log = _hide_names(Path(step["log"]).read_text(errors="backslashreplace"), step["id"])
        files = {
            str(path.relative_to(folder)): _hide_names(path.read_text(errors="backslashreplace"), step["id"]).encode()
            for path in sorted(folder.glob("wd/**/*"))
            if path.is_file() and "__pycache__" not in path.parts
        }
        said = folder / "system_logs" / "smalt.log"
        how = said.read_text() if said.exists() else ""
        shutil.rmtree(folder)
        return Result(exit["code"], exit["signal"], log, files, how)


def _hide_names(text: str, step_id: str) -> str:
    """Leave out what differs between any two runs: the step's folder, and addresses."""
    text = re.sub(r"(\.)(cold|warm)\.\d{4}", r"\1kind.0000", text.replace(step_id, "STEP"))
    text = re.sub(r"\(pid=\d+\)", "(pid=PID)", text)
    text = re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"(?m)^(bash: line \d+:) +\d+", r"\1 PID", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0xADDRESS", text)


def _make_variables(view: BuiltEnvironment, program: Program) -> dict[str, str]:
    names = ("PATH", "HOME", "LANG", "TMPDIR")
    variables = {name: os.environ[name] for name in names if name in os.environ}
    variables.update(PYTHONUNBUFFERED="1", PYTHONPATH=SITE, MLFLOW_DISABLE_TELEMETRY="true", **view.variables)
    variables["PATH"] = f"{BIN}:{view.bin}:{variables['PATH']}"
    return {**variables, **program.variables}


def make_spec(name: str, command: str, program: Program, kind: str) -> StepSpec:
    return StepSpec(
        id=name, attempt=1, job=name, root_id=1, created_at=0.0, workspace=_WORKSPACE, command=command, code=name,
        environment={}, literals={}, inputs={}, outputs={}, variables=program.variables,
        is_trial=program.is_trial, warm="on" if kind == "warm" else "off",
    )  # fmt: skip
