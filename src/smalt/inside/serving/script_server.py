"""`python …/script_server.py SOCKET SCRIPT`: Azure's own inference server, listening on a Unix socket.

The server (azureml-inference-server-http) listens on a port of every network interface; here it is given the socket
instead, by the one thing that all its releases have in common: they start gunicorn's application for WSGI.
"""

from __future__ import annotations

import sys

MISSING = 66
"""The exit code where the environment has no inference server."""


def main(socket: str, script: str) -> None:
    sys.path.pop(0)  # our own folder, which is no part of the user's program
    try:
        from azureml_inference_server_http.amlserver import run
        from gunicorn.app.wsgiapp import WSGIApplication
    except ImportError as error:
        is_absent = str(error.name).startswith(("azureml_inference_server_http", "gunicorn"))
        problem = "is not in the environment" if is_absent else "cannot be imported"
        print(f"smalt: azureml-inference-server-http {problem} ({error})", file=sys.stderr)
        sys.exit(MISSING)
    load_config = WSGIApplication.load_config

    def load_with_socket(self):  # type: ignore[no-untyped-def]
        load_config(self)
        self.cfg.set("bind", [f"unix:{socket}"])
        if "control_socket_disable" in self.cfg.settings:  # one socket in the user's home for every gunicorn
            self.cfg.set("control_socket_disable", True)

    WSGIApplication.load_config = load_with_socket
    sys.argv = ["azmlinfsrv", "--entry_script", script]
    run()


if __name__ == "__main__":
    main(*sys.argv[1:])
