"""A warm start is an ordinary start: run once, recorded once, whatever dies; and cold if it would not be the same."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from smalt.launcher.timers import Timers
from smalt.launcher.tree import ProcessTree
from smalt.launcher.warm.parents import MARK, WarmParents
from smalt.machine import processes
from tests.helpers import eventually
from tests.launcher.rig import Rig
from tests.warm.conftest import find_python
from tests.warm.program import Program
from tests.warm.rig import WarmRig

COUNT = Program("count", "with open('../runs', 'a') as file: file.write('run\\n')\nprint('ran')\n", {})
SLOW = Program(
    "slow",
    "import os, sys, time\nopen('begun', 'w').write('1\\n')\n"
    "while not os.path.exists('go'): time.sleep(0.01)\nsys.exit(6)\n",
    {},
)


def run_in_place(warm_rig: WarmRig, program: Program, **more: Any) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Run a program that may start warm; return its step, its exit, and how it started."""
    step = warm_rig.make_step(program, "warm", **more)
    warm_rig.client.start(step)
    return step, warm_rig.client.exit(step["id"]), read_how(step)


def read_how(step: dict[str, Any]) -> str:
    path = Path(step["folder"], "system_logs", "smalt.log")
    return path.read_text() if path.exists() else ""


def launch_with_site(rig: Rig, folder: Path, files: dict[str, str]) -> WarmRig:
    """Launch for a Python that has these files among its packages."""
    subprocess.run([find_python(), "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    (site,) = folder.glob("venv/lib/python*/site-packages")
    for name, text in files.items():
        (site / name).write_text(text)
    rig.launch()
    return WarmRig(rig, rig.connect(), str(folder / "venv" / "bin" / "python"))


def list_waiting(warm_rig: WarmRig, launcher: int) -> list[int]:
    """Return the children of the launcher that wait for a step, and their parents."""
    found = []
    for name in os.listdir("/proc"):
        stat = processes.read_stat(int(name)) if name.isdigit() else None
        if stat and stat.parent == launcher and not stat.is_dead:
            found.append(int(name))
    return found


def test_the_first_step_of_a_kind_starts_no_parent(warm_rig: WarmRig) -> None:
    """One step alone costs nothing more; the second makes a parent worth its while."""
    program = Program("alone", "import csv\nprint(csv.QUOTE_ALL)\n", {}, variables={"OMP_NUM_THREADS": "3"})
    before = len(warm_rig.describe()["parents"])
    _, exit, how = run_in_place(warm_rig, program)
    assert exit["code"] == 0
    assert how == "started cold: the first of its kind\n"
    assert exit["cold"] == "the first of its kind"
    assert len(warm_rig.describe()["parents"]) == before


@pytest.mark.parametrize("kind", ["cold", "warm"])
def test_the_exit_has_the_time_of_the_first_line(warm_rig: WarmRig, kind: str) -> None:
    """The time is that of the step's first program, before its own lines; no other Python changes it."""
    text = "import glob, os, subprocess, sys, time\nbegun = time.time()\n(claim,) = glob.glob('../claim.*')\n"
    text += "noted = os.stat(claim).st_atime\nsubprocess.run([sys.executable, '-c', ''])\n"
    text += "print(os.stat(claim).st_mtime <= noted <= begun, os.stat(claim).st_atime == noted)\n"
    text += "print('SMALT_CLAIM' in os.environ)\n"
    program = Program("first", text, {})
    warm_rig.warm_up(program)
    step = warm_rig.make_step(program, kind)
    warm_rig.client.start(step)
    exit = warm_rig.client.exit(step["id"])
    assert Path(step["log"]).read_text() == "True True\nFalse\n"
    assert exit["mode"] == kind
    assert exit["first_line"] > 0


@pytest.mark.parametrize("kind", ["cold", "warm"])
def test_the_exit_has_what_was_imported_before(warm_rig: WarmRig, kind: str) -> None:
    """And the seconds that these imports took; of a cold start neither."""
    program = Program("imports", "import asyncio, decimal\nprint('ran')\n", {})
    warm_rig.warm_up(program)
    step = warm_rig.make_step(program, kind)
    warm_rig.client.start(step)
    exit = warm_rig.client.exit(step["id"])
    assert exit["mode"] == kind
    assert exit["imported"] == (["asyncio", "decimal"] if kind == "warm" else None)
    assert (exit["saved"] is not None and exit["saved"] > 0.001) is (kind == "warm")
    assert "cold" not in exit


def test_what_is_compiled_once_is_not_saved(rig: Rig, tmp_path: Path) -> None:
    """In a new environment imports compile, which no later step does; each does where no bytecode is written."""
    text = "".join(f"def f{number}(a, b=({number}, 'x')): return [a + c for c in b if a]\n" for number in range(5000))
    made = launch_with_site(rig, tmp_path, {"tqdm.py": text})
    saved = []
    for variables in ({"PYTHONDONTWRITEBYTECODE": "1"}, {}):
        program = Program("compiled", "import tqdm\nprint('ran')\n", {}, variables=variables)
        made.warm_up(program)
        _, exit, _ = run_in_place(made, program)
        assert exit["mode"] == "warm"
        (parent,) = find_parents(made, made.make_step(program, "warm")["warm"]["key"])
        assert abs(parent["saves_seconds"] - exit["saved"]) < 0.002
        saved.append(exit["saved"])
    assert list(tmp_path.glob("venv/lib/python*/site-packages/__pycache__/tqdm.*.pyc"))
    assert saved[1] < saved[0] / 2


def test_a_waiting_child_that_was_killed_costs_nothing(warm_rig: WarmRig) -> None:
    """The step runs once, with another child or cold."""
    warm_rig.warm_up(COUNT)
    for pid in list_waiting(warm_rig, warm_rig.rig.launchers[-1].pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    step, exit, _ = run_in_place(warm_rig, COUNT)
    assert (exit["code"], exit["reason"]) == (0, "exited")
    assert Path(step["folder"], "runs").read_text() == "run\n"


def test_a_parent_that_was_killed_gets_a_successor(warm_rig: WarmRig) -> None:
    """Another parent with the same imports comes about, whether or not the first was ready."""
    program = Program("successor", "import csv, decimal, fractions\n", {})
    key = warm_rig.make_step(program, "warm")["warm"]["key"]

    def list_parents() -> list[dict[str, Any]]:
        return [one for one in find_parents(warm_rig, key) if "fractions" in one["imported"]]

    for _ in range(3):
        warm_rig.warm_up(program)
        (parent,) = list_parents()
        os.kill(parent["pid"], signal.SIGKILL)
        eventually(lambda: not list_parents(), "its end")


def test_the_exit_of_a_parent_may_come_before_the_end_of_its_channel(warm_rig: WarmRig, tmp_path: Path) -> None:
    """Both may be news of one round of the launcher's loop, in either order."""
    selector, plan = selectors.DefaultSelector(), warm_rig.make_step(COUNT, "warm")["warm"]
    mark = ProcessTree(str(tmp_path)).make_mark(MARK)
    parents = WarmParents(tmp_path, mark, Timers(), selector, lambda pid: None, lambda sentence: None)
    for name in "ab":
        parents.expect_step({"id": name, "warm": plan})
    (pid,) = [one["pid"] for one in parents.describe_parents()["parents"]]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    news = selector.select(5)
    assert news
    parents.handle_exit(pid)
    for key, _ in news:
        key.data()
    assert parents.describe_parents()["parents"] == []


def test_a_step_whose_claim_is_taken_does_not_run_again(warm_rig: WarmRig) -> None:
    """A claim that is there already keeps a warm child from running, as it does a shell."""
    warm_rig.warm_up(COUNT)
    step = warm_rig.make_step(COUNT, "warm")
    claim = Path(step["folder"], f"claim.{step['id']}")
    claim.write_text("4\n")
    warm_rig.client.start(step)
    assert warm_rig.client.exit(step["id"])["code"] == 4
    assert not Path(step["folder"], "runs").exists()


def test_a_step_that_is_sent_twice_runs_once(warm_rig: WarmRig) -> None:
    warm_rig.warm_up(COUNT)
    step = warm_rig.make_step(COUNT, "warm")
    warm_rig.client.start(step, step)
    warm_rig.client.start(step)
    warm_rig.client.exit(step["id"])
    assert Path(step["folder"], "runs").read_text() == "run\n"


@pytest.mark.parametrize("change", ["edited", "hidden", "replaced"])
def test_a_package_that_was_changed_by_hand_is_imported_again(rig: Rig, tmp_path: Path, change: str) -> None:
    """In place, by a module that comes first on sys.path, or by another file; later steps start warm again."""
    folder = tmp_path / "python"
    subprocess.run([find_python(), "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "early").mkdir()
    (site / "first.pth").write_text(f"import sys; sys.path.insert(0, {str(site / 'early')!r})\n")
    module = site / "tqdm.py"
    module.write_text("VALUE = 1\n")
    rig.launch()
    warm_rig = WarmRig(rig, rig.connect(), str(folder / "bin/python"))
    program = Program("edited", "import tqdm\nprint(tqdm.VALUE)\n", {})
    assert warm_rig.run_warm(program).log == "1\n"
    if change == "edited":
        facts = module.stat()
        module.write_text("VALUE = 2\n")
        os.utime(module, ns=(facts.st_atime_ns, facts.st_mtime_ns - 10**10))
    elif change == "hidden":
        (site / "early" / "tqdm.py").write_text("VALUE = 2\n")
    else:
        (site / "other.py").write_text(
            "VALUE = 22 // 11\n"
        )  # of the same size and second, Python itself would not see it
        os.rename(site / "other.py", module)
    step, exit, how = run_in_place(warm_rig, program)
    assert (exit["code"], exit["mode"], Path(step["log"]).read_text()) == (0, "cold", "2\n")
    assert how.endswith("started cold after all: a file or folder that was imported from has changed\n")
    assert exit["cold"] == "a file or folder that was imported from has changed"
    assert warm_rig.run_warm(program).how.startswith("started warm: imported before: tqdm")


def test_a_further_link_to_a_package_is_no_change(rig: Rig, tmp_path: Path) -> None:
    """uv installs by links to the files of its cache, which changes the status of those in other environments."""
    warm_rig = launch_with_site(rig, tmp_path, {"tqdm.py": "VALUE = 1\n"})
    (module,) = tmp_path.glob("venv/lib/python*/site-packages/tqdm.py")
    os.link(module, tmp_path / "first")
    program = Program("linked", "import tqdm\nprint(tqdm.VALUE)\n", {})
    warm_rig.warm_up(program)
    os.link(module, tmp_path / "second")
    _, exit, _ = run_in_place(warm_rig, program)
    assert exit["mode"] == "warm"
    module.write_text("VALUE = 22\n")
    step, exit, _ = run_in_place(warm_rig, program)
    assert (exit["mode"], Path(step["log"]).read_text()) == ("cold", "22\n")


def test_a_stopped_step_ends_to_the_last_process(warm_rig: WarmRig) -> None:
    """A stop reaches the program and what it started."""
    text = "import os, subprocess, time\np = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
    text += "open('pid', 'w').write(f'{p.pid}\\n')\ntime.sleep(1000)\n"
    program = Program("stopped", text, {})
    warm_rig.warm_up(program)
    step = warm_rig.make_step(program, "warm")
    warm_rig.client.start(step)
    file = Path(step["folder"], "wd", "pid")
    pid = int(eventually(lambda: file.exists() and file.read_text().strip(), "the program's child"))
    warm_rig.client.stop(step["id"], 5.0)
    exit = warm_rig.client.exit(step["id"])
    assert (exit["code"], exit["reason"]) == (143, "stopped")
    stat = processes.read_stat(pid)
    assert stat is None or stat.is_dead
    assert read_how(step).startswith("started warm")


def test_a_warm_step_has_its_time_limit(warm_rig: WarmRig) -> None:
    program = Program("limited", "import time\ntime.sleep(1000)\n", {})
    warm_rig.warm_up(program)
    _, exit, how = run_in_place(warm_rig, program, timeout=0.5)
    assert (exit["code"], exit["reason"]) == (143, "timeout")
    assert how.startswith("started warm")


def test_what_a_program_leaves_is_ended(warm_rig: WarmRig) -> None:
    """A process in a session of its own, without an environment, ends with the step."""
    text = "import os, subprocess\np = subprocess.Popen(['sleep', '1000'], start_new_session=True, env={})\n"
    text += "open('pid', 'w').write(str(p.pid))\n"
    program = Program("leaves", text, {})
    warm_rig.warm_up(program)
    step, exit, how = run_in_place(warm_rig, program)
    stat = processes.read_stat(int(Path(step["folder"], "wd", "pid").read_text()))
    assert exit["code"] == 0
    assert how.startswith("started warm")
    assert stat is None or stat.is_dead


def test_a_module_beside_the_program_hides_the_imported_one(warm_rig: WarmRig) -> None:
    """A program whose folder has a `mmap.py` gets its own."""
    files = {"mmap.py": "x = 'my own'\n"}
    program = Program("hides", "import beside\nimport mmap\nprint(mmap.x)\n", {**files, "beside.py": ""})
    warm_rig.warm_up(program)
    step, exit, how = run_in_place(warm_rig, program)
    assert exit["code"] == 0
    assert "my own" in Path(step["log"]).read_text()
    assert how == "started cold: its folder has a module called mmap\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import os\nos.environ['OMP_NUM_THREADS'] = '1'\n", "sets OMP_NUM_THREADS, which is read at import"),
        ("import os\nos.environ.update({})\n", "it calls os.environ.update"),
        ("import sys\nprint('numpy' in sys.modules)\n", "it looks at sys.modules"),
        ("import sys\nsys.path.insert(0, 'lib')\nimport numpy\n", "it looks at sys.path, or changes it"),
        ("import sys\nsys.path[:0] = ['lib']\n", "it looks at sys.path, or changes it"),
        ("from sys import modules\n", "it looks at sys.modules, or changes it"),
        ("import sys as system\n", "it may look at sys.modules, or change it"),
        ("import os\nos.environ[str(1)] = '2'\n", "variables whose names its text does not tell"),
        ("from os import environ as E\nE.update(A='1')\n", "by another name than os.environ"),
        ("import os\nvariables = os.environ\nvariables['A'] = '1'\n", "by another name than os.environ"),
        ("import os\nos.environ |= {'A': '1'}\n", "by another name than os.environ"),
        ("import os\ndef fill(into): into['A'] = '1'\nfill(os.environ)\n", "by another name than os.environ"),
        ("from unittest import mock\nmock.patch.dict('os.environ', A='1').start()\n", "another name than os.environ"),
        ("import ctypes\nctypes.CDLL(None).setenv(b'A', b'1', 1)\n", "by another name than os.environ"),
        ("import os\ndef env(): return os.environ\nenv()['A'] = '1'\n", "by another name than os.environ"),
        ("import os\nset = os.environ.__setitem__\n", "by another name than os.environ"),
        ("import os, copy\nE = copy.copy(os.environ)\nE['A'] = '1'\n", "by another name than os.environ"),
        ("from os import putenv as put\nput('A', '1')\n", "it calls putenv"),
        ("import sys\n(sys.path, x) = [], 1\n", "it looks at sys.path, or changes it"),
        ("import sys\nadd = sys.path.insert\n", "it looks at sys.path, or changes it"),
        ("import sys\nx = vars(sys)\n", "it may look at sys.modules, or change it"),
        ("import sys\nx = getattr(sys, 'mod' + 'ules')\n", "it may look at sys.modules, or change it"),
        ("if True print(1)\n", "program.py is not Python of this server's version"),
    ],
)  # fmt: skip
def test_a_program_that_would_not_be_the_same_is_refused(warm_rig: WarmRig, text: str, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        warm_rig.make_step(Program("refused", text, {}), "warm")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("from pkg import conf\nimport csv\n", "python program.py"),
        ("from pkg.below import up\n", "python program.py"),
        ("import csv\n", "python -m pkg.relative"),
        ("import csv\n", "python -m pkg.conf.run"),
    ],
)
def test_all_own_modules_are_read_for_variables(warm_rig: WarmRig, text: str, command: str) -> None:
    """Submodules by `from`, relative imports, and the packages that `python -m` imports first."""
    setting = "import os\nos.environ['OMP_NUM_THREADS'] = '1'\n"
    files = {"pkg/__init__.py": "", "pkg/conf/__init__.py": setting, "pkg/conf/run.py": "import csv\n"}
    files |= {"pkg/relative.py": "from . import conf\nimport csv\n", "pkg/below/__init__.py": ""}
    files |= {"pkg/below/up.py": "from ..conf import os\n"}
    with pytest.raises(AssertionError, match="sets OMP_NUM_THREADS, which is read at import"):
        warm_rig.make_step(Program("reads-all", text, files, command=command), "warm")


@pytest.mark.parametrize(
    "before",
    [
        "import importlib\nimportlib.import_module('helper')\n",
        "exec('1')\n",
        "if len('a'):\n    from helper import x\n",
    ],
)
def test_imports_behind_code_that_is_not_read_are_the_programs_own(warm_rig: WarmRig, before: str) -> None:
    """What runs by a name, or on a condition, may set what the imports after it read."""
    program = Program("behind", f"import csv\n{before}import json\n", {"helper.py": "x = 1\n"})
    assert warm_rig.make_step(program, "warm")["warm"]["modules"] == ["csv"]


@pytest.mark.parametrize(
    "before",
    [
        "import warnings\nwarnings.simplefilter('error')\n",
        "import logging.config\nlogging.config.dictConfig({'version': 1})\n",
        "import logging\nlogging.setLoggerClass(logging.Logger)\n",
        "import os\nos.sched_setaffinity(0, {0})\n",
        "import os\nos.chdir('d')\n",
        "import atexit\natexit.register(print)\n",
        "import math\nmath.sqrt = lambda x: -1.0\n",
        "import math\ndel math.sqrt\n",
        "import math\nmath.sqrt, x = 1, 2\n",
        "import subprocess\nsubprocess.run(['true'])\n",
        "open('matplotlibrc', 'w').close()\n",
        "import warnings\nwith warnings.catch_warnings():\n    pass\n",
        "try:\n    import csv\nexcept ImportError:\n    x = 1\nelse:\n    input()\n",
        "class A:\n    input()\n",
        "def f(x=input()): ...\n",
        "import atexit\n@atexit.register\ndef f(): ...\n",
        "import helper\n",
        "def print(*x): ...\nprint(1)\n",
        "from pathlib import Path\nPath('matplotlibrc').write_text('')\n",
        "for x in map(input, 'a'): pass\n",
        # What only looks plain: code of the program runs by attributes, operators, classes and the like.
        "import lazy\nLEVEL = lazy.level\n",
        "from lazy import level\n",
        "from prop import settings\nLEVEL = settings.level\n",
        "from prop import settings\nprint(f'{settings}')\n",
        "from prop import settings\nassert settings\n",
        "from prop import settings\nclass A:\n    x = settings\n",
        "from prop import settings\nx, y = settings\n",
        "from prop import settings\nx = settings + 1\n",
        "from prop import settings\nx: int = 1\nx += settings\n",
        "class A:\n    def __init_subclass__(cls): input()\nclass B(A): pass\n",
        "class A:\n    def __class_getitem__(cls, x): input()\nX = A[int]\n",
        "class A:\n    def __class_getitem__(cls, x): input()\nX: A[int] = 1\n",
        "class M(type):\n    def __instancecheck__(cls, x): input()\nclass A(metaclass=M): pass\nisinstance(1, A)\n",
        "import collections.abc\nclass A(collections.abc.Sized):\n    @classmethod\n"
        "    def __subclasshook__(cls, x): input()\nisinstance(1, collections.abc.Sized)\n",
        "import enum\nclass A(enum.Enum):\n    def __init__(self, x): input()\n    B = 1\n",
        "def rank(x): input()\nA = sorted([2, 1], key=rank)\n",
        "A = sorted(['x = 1'], key=exec)\n",
        "import collections\nA = collections.defaultdict(input)['x']\n",
        "from functools import partial\npartial(input)()\n",
        "def f() -> input(): ...\n",
        "import os\nos.path.os.system('true')\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import math\nelse:\n    import helper\n",
        "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import helper\n",
        "TYPE_CHECKING = len('a')\nif TYPE_CHECKING:\n    import helper\n",
        "from names import print\nprint('x')\n",
        "from names import *\nprint('x')\n",
        "import compiled\n",
        "import native\n",
        "import both\n",
        "import pkg.native\n",
    ],
)
def test_imports_after_what_may_change_them_are_the_programs_own(warm_rig: WarmRig, before: str) -> None:
    """Packages read filters, loggers, processors, files and functions while they are imported."""
    files = {"helper.py": "import warnings\nwarnings.warn('')\n", "lazy.py": "def __getattr__(name): input()\n"}
    files |= {"prop.py": "class settings: ...\n", "names.py": "def print(x): input()\n", "compiled.pyc": ""}
    files |= {"native.abi3.so": "", "both.py": "", "both.so": "", "pkg/__init__.py": "", "pkg/native.so": ""}
    plan = warm_rig.make_step(Program("set", f"{before}import decimal\nimport json\n", files), "warm")["warm"]
    assert not {"decimal", "json"} & {*plan["modules"]}


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['OMP_NUM_THREADS'], x = '1', 1\n",
        "import os\n[x, *os.environ['OMP_NUM_THREADS']] = 'ab'\n",
        "import os\nos.environ['OMP_NUM_THREADS']: str = '1'\n",
        "import os\nfor os.environ['OMP_NUM_THREADS'] in '1': pass\n",
        "import os\nx = [1 for os.environ['OMP_NUM_THREADS'] in '1']\n",
        "import os\nwith open('x') as os.environ['OMP_NUM_THREADS']: pass\n",
        "import os\nos.environ['OPENSSL_CONF'] = 'x'\nimport ssl\n",
    ],
)
def test_a_variable_is_set_by_every_kind_of_target(warm_rig: WarmRig, text: str) -> None:
    with pytest.raises(AssertionError, match=r"sets (OMP_NUM_THREADS|OPENSSL_CONF), which is read at import"):
        warm_rig.make_step(Program("targets", text, {}), "warm")


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("if __name__ != '__main__':\n    import csv\nelse:\n    import json\n", ["json"]),
        ("if '__main__' == __name__:\n    import csv\n", ["csv"]),
        ("if not __name__ == '__main__':\n    import csv\n", []),
        ("if __name__ == 'other':\n    import csv\nimport json\n", ["json"]),
        ("import helper\n", ["glob"]),
        ("import typing\nif typing.TYPE_CHECKING:\n    import csv\nelse:\n    import json\n", ["typing", "json"]),
    ],
)
def test_of_a_condition_that_is_certain_the_right_branch_is_read(
    warm_rig: WarmRig, text: str, modules: list[str]
) -> None:
    files = {"helper.py": "if __name__ == '__main__':\n    import csv\nelse:\n    import glob\n"}
    assert warm_rig.make_step(Program("branch", text, files), "warm")["warm"]["modules"] == modules


