from __future__ import annotations

import asyncio
import inspect
import os
import shutil
import subprocess
import uuid
from collections import Counter
from collections.abc import Generator, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from smalt.machine.home import Home
from tests import forked_servers
from tests.distribution import import_share, make_scheduler, order_items
from tests.forked_programs import ForkedPrograms
from tests.helpers import WORKSPACE, Server, running_server, temporary_server

PLACES = ("AZUREML_", "AZURE_ML_", "MLFLOW_")
"""How variables begin that jobs have, and programs of the service read."""


def put_python_first() -> None:
    """Put the Python first on PATH that a script there stands for: pyenv's starts a dozen processes each time."""
    found = shutil.which("python3")
    if found is None:
        return
    with open(found, "rb") as file:
        if file.read(2) != b"#!":
            return
    ask = [found, "-c", "import os, sys; print(os.path.dirname(sys.executable))"]
    asked = subprocess.run(ask, capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        os.environ["PATH"] = os.pathsep.join([asked.stdout.strip(), os.environ["PATH"]])


def forget_places(environment: MutableMapping[str, str]) -> None:
    """Remove what names a server, a job or a workspace of who starts the tests: programs of tests would go there."""
    for name in list(environment):
        if name in ("SMALT_HOME", "SMALT_URL", "SMALT_TOKEN", "SMALT_DEBUG") or name.startswith(PLACES):
            del environment[name]


put_python_first()
forget_places(os.environ)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process that a test starts compiles all its modules again
forked_servers.remember_environment()
# Timings belong in bench/: no test fails because making its values took long. In CI each run tries the same values.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=list(HealthCheck), derandomize="CI" in os.environ
)
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is an `async def` in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    import_share(session)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = order_items(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return make_scheduler(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Say below the summary which tests were left out, and why, and which passed at a second try only."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reporter.stats.get("skipped", []))
    lines = [f"{count}: {reason}" for reason, count in reasons.most_common()]
    if expression := session.config.option.markexpr:
        deselected = len(reporter.stats.get("deselected", []))  # unknown here when workers run the tests
        lines.append(f"{deselected or 'the tests'}: not selected by -m '{expression}'")
    for line in lines:
        reporter.write_line(f"left out {line}")
    for report in reporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "tried again" and report.when == "call":
                reporter.write_line(f"passed at the second try: {value}")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that exists, without a server."""
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def own_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A home of this test alone; the test, or the program that it tries, starts its servers."""
    is_started_anew = request.node.get_closest_marker("started_anew") is not None
    with temporary_server(is_started_anew=is_started_anew) as server:
        yield server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One running server for all tests that leave it as they found it; each takes a workspace of its own."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def module_server() -> Iterator[Server]:
    """One running server for the tests of a module; some rooms start it in a way of their own."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def forked_programs() -> Iterator[ForkedPrograms]:
    """A process from which programs are forked that have an engine of their own."""
    programs = ForkedPrograms()
    yield programs
    programs.close()


@pytest.fixture
def workspace() -> str:
    """The path of a workspace that no other test uses."""
    return WORKSPACE.format(f"ws-{uuid.uuid4().hex[:12]}")
