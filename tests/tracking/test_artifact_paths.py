"""Names of artifacts that MLflow's client sends from a job."""

from __future__ import annotations

import subprocess
from pathlib import Path

import smalt.inside
from tests.helpers import LONGEST

SITE = Path(smalt.inside.__path__[0], "site")
SCRIPT = """
import http.server, sys, threading
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

class Handler(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        print(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *values):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
artifacts = HttpArtifactRepository(f"http://127.0.0.1:{server.server_address[1]}/run")
for folder in (None, "model", "./model", "a/../model"):
    artifacts.log_artifact(sys.argv[1], folder)
try:
    artifacts.log_artifact(sys.argv[1], "../model")
except MlflowException as error:
    print(error)
"""


def test_a_name_that_begins_with_the_present_folder_is_taken(mlflow_python: str, tmp_path: Path) -> None:
    """As Azure's own client does; one that leads out of the run is refused."""
    file = tmp_path / "f.txt"
    file.write_text("x")
    done = subprocess.run(
        [mlflow_python, "-c", SCRIPT, str(file)],
        env={"PYTHONPATH": str(SITE), "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    lines = done.stdout.splitlines()
    assert lines[:4] == ["/run/f.txt", "/run/model/f.txt", "/run/model/f.txt", "/run/model/f.txt"], done.stderr
    assert lines[4].startswith("Invalid artifact path: '../model'")