@pytest.mark.parametrize("name", ["OPENSSL_CONF", "MIMALLOC_SHOW_STATS", "GLIBC_TUNABLES", "HDF5_USE_FILE_LOCKING"])
def test_a_variable_that_is_read_when_a_library_is_loaded_makes_another_kind(warm_rig: WarmRig, name: str) -> None:
    """C reads it where Python does not see that: no step may be the child of a parent without it."""
    program = Program("loaded", "import ssl\n", {})
    plain, other = (
        warm_rig.make_step(program._replace(variables=variables), "warm")["warm"] for variables in ({}, {name: "x"})
    )
    assert other["env"][name] == "x"
    assert plain["key"] != other["key"]


def test_the_configuration_of_openssl_is_the_steps_own(warm_rig: WarmRig, tmp_path: Path) -> None:
    """C reads it when the library is loaded: of a step that has a stricter one, it must not get lost."""
    lines = "openssl_conf = a\n[a]\nalg_section = b\n[b]\ndefault_properties = fips=yes\n"
    (tmp_path / "openssl.cnf").write_text(lines)
    text = "import ssl\ntry:\n    ssl.create_default_context()\n    print('made')\n"
    text += "except ssl.SSLError:\n    print('refused')\n"
    plain = Program("openssl", text, {"openssl.cnf": lines})
    strict = plain._replace(variables={"OPENSSL_CONF": str(tmp_path / "openssl.cnf")})
    warm_rig.warm_up(plain)
    cold, warm = warm_rig.run_cold(strict), warm_rig.run_warm(strict)
    assert warm.how.startswith("started warm")
    assert warm.log == cold.log == "refused\n"
    assert warm_rig.run_warm(plain._replace(files={})).log == "made\n"
    with pytest.raises(AssertionError, match="OPENSSL_CONF, which is read at import, names a file of its own folder"):
        warm_rig.make_step(plain._replace(variables={"OPENSSL_CONF": "openssl.cnf"}), "warm")


