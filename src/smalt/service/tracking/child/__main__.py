"""`python -I …/tracking/child/__main__.py SOCKET WORKSPACES`: serve until the other end of standard input is closed.

The file is run by path in MLflow's Python and imports nothing of smalt. One line on standard output, MLflow's version,
says that it listens. Without arguments it loads its imports and ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import importlib.util
import os
import sys
import threading

if not __package__:
    # By path there is no package, and neither the folder above nor this one may be on
    # the path of modules: so the package is made by hand.
    _folder = os.path.dirname(os.path.abspath(__file__))
    _spec = importlib.util.spec_from_file_location(
        "child", os.path.join(_folder, "__init__.py"), submodule_search_locations=[_folder]
    )
    assert _spec is not None
    sys.modules["child"] = importlib.util.module_from_spec(_spec)
    __package__ = "child"

_VARIABLES = {
    "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",  # Host and Origin are checked by smalt's own server
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def main(path: str = "", workspaces: str = "") -> None:
    ready = os.dup(1)  # what else is said on standard output goes to the log
    os.dup2(2, 1)
    os.umask(0o077)
    os.environ.update(_VARIABLES)
    gc.disable()
    with _MissingPackage("pandas"):
        import mlflow

        from .app import build_app
        from .stores import StoreRegistry
        from .wsgi_server import WsgiServer
    gc.freeze()
    gc.enable()
    if not path:
        import pandas  # noqa: F401

        return
    stores = StoreRegistry(workspaces)
    server = WsgiServer(path, build_app(stores))
    threading.Thread(target=_wait_for_server, args=(stores,), daemon=True).start()
    os.write(ready, f"{mlflow.__version__}\n".encode())
    os.close(ready)
    threading.Thread(target=stores.prepare_database, daemon=True).start()
    server.run()


class _MissingPackage(importlib.abc.MetaPathFinder):
    """A context in which a package cannot be imported.

    MLflow starts without it and imports it when a call needs it: a sixth of the start time, and of the memory.
    """

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == self._package:
            raise ModuleNotFoundError(name=name)

    def __enter__(self) -> None:
        sys.meta_path.insert(0, self)

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)


def _wait_for_server(stores: object) -> None:
    """Exit with the server, however it ends: the pipe is then closed."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    closing = threading.Thread(target=stores.close, daemon=True)  # type: ignore[attr-defined]
    closing.start()
    closing.join(1.0)  # it is only tidying: nothing acknowledged depends on it
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
