"""The process of a step's program: what it would be had it been started by itself."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import gc
import os
import sys
import time

from . import placeholder, process_title

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_KEEPS_PATHS = ("site", "sysconfig", "_smalt_warm", "multiprocessing", "pkg_resources")
_OWN: list[str] = []
_WITH_PATHS: list[str] = []
"""Names of modules: this package's, and those that keep paths of the environment."""


def list_modules() -> None:
    """List, in the parent, the modules that a child looks at: it would write to the pages of all to go through them."""
    tops = {name: name.partition(".")[0] for name in sys.modules}
    _OWN[:] = [name for name, top in tops.items() if top == "_smalt_warm"]
    _WITH_PATHS[:] = [name for name, top in tops.items() if top in _KEEPS_PATHS]


def become(step: dict[str, Any], plan: dict[str, Any], added: dict[str, str]) -> None:
    """Make this process the step's program; Python's own main function then runs it."""
    for number in (_signal.SIGTERM, _signal.SIGQUIT):
        _signal.signal(number, _signal.SIG_DFL)
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(number, _signal.SIG_IGN)
    words: list[str] = step["argv"]
    process_title.set_title(words, step["env"])
    variables = {name: value for name, value in step["env"].items() if name != "SMALT_CLAIM"}
    _set_variables({**variables, **{name: value for name, value in added.items() if name not in variables}})
    _move_prefix(plan["folder"], step["view"])
    sys.argv[:] = ["-m", *words[step["first"] :]] if step["module"] else words[step["first"] - 1 :]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = words
    _refresh_modules()
    _replace_main()
    if step["module"]:
        placeholder.set_module(step["module"])
    else:
        path = _make_script_path(step["script"])
        placeholder.set_script(path, os.path.dirname(os.path.realpath(path)))
    for name in _OWN:
        del sys.modules[name]
    _note_first_line(step["claim"])
    gc.enable()


def _note_first_line(claim: str) -> None:
    """Leave the time in the claim, as `site/sitecustomize.py` does in any other Python."""
    try:
        os.utime(claim, ns=(time.time_ns(), os.stat(claim).st_mtime_ns))
    except OSError:
        pass


def start_cold(step: dict[str, Any]) -> None:
    """Start the program by itself after all, in this process."""
    for number in (_signal.SIGTERM, _signal.SIGQUIT, _signal.SIGINT, _signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(number, _signal.SIG_DFL)
    try:
        os.execve(f"{step['view']}/bin/{step['argv'][0]}", step["argv"], step["env"])
    except OSError:
        os._exit(127)


def _set_variables(variables: dict[str, str]) -> None:
    for name in list(os.environ):
        if name not in variables:
            del os.environ[name]
    for name, value in variables.items():
        os.environ[name] = value


def _make_script_path(script: str) -> str:
    """Return the path that Python names the script by: since 3.9 from the root, without a look at its parts."""
    if sys.version_info >= (3, 9) and not script.startswith("/"):
        return os.getcwd() + "/" + script
    return script


def _move_prefix(old: str, new: str) -> None:
    """Put the step's view of the environment in the place of the parent's."""

    def move(path: Any) -> Any:
        return new + path[len(old) :] if isinstance(path, str) and (path + "/").startswith(old + "/") else path

    for name in ("prefix", "exec_prefix", "executable", "_base_executable"):
        if hasattr(sys, name):
            setattr(sys, name, move(getattr(sys, name)))
    sys.path[:] = [move(path) for path in sys.path]
    for path in [path for path in sys.path_importer_cache if move(path) != path]:
        del sys.path_importer_cache[path]
    for name in _WITH_PATHS:
        module = sys.modules[name]
        for key, value in list(vars(module).items()):
            if isinstance(value, str) and move(value) != value:
                setattr(module, key, move(value))
            elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
                value[:] = [move(one) for one in value]
    _forget_configuration()


def _forget_configuration() -> None:
    """Have sysconfig compute its paths again."""
    sysconfig: Any = sys.modules.get("sysconfig")
    if sysconfig is not None:
        if hasattr(sysconfig, "_CONFIG_VARS_INITIALIZED"):
            sysconfig._CONFIG_VARS_INITIALIZED = False
        if getattr(sysconfig, "_CONFIG_VARS", None) is not None:
            sysconfig._CONFIG_VARS = None


def _refresh_modules() -> None:
    """Have modules that took note of chance, the time, the folder or the process at their import do so again."""
    random: Any = sys.modules.get("numpy.random.mtrand")
    if random is not None:
        random._rand.seed()
    torch: Any = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "default_generator"):
        torch.default_generator.seed()
    logging: Any = sys.modules.get("logging")
    if logging is not None and hasattr(logging, "_startTime"):
        import time

        now = time.time_ns() if isinstance(logging._startTime, int) else time.time()
        logging._startTime = now
    process: Any = sys.modules.get("multiprocessing.process")
    if process is not None:
        process._current_process._config["authkey"] = process.AuthenticationString(os.urandom(32))
        process.ORIGINAL_DIR = os.path.abspath(os.getcwd())
    spawn: Any = sys.modules.get("multiprocessing.spawn")
    if spawn is not None:
        spawn.set_executable(sys.executable)
    threading: Any = sys.modules.get("threading")
    if threading is not None and hasattr(threading.main_thread(), "_set_native_id"):
        threading.main_thread()._set_native_id()


def _replace_main() -> None:
    """Give the program a `__main__` of its own: what the parent made is frozen, and would not be cleared at the end."""
    old = sys.modules["__main__"]
    new = type(sys)("__main__")
    new.__dict__.clear()
    new.__dict__.update(old.__dict__)
    sys.modules["__main__"] = new