def test_imports_after_what_changes_nothing_are_done_before(warm_rig: WarmRig) -> None:
    """Constants, functions, classes, paths, loggers and variables of the environment."""
    text = '"Text."\nimport logging, os, sys, contextlib, dataclasses, collections\nfrom pathlib import Path\n'
    text += (
        "log = logging.getLogger(__name__)\nROOT = Path(__file__).resolve().parent / 'x'\nprint('begun', len('a'))\n"
    )
    text += "X = os.environ.get('X', '1')\nY = os.path.join(str(ROOT), 'y')\nos.environ['MINE'] = '1'\n"
    text += "sys.path.append(str(ROOT))\nP = collections.namedtuple('P', 'a b')\n"
    text += "def f(x: int = 3, *y: str) -> None:\n    input()\n"
    text += "@dataclasses.dataclass\nclass A:\n    x: int = dataclasses.field(default=1)\n    def g(self): input()\n"
    text += "with contextlib.suppress(ImportError):\n    import csv\n"
    text += "try:\n    import json\nexcept ImportError:\n    json = None\n"
    text += "if X == 'a':\n    Z = 1\nimport decimal\n"
    modules = warm_rig.make_step(Program("plain", text, {}), "warm")["warm"]["modules"]
    assert {"csv", "json", "decimal"} <= {*modules}


