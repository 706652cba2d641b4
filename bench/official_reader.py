"""Which job and component files of a checkout the official reader accepts, and which smalt does.

    python bench/official_reader.py /path/to/azureml-examples --python /path/to/python/with/azure-ai-ml

What both refuse is shown with smalt's sentence; a file that only smalt refuses makes the script fail.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

FOLDERS = ("cli", "sdk", "tutorials")
JOBS = ("command", "pipeline", "sweep", "automl", "spark", "finetuning", "distillation", "import", "data_transfer")
COMPONENTS = ("command", "pipeline", "spark", "parallel", "automl", "import", "data_transfer")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--python", required=True, help="a Python that has azure-ai-ml")
    parser.add_argument("--official", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.official:
        return answer_for_official(options.checkout)
    files = find(options.checkout)
    official = ask_official(options.python, options.checkout, files)
    ours = {name: ask_smalt(options.checkout, name, kind) for name, kind in files.items()}
    return report(files, official, ours)


def find(checkout: Path) -> dict[str, str]:
    """The job and component files, each with its kind, by `$schema`, else by `type`, else by `command`."""
    found: dict[str, str] = {}
    for folder in FOLDERS:
        for path in sorted((checkout / folder).rglob("*.y*ml")):
            kind = kind_of(plain(path))
            if kind:
                found[str(path.relative_to(checkout))] = kind
    return found


def plain(path: Path) -> Any:
    import yaml

    try:
        return yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError):
        return None


def kind_of(data: Any) -> str | None:
    if not isinstance(data, dict):
        return None
    schema = data.get("$schema")
    if schema is not None:
        word = str(schema).rsplit("/", 1)[-1].partition(".")[0].lower()
        kinds = {"job": JOBS, "component": COMPONENTS}
        for kind, types in kinds.items():
            if word.removesuffix(kind).removesuffix("_") in types and word.endswith(kind):
                return kind
        return None
    if data.get("type") in JOBS:
        named = "name" in data and ("version" in data or "jobs" not in data)
        return "component" if named and data["type"] in COMPONENTS else "job"
    return "job" if "type" not in data and "command" in data and "environment" in data else None


def ask_official(python: str, checkout: Path, files: dict[str, str]) -> dict[str, str | None]:
    command = [python, __file__, str(checkout), "--python", python, "--official"]
    done = subprocess.run(
        command,
        input=json.dumps(files),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ""},
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def answer_for_official(checkout: Path) -> int:
    """Runs under the other Python: a JSON mapping of file to error, or null where it is accepted."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    from azure.ai.ml import load_component, load_job  # type: ignore[import-not-found]

    load = {"job": load_job, "component": load_component}
    answers: dict[str, str | None] = {}
    os.chdir(checkout)
    for name, kind in json.load(sys.stdin).items():
        try:
            load[kind](name)
            answers[name] = None
        except Exception as error:
            answers[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(answers))
    return 0


def ask_smalt(checkout: Path, name: str, kind: str) -> str | None:
    from smalt.exceptions import ValidationException
    from smalt.yaml import load

    before = Path.cwd()
    os.chdir(checkout)
    try:
        load(name, kind)
    except ValidationException as error:
        return str(error)
    finally:
        os.chdir(before)
    return None


def report(files: dict[str, str], official: dict[str, str | None], ours: dict[str, str | None]) -> int:
    words = {
        (True, True): "both accept",
        (False, False): "both refuse",
        (False, True): "we accept, it refuses",
        (True, False): "we refuse, it accepts",
    }
    verdicts = {name: words[official[name] is None, ours[name] is None] for name in files}
    counts = Counter((kind, verdicts[name]) for name, kind in files.items())
    print(f"| {len(files)} files | jobs | components | all |\n|---|---|---|---|")
    for verdict in words.values():
        jobs, components = counts["job", verdict], counts["component", verdict]
        print(f"| {verdict} | {jobs} | {components} | {jobs + components} |")
    for name, verdict in verdicts.items():
        if verdict != "both accept":
            print(f"\n{verdict}: {name}")
            print(f"  smalt:    {ours[name] or 'accepted'}".replace("\n", "\n            "))
            print(f"  official: {' '.join((official[name] or 'accepted').split())[:220]}")
    return 1 if "we refuse, it accepts" in verdicts.values() else 0


if __name__ == "__main__":
    sys.exit(main())
