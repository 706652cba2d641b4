"""Imports modules one by one, and sees what each import did besides."""

from __future__ import annotations

import _json
import _signal  # type: ignore[import-not-found]
import os
import sys

from . import compilation, observed_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_THREADS = frozenset({"jemalloc_bg_thd"})
"""Threads that may be gone in a child, since their library makes them again there."""
_TESTED_THREADS = {"polars-ooc-clea": ("polars", "2.1.")}
"""Threads that may be gone with these versions of a package alone: polars 2.0 waits for its own at its end."""


class _MissingModules:
    """The last finder, which is asked for what no other finds."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if path is None:
            self.names.add(name)


def import_modules(names: list[str]) -> dict[str, Any]:
    """Import the modules; report what they read, and why one must be left to the child (`unsafe`)."""
    begun = os.times()
    compiling = compilation.CompilationTime()
    compiling.begin_observation()
    report: dict[str, Any] = {"unsafe": {}}
    observed_variables.begin_observation()
    missing: Any = _MissingModules()
    sys.meta_path.append(missing)
    try:
        left: dict[str, str] = {}
        for name in names:
            package = name.partition(".")[0]
            # What one module of a package did, another would do in the next parent.
            reason = left.get(package) or _import_one(name)
            if reason is not None:
                report["unsafe"][name] = left[package] = reason
    finally:
        compiling.end_observation()
        report["reads"] = sorted(observed_variables.end_observation())
        sys.meta_path.remove(missing)
    report["missing"] = sorted(missing.names)
    ended = os.times()
    # A cold start would not compile again what is compiled now.
    report["cpu"] = max(0.0, ended.user + ended.system - begun.user - begun.system - compiling.seconds)
    return report


def _import_one(name: str) -> str | None:
    """Import a module; return why children of this process could not do without importing it themselves."""
    before = _Traces()
    try:
        __import__(name)
    except BaseException as error:
        return f"its import fails: {type(error).__name__}"
    return before.find_difference(name)


class _Traces:
    """All that an import may leave beside modules."""

    def __init__(self) -> None:
        self.descriptors = set(os.listdir("/proc/self/fd"))
        self.threads = set(os.listdir("/proc/self/task"))
        self.written = os.fstat(1).st_size
        self.handlers = {number: _signal.getsignal(number) for number in range(1, 32)}
        self.folder = os.getcwd()
        self.children = _read(f"/proc/self/task/{os.getpid()}/children")

    def find_difference(self, name: str) -> str | None:
        opened = [
            one for one in set(os.listdir("/proc/self/fd")) - self.descriptors if os.path.exists("/proc/self/fd/" + one)
        ]
        if opened:
            return "its import opens a descriptor"
        if os.fstat(1).st_size != self.written:
            return "its import writes to the log"
        if {number: _signal.getsignal(number) for number in range(1, 32)} != self.handlers:
            return "its import handles a signal"
        if os.getcwd() != self.folder:
            return "its import changes the folder"
        if _read(f"/proc/self/task/{os.getpid()}/children") != self.children:
            return "its import starts a process"
        threading = sys.modules.get("threading")
        if threading is not None and threading.active_count() > 1:
            return "its import starts a thread"
        threads = [one for one in set(os.listdir("/proc/self/task")) - self.threads if not _may_be_gone(one)]
        if threads and _outlive_fork(threads):
            return "its import starts a thread"
        return None


def _may_be_gone(thread: str) -> bool:
    """Tell whether a library's own thread is one that a fork may lose."""
    called = _read(f"/proc/self/task/{thread}/comm").strip()
    package, version = _TESTED_THREADS.get(called, ("", ""))
    is_tested = bool(package) and str(getattr(sys.modules.get(package), "__version__", "")).startswith(version)
    return is_tested or called in _THREADS or not called


def _outlive_fork(threads: list[str]) -> bool:
    """Tell whether any of the threads is there after a fork: OpenBLAS ends its own before it, and starts them again."""
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return any(thread in threads for thread in os.listdir("/proc/self/task"))


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def encode_report(report: dict[str, Any]) -> bytes:
    """Return JSON; the json module itself would be one more that programs find imported."""
    return _encode(report).encode("ascii")


def _encode(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(_encode(key) + ":" + _encode(one) for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_encode, value)) + "]"
    return _json.encode_basestring_ascii(value) if isinstance(value, str) else repr(value)