def test_a_configuration_beside_the_program_is_read_by_it(warm_rig: WarmRig) -> None:
    program = Program("configured", "import csv\n", {"matplotlibrc": "figure.figsize: 3, 3\n"})
    with pytest.raises(AssertionError, match="its folder has a matplotlibrc, which matplotlib reads at its import"):
        warm_rig.make_step(program, "warm")


def test_os_environ_may_be_read_and_given_to_a_process(warm_rig: WarmRig) -> None:
    text = "import os, subprocess\nprint(dict(os.environ), 'A' in os.environ, os.environ.get('A'))\n"
    text += "subprocess.run(['true'], env=os.environ)\nsubprocess.run(['true'], env={**os.environ, 'A': '1'})\n"
    assert warm_rig.make_step(Program("reader", text, {}), "warm")["warm"]["modules"] == ["subprocess"]


def test_a_module_that_an_import_looks_for_in_vain_is_the_programs_own(rig: Rig, tmp_path: Path) -> None:
    """A package asks for `far.away`, which nobody has: a program that has a folder `far` gets its own."""
    asks = "try:\n    from far.away import x\nexcept ImportError:\n    x = None\n"
    warm_rig = launch_with_site(rig, tmp_path, {"tqdm.py": asks})
    program = Program("looks", "import tqdm\nprint(tqdm.x)\n", {"far/away.py": "x = 7\n"})
    warm_rig.warm_up(program)
    step, exit, how = run_in_place(warm_rig, program)
    assert (exit["code"], Path(step["log"]).read_text()) == (0, "7\n")
    assert how == "started cold: its folder has 'far', which its packages look for\n"


