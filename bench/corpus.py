"""Run the job files of an azureml-examples checkout, unedited, and print a table: file, state, seconds, why not.

    python bench/corpus.py CHECKOUT [--only TEXT …] [--skip TEXT …] [--all] [--home FOLDER]

Without --all, those that need nothing but this machine (the corpus calls them runs-as-is) and four that need packages
from PyPI. What a file needs beforehand (registered data, components, files in a datastore) is made as its README says.
Public URLs whose files the checkout has are mapped to them (`url-map`), so that nothing is fetched.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASICS = "cli/jobs/basics"
COMPONENTS = "cli/jobs/pipelines-with-components/basics"

FILES = Path(__file__).with_name("corpus.txt")

_REGISTERED = f"{COMPONENTS}/1b_e2e_registered_components"
_IRIS = ["datastore", "upload", "-n", "workspaceblobstore", "cli/assets/data/example-data", "example-data"]
BEFOREHAND: dict[str, list[list[str]]] = {
    f"{BASICS}/hello-data-uri-folder.yml": [
        ["data", "create", "-f", "cli/assets/data/local-folder.yml", "--name", "local-folder-example"]
    ],
    f"{BASICS}/hello-dataset.yml": [
        ["data", "create", "-f", "cli/assets/data/local-folder-sampledata.yml", "--name", "sampledata"]
    ],
    f"{BASICS}/hello-iris-datastore-file.yml": [_IRIS],
    f"{BASICS}/hello-iris-datastore-folder.yml": [_IRIS],
    f"{COMPONENTS}/4b_datastore_datapath_uri/pipeline.yml": [
        ["datastore", "upload", "-n", "workspaceblobstore", f"{COMPONENTS}/4a_local_data_input/data", "azureml"]
    ],
    f"{COMPONENTS}/4d_data_input/pipeline.yml": [["data", "create", "-f", f"{COMPONENTS}/4d_data_input/data.yml"]],
    **{
        f"{_REGISTERED}/{name}.yml": [
            ["component", "create", "-f", f"{_REGISTERED}/{part}.yml"] for part in ("train", "score", "eval")
        ]
        for name in ("pipeline", "pipeline-serverless")
    },
}

_PUBLIC = {
    "iris.csv": "cli/jobs/pipelines/add-column-and-word-count-using-spark/data/iris.csv",
    "Titanic.csv": "cli/assets/data/sample-data/titanic.csv",
}
_URLS = (
    "https://azuremlexamples.blob.core.windows.net/datasets",
    "wasbs://datasets@azuremlexamples.blob.core.windows.net",
    "https://dprepdata.blob.core.windows.net/demo",
)
_A_JOB = re.compile(r"Job\.schema\.json|^type: *finetuning\b", re.MULTILINE)
_NAMES = ("job.yml", "job.yaml", "job-template.yml", "job-sweep.yml", "gpu_perf_job.yml")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", nargs="+", default=[], help="files whose path has one of these texts")
    parser.add_argument("--skip", nargs="+", default=[], help="files whose path has none of these texts")
    parser.add_argument("--all", action="store_true", help="every job file below cli/jobs")
    parser.add_argument("--home", type=Path, help="the SMALT_HOME to use; a temporary one where absent")
    parser.add_argument("--limit", type=float, default=900, help="seconds for one file")
    arguments = parser.parse_args()
    files = every_job(arguments.checkout) if arguments.all else listed()
    if arguments.only:
        files = [file for file in files if any(text in file for text in arguments.only)]
    files = [file for file in files if not any(text in file for text in arguments.skip)]
    home = arguments.home or Path(tempfile.mkdtemp(prefix="smalt-corpus-"))
    environment = {**os.environ, "SMALT_HOME": str(home)}
    print(f"{'file':<100} {'state':<10} {'s':>6}  why not")
    counts: dict[str, int] = {}
    map_urls(arguments.checkout, home, environment)
    try:
        for file in files:
            state, seconds, reason = run(arguments.checkout, file, environment, arguments.limit)
            counts[state] = counts.get(state, 0) + 1
            print(f"{file.removeprefix('cli/jobs/'):<100} {state:<10} {seconds:6.1f}  {reason}", flush=True)
    finally:
        smalt(["server", "stop"], arguments.checkout, environment, 60)
    print(", ".join(f"{count} {state}" for state, count in sorted(counts.items())), f"of {len(files)}")
    return 0 if set(counts) <= {"Completed"} else 1


def listed() -> list[str]:
    return [line for line in FILES.read_text().splitlines() if not line.startswith("#")]


def every_job(checkout: Path) -> list[str]:
    """Files below cli/jobs that are job documents, by the name of their schema."""
    found = []
    for path in sorted(checkout.glob("cli/jobs/**/*.y*ml")):
        head = path.read_text(errors="replace")[:600]
        if _A_JOB.search(head) or path.name in _NAMES:
            found.append(str(path.relative_to(checkout)))
    return found


def map_urls(checkout: Path, home: Path, environment: dict[str, str]) -> None:
    mirror = home / "mirror"
    mirror.mkdir(parents=True, exist_ok=True)
    for name, path in _PUBLIC.items():
        shutil.copyfile(checkout / path, mirror / name)
    for url in _URLS:
        smalt(["config", "set", "url-map", f"{url}={mirror}"], checkout, environment, 60)


def run(checkout: Path, file: str, environment: dict[str, str], limit: float) -> tuple[str, float, str]:
    began = time.monotonic()
    for command in BEFOREHAND.get(file, []):
        done = smalt([*command, "-o", "none"], checkout, environment, limit)
        if done.returncode and "exists already" not in done.stderr:
            return "Refused", time.monotonic() - began, f"smalt {' '.join(command)}: {last_line(done.stderr)}"
    began = time.monotonic()
    try:
        created = smalt(["job", "create", "-f", file, "-o", "json"], checkout, environment, limit)
        if created.returncode:
            return "Refused", time.monotonic() - began, last_line(created.stderr)
        name = json.loads(created.stdout)["name"]
        streamed = smalt(["job", "stream", "-n", name], checkout, environment, limit)
    except subprocess.TimeoutExpired:
        return "Unfinished", time.monotonic() - began, f"not over after {limit:g} s"
    seconds = time.monotonic() - began
    job = json.loads(smalt(["job", "show", "-n", name, "-o", "json"], checkout, environment, limit).stdout)
    return job["status"], seconds, "" if job["status"] == "Completed" else why(streamed)


def why(streamed: subprocess.CompletedProcess[str]) -> str:
    """The first error that the stream told, and the last line of the log before it."""
    errors = [line for line in streamed.stderr.splitlines() if line.startswith("error: ")]
    return f"{errors[0].removeprefix('error: ') if errors else ''}: {last_line(streamed.stdout)}"


def smalt(
    command: list[str], checkout: Path, environment: dict[str, str], limit: float
) -> subprocess.CompletedProcess[str]:
    program = [str(Path(sys.executable).with_name("smalt")), *command]
    return subprocess.run(program, cwd=checkout, env=environment, capture_output=True, text=True, timeout=limit)


def last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ""


if __name__ == "__main__":
    sys.exit(main())
