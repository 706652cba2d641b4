from __future__ import annotations

import asyncio
import inspect
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from smalt.machine.home import Home
from tests.helpers import WORKSPACE, Server, temporary_server

settings.register_profile("untimed", deadline=None)  # timings belong in bench/
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is an `async def` in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that exists, without a server."""
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A home of this test alone; the test starts its servers."""
    with temporary_server() as server:
        yield server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One running server for all tests that leave it as they found it; each takes a workspace of its own."""
    with temporary_server() as server:
        server.start()
        yield server


@pytest.fixture
def workspace() -> str:
    """The path of a workspace that no other test uses."""
    return WORKSPACE.format(f"ws-{uuid.uuid4().hex[:12]}")