def test_a_package_with_a_thread_that_a_fork_loses_is_left_to_the_steps(rig: Rig, tmp_path: Path) -> None:
    """OpenBLAS ends its threads before a fork; any other thread would be missing, also one of a numpy."""
    starts = "import ctypes\nlibc = ctypes.CDLL(None)\nplace = ctypes.c_ulong()\n"
    starts += "libc.pthread_create(ctypes.byref(place), None, ctypes.cast(libc.pause, ctypes.c_void_p), None)\n"
    warm_rig = launch_with_site(rig, tmp_path, {"numpy.py": starts})
    program = Program("threads", "import os, numpy\nprint(len(os.listdir('/proc/self/task')))\n", {})
    assert warm_rig.run_warm(program).log == "2\n"
    log = rig.home.path("launcher.log").read_text()
    assert "numpy is left to the steps: its import starts a thread" in log


def test_what_only_looks_like_a_module_is_no_file(rig: Rig, tmp_path: Path) -> None:
    """Libraries of cffi are in `sys.modules`, and have no `__dict__`."""
    lib = "import sys, types\nclass Lib:\n    __slots__ = ()\n    __class__ = types.ModuleType\n"
    warm_rig = launch_with_site(rig, tmp_path, {"tqdm.py": f"{lib}sys.modules['lib'] = Lib()\n"})
    program = Program("looks-like", "import tqdm\nprint(isinstance(__import__('lib'), type(tqdm)))\n", {})
    assert warm_rig.run_warm(program).log == "True\n"


def test_only_imports_that_are_certain_are_done_before(warm_rig: WarmRig) -> None:
    """Imports on a condition, in a function, or after a package that may change them, are the program's own."""
    text = "import csv\nimport json, decimal\ntry:\n    import sqlite3\nexcept ImportError: pass\nimport helper\n"
    text += "def f():\n    import email\nif f: import http\nimport gevent\nimport uuid\n"
    text += "if __name__ == '__main__':\n    import random\n"
    plan = warm_rig.make_step(Program("certain", text, {"helper.py": "import glob\n"}), "warm")["warm"]
    assert plan["modules"] == ["csv", "json", "decimal", "sqlite3", "glob"]


@pytest.mark.parametrize(
    ("body", "modules"),
    [
        ("import pandas\n    import sklearn", ["pandas"]),
        ("import pandas, sklearn", ["pandas"]),
        ("import json\n    import pandas", ["json", "pandas"]),
        ("import winreg\n    import pandas", []),
        ("x = {}['a']\n    import pandas", []),
        ("import helper\n    import pandas", ["numpy"]),
        ("with suppress(KeyError):\n        import numpy\n    import pandas", ["numpy"]),
    ],
)
def test_of_a_try_what_may_be_left_out_is_the_programs_own(warm_rig: WarmRig, body: str, modules: list[str]) -> None:
    """Where an import fails, the rest of the `try` does not run; what follows the `try` does."""
    text = f"from contextlib import suppress\ntry:\n    {body}\nexcept (ImportError, KeyError): pass\nimport csv\n"
    program = Program("tries", text, {"helper.py": "import numpy\nimport torch\n"})
    assert warm_rig.make_step(program, "warm")["warm"]["modules"] == [*modules, "csv"]


@pytest.mark.parametrize("folder", ["", "many/"])
def test_a_folder_with_too_much_in_it_is_not_listed_to_its_end(warm_rig: WarmRig, folder: str) -> None:
    """One beside the program may have as much as it will; it may be a package."""
    files = {f"{folder}{number}.txt": "" for number in range(2_010)}
    program = Program("crowded", "import csv\n", files)
    if not folder:
        with pytest.raises(AssertionError, match="a folder of its code has too much in it"):
            warm_rig.make_step(program, "warm")
        return
    plan = warm_rig.make_step(program, "warm")["warm"]
    assert (plan["modules"], plan["names"], plan["folders"]) == (["csv"], ["many", "program"], ["many"])


@pytest.mark.parametrize(
    "command",
    [
        "python program.py && true", "python program.py; true", "python program.py > x", "python program.py | cat",
        "python -c 'print(1)'", "python $X", "python program.py $X", "python program.py `x`", "python program.py *",
        "python -O program.py", "/usr/bin/python3 program.py", "bash -c 'python program.py'", "python ../program.py",
        "python program.py {a,b}", "python program.py ~", "python program.py # x", "cd x\npython program.py", "python",
        'python program.py "$X"', "PATH=/x python program.py", "python -m 'a b'", "python program.py 'open",
    ],
)  # fmt: skip
def test_other_commands_start_as_ever(warm_rig: WarmRig, command: str) -> None:
    """A command in which a shell has something to do has no plan."""
    with pytest.raises(AssertionError, match="cannot be warm"):
        warm_rig.make_step(Program("other", "", {}, command=command), "warm")


def test_variables_that_are_read_at_import_are_the_steps_own(warm_rig: WarmRig) -> None:
    """A variable that an import reads makes the step cold; any other is just there."""
    text = "import asyncio, os\nprint(os.environ.get('PYTHONASYNCIODEBUG'), os.environ['MINE'])\n"
    program = Program("reads", text, {}, variables={"MINE": "1"})
    assert warm_rig.run_warm(program).log == "None 1\n"
    with pytest.raises(AssertionError, match="PYTHONASYNCIODEBUG is read at the interpreter's start"):
        warm_rig.make_step(program._replace(variables={"MINE": "1", "PYTHONASYNCIODEBUG": "1"}), "warm")


def test_variables_that_are_read_at_the_interpreters_start_count(rig: Rig, tmp_path: Path) -> None:
    """Packages may have a `.pth` file that runs in every Python, and reads variables of the job's own."""
    warm_rig = launch_with_site(rig, tmp_path, {"begins.pth": "import os; os.MINE = os.environ.get('MINE')\n"})
    text = "import os\nprint(os.MINE, os.environ.__class__.__name__)\n"
    program = Program("begins", text, {})
    assert warm_rig.run_warm(program).log == "None _Environ\n"
    step, _, how = run_in_place(warm_rig, program._replace(variables={"MINE": "1"}))
    assert Path(step["log"]).read_text() == "1 _Environ\n"
    assert how == "started cold: the variable MINE, which is read at import, is another\n"


@pytest.mark.parametrize("name", ["BASH_ENV", "SHELLOPTS", "BASH_FUNC_python%%", "POSIXLY_CORRECT"])
def test_variables_that_bash_acts_on_are_left_to_it(warm_rig: WarmRig, name: str) -> None:
    """A file or function of them may set what the program sees."""
    with pytest.raises(AssertionError, match=f"the variable {name} is read by the step's shell"):
        warm_rig.make_step(Program("bash", "print(1)\n", {}, variables={name: "x"}), "warm")


@pytest.mark.parametrize("text", ["if " + "+".join(["1"] * 20_000) + ": pass\n", "x = " + "-" * 100_000 + "1\n"])
def test_a_program_too_deep_to_be_read_starts_cold(warm_rig: WarmRig, text: str) -> None:
    with pytest.raises(AssertionError, match=r"nested too deeply|is not Python of this server"):
        warm_rig.make_step(Program("deep", text, {}), "warm")


def test_inputs_stay_sealed(warm_rig: WarmRig, tmp_path: Path) -> None:
    """A program cannot write what it may only read, or its step is told to have."""
    (tmp_path / "data").write_text("as it was")
    path = str(tmp_path / "data")
    text = f"try:\n    open({path!r}, 'w').write('x')\nexcept OSError as error:\n    print(error.strerror)\n"
    program = Program("sealed", text, {})
    warm_rig.warm_up(program)
    results = []
    for kind in ("cold", "warm"):
        step = warm_rig.make_step(program, kind, reads={str(tmp_path): "i"})
        step["writes"] = [step["folder"]]
        results.append(warm_rig.run(step))
    cold, warm = results
    assert warm.how.startswith("started warm")
    assert (warm.code, warm.log) == (cold.code, cold.log)


def test_a_parent_has_no_token(warm_rig: WarmRig) -> None:
    """Variables of a job stay out of the parent's process."""
    program = Program("secret", "print(1)\n", {}, variables={"MLFLOW_TRACKING_TOKEN": "s3cr3t", "MY_KEY": "s3cr3t"})
    warm_rig.warm_up(program)
    for parent in warm_rig.describe()["parents"]:
        assert b"s3cr3t" not in Path("/proc", str(parent["pid"]), "environ").read_bytes()


def test_a_step_outlives_its_launcher(rig: Rig) -> None:
    """A launcher that takes over finds a warm step by its claim, and its exit code; waiting children are gone."""
    first = rig.launch()
    warm_rig = WarmRig(rig, rig.connect(), find_python())
    warm_rig.warm_up(SLOW)
    step = warm_rig.make_step(SLOW, "warm")
    warm_rig.client.start(step)
    eventually(lambda: Path(step["folder"], "wd", "begun").exists(), "the program")
    waiting = [pid for pid in list_waiting(warm_rig, first.pid) if pid != warm_rig.client.pid(step["id"])]
    rig.kill_launcher()
    rig.launch()
    client = rig.connect()
    assert client.pid(step["id"])
    Path(step["folder"], "wd", "go").touch()
    exit = client.exit(step["id"])
    assert (exit["code"], exit["reason"]) == (6, "exited")
    eventually(lambda: not any(is_running(pid) for pid in waiting), "the end of those that waited")


def test_an_idle_parent_ends(warm_rig: WarmRig) -> None:
    plan = warm_rig.make_step(Program("idle", "import glob, shutil\n", {}), "warm")["warm"]
    plan.update(key="idle", idle=0)
    warm_rig.announce(plan, lambda: find_parents(warm_rig, "idle"), "idle")
    eventually(lambda: not find_parents(warm_rig, "idle"), "its end")


def test_a_parent_that_was_never_used_has_to_be_asked_for_more(warm_rig: WarmRig, tmp_path: Path) -> None:
    """Kinds of which parents come and go unused need twice as many steps for the next."""
    plan = {**warm_rig.make_step(COUNT, "warm")["warm"], "idle": 1}
    mark = ProcessTree(str(tmp_path)).make_mark(MARK)
    selector = selectors.DefaultSelector()
    parents = WarmParents(tmp_path, mark, Timers(), selector, lambda pid: None, lambda sentence: None)
    for name in "ab":
        parents.expect_step({"id": name, "warm": plan})
    (first,) = parents._parents
    first.is_ready = True
    first.used -= 2
    parents._look_around()
    for name in "cde":
        parents.expect_step({"id": name, "warm": plan})
        assert parents._parents == []
    parents.expect_step({"id": "f", "warm": plan})
    (second,) = parents._parents
    parents.end_parents()
    for pid in (first.pid, second.pid):
        os.waitpid(pid, 0)


def test_a_parent_that_waited_in_vain_for_long_may_come_again(warm_rig: WarmRig, tmp_path: Path) -> None:
    """Only parents that soon ended unused were too many: a kind that is rare needs no more steps than at first."""
    plan = {**warm_rig.make_step(COUNT, "warm")["warm"], "idle": 1}
    mark = ProcessTree(str(tmp_path)).make_mark(MARK)
    selector = selectors.DefaultSelector()
    parents = WarmParents(tmp_path, mark, Timers(), selector, lambda pid: None, lambda sentence: None)
    for name in "ab":
        parents.expect_step({"id": name, "warm": plan})
    (parent,) = parents._parents
    parent.is_ready = True
    parent.started -= 600
    parent.used -= 600
    parents._look_around()
    assert parents._parents == []
    for name in "cd":
        parents.expect_step({"id": name, "warm": plan})
    (second,) = parents._parents
    parents.end_parents()
    for pid in (parent.pid, second.pid):
        os.waitpid(pid, 0)


def test_the_log_says_what_a_parent_has_not_imported(rig: Rig, tmp_path: Path) -> None:
    """A step may get a parent of less until there is its own; its log tells that from what is left to it for ever."""
    warm_rig = launch_with_site(rig, tmp_path, {"tqdm.py": "print('imported')\n"})
    less, more = Program("less", "import csv\n", {}), Program("more", "import csv, json, tqdm\n", {})
    warm_rig.warm_up(less)
    _, _, how = run_in_place(warm_rig, more)
    assert how == "started warm: imported before: csv; not yet: json, tqdm\n"
    warm_rig.warm_up(more)
    _, _, how = run_in_place(warm_rig, more)
    assert how == (
        "started warm: imported before: csv, json; left to the program: tqdm (its import writes to the log)\n"
    )


def test_a_parent_ends_with_its_environment(warm_rig: WarmRig) -> None:
    plan = warm_rig.make_step(Program("gone", "import glob, shutil\n", {}), "warm")["warm"]
    gone = Path(f"{plan['folder']}.gone")
    shutil.copytree(plan["folder"], gone, symlinks=True)
    plan.update(key="gone", folder=str(gone))
    warm_rig.announce(plan, lambda: find_parents(warm_rig, "gone"), "gone")
    shutil.rmtree(gone)
    eventually(lambda: not find_parents(warm_rig, "gone"), "its end")


def test_a_module_that_does_more_than_be_imported_is_left_to_the_steps(warm_rig: WarmRig) -> None:
    """A parent of the other modules takes the place of one that saw a module write at its import."""
    program = Program("zen", "import csv\n", {})
    plan = warm_rig.make_step(program, "warm")["warm"]
    plan["modules"] = ["csv", "this"]
    for _ in range(2):
        warm_rig.expect(plan)
        eventually(lambda: not any(not one["ready"] for one in warm_rig.describe()["parents"]), "what it found")
    (parent,) = [one for one in find_parents(warm_rig, plan["key"]) if "this" in one["imported"] or one["ready"]][-1:]
    assert parent["imported"] == ["csv"]
    assert (
        "this is left to the steps: its import writes to the log" in warm_rig.rig.home.path("launcher.log").read_text()
    )


def find_parents(warm_rig: WarmRig, key: str) -> list[dict[str, Any]]:
    return [one for one in warm_rig.describe()["parents"] if one["key"] == key]


def is_running(pid: int) -> bool:
    stat = processes.read_stat(pid)
    return stat is not None and not stat.is_dead
