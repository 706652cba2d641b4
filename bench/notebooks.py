"""Run the job notebooks and tutorials of an azureml-examples checkout by `smalt python`, unedited, and print a table.

    python bench/notebooks.py CHECKOUT [--only TEXT …] [--skip TEXT …] [--limit SECONDS] [--home FOLDER] [--official]

With --official they run by Jupyter, with Azure's own azure-ai-ml, under `smalt exec`.
Each runs in a copy of the checkout, in one virtual environment of its own beside it (notebooks install packages).
Public URLs whose files the checkout has are mapped to them, as bench/corpus.py does; the credit card data of the
tutorials, which it has not, is made up: the same columns, 300 rows by chance. Three ends are told apart: Runs
(to its last cell), Refused (smalt says in one sentence what it does not do), Needs (what cannot be here: the reason is
in `NEEDS`, found by reading the notebook); anything else is a Fault, also a job that fails after its notebook's end.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from corpus import last_line, map_urls

FOLDERS = (*(f"sdk/python/jobs/{name}" for name in ("parallel", "pipelines", "single-step", "spark")), "tutorials")
COPIED = ("sdk/python/jobs", "sdk/python/assets", "tutorials", "cli/assets", "cli/jobs/pipelines-with-components")
PACKAGES = ("pandas", "matplotlib", "requests", "pyarrow", "mlflow-skinny", "scikit-learn")
"""What notebooks find on a compute instance without installing it."""

_PLACE = "--workspace-name <AML_WORKSPACE_NAME> --resource-group <RESOURCE_GROUP> --subscription <SUBSCRIPTION_ID>"
OFFICIAL = ("azure-ai-ml==1.35.2", "azure-identity", "mldesigner", "nbconvert", "ipykernel", "setuptools<81")
"""The same with Azure's client, and what runs a notebook."""

WORKSPACES = ((), tuple(_PLACE.split()))
"""Where notebooks submit to: the default one, as there is no config.json, and the one they name as they are written."""
SPACED = "https://azuremlexamples.blob.core.windows.net/datasets/credit_card/default%20of%20credit%20card%20clients.csv"
"""Programs hand its path on unquoted, so that it must not lead to a file with spaces in its name."""

NEEDS = {
    "3a_mnist": "the network, in a job: urllib fetches MNIST",
    "1i_": "the name of an attached Spark pool in place of <ATTACHED_SPARK_POOL_NAME>",
    "run_interactive_session": "a session of Spark in the notebook, and code outside of the examples (data-wrangling)",
    "1a_pipeline_with_components_from_yaml/pipeline_with_components_from_yaml_serverless": "the notebook itself fails: "
    "it never makes ml_client",
    "1d_": "the network, in a job: curl of a public file",
    "1h_automl_in_pipeline/automl-image": "the network: images are fetched from a public URL",
    "pipelines/2a_": "the network, in a job: Keras fetches MNIST",
    "2e_": "the network: Fashion-MNIST is fetched from a public URL",
    "explore-data": "the cloud's data plane: azureml-fsspec reads azureml:// by itself",
    "1k_": "the network: the notebook fetches its data from a public URL",
    "e2e-object": "data that the checkout has not: images; and GPUs",
    "cloud-workstation": "the network: pandas reads a public URL",
    "azureml-in-a-day": "a reader who waits for the job, which registers the model that the next cell takes",
    "2b_": "data that the checkout has not: CIFAR-10",
    "2d_": "its own packages no longer go together (azureml-designer-cv-modules 0.0.41), with any installer",
    "mnist-distributed": "the network, in a job: Keras fetches MNIST",
    "with-keras": "data that the checkout has not: MNIST",
    "with-tensorflow/": "data that the checkout has not: MNIST",
    "distributed-cifar10": "the network: CIFAR-10 is fetched from a public URL",
}
"""What a notebook cannot have here, by a part of its path."""

_CARDS = "tutorials/get-started-notebooks/data/default_of_credit_card_clients.csv"
"""Where a tutorial has its data put by hand."""
_CREDIT_CARD = ("data", "create", "--name", "credit-card", "--version", "initial", "--type", "uri_file", "--path")
"""What the tutorial explore-data, which cannot run here to its end, makes in its first cells for the others."""

_TITANIC = ("datastore", "upload", "-n", "workspaceblobstore", "sdk/python/jobs/spark/data", "data")

_REFUSAL = re.compile(
    r"\b(yet|a later version|smalt (does not|has no|cannot)|not supported|has no network of its own)\b"
)
_WRITTEN = re.compile(r"^written: ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", nargs="+", default=[], help="notebooks whose path has one of these texts")
    parser.add_argument("--skip", nargs="+", default=[], help="notebooks whose path has none of these texts")
    parser.add_argument("--limit", type=float, default=600, help="seconds for one notebook")
    parser.add_argument("--home", type=Path, help="the SMALT_HOME to use; a temporary one where absent")
    parser.add_argument("--try-needs", action="store_true", help="run those too that need what cannot be here")
    parser.add_argument("--official", action="store_true", help="with Azure's azure-ai-ml, by smalt exec")
    arguments = parser.parse_args()
    home = arguments.home or Path(tempfile.mkdtemp(prefix="smalt-notebooks-"))
    copy, python = prepared(arguments.checkout, home)
    environment = {**os.environ, "SMALT_HOME": str(home / "home")}
    runner = [python, "-m", "smalt", "python"]
    if arguments.official:
        execute = ["-m", "nbconvert", "--to", "notebook", "--execute", "--output", "executed.ipynb"]
        execute += ["--ExecutePreprocessor.kernel_name=python3"]  # theirs are named after machines
        runner = [python, "-m", "smalt", "exec", "--", official(home), *execute]
        write_config(copy, python, environment)
        environment |= {
            "AZUREML_RUN_POLLING_INTERVAL_MAX": "2",
            "PATH": f"{home}/venv-official/bin:{os.environ['PATH']}",
        }
    (home / "home").mkdir(exist_ok=True)
    map_urls(arguments.checkout, home / "home", environment)
    make_credit_cards(copy, home / "home" / "mirror")
    mapped = f"{SPACED}={home}/home/mirror/credit_card/default_of_credit_card_clients.csv"
    subprocess.run([python, "-m", "smalt", "config", "set", "url-map", mapped], env=environment, check=True)
    for place in WORKSPACES:
        command = [python, "-m", "smalt", *_CREDIT_CARD, str(copy / _CARDS), *place]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    for place in WORKSPACES:  # as the README of sdk/python/jobs/spark says
        command = [python, "-m", "smalt", *_TITANIC, *place]
        subprocess.run(command, cwd=copy, env=environment, check=True, stdout=subprocess.DEVNULL)
    counts: dict[str, int] = {}
    print(f"{'notebook':<100} {'end':<8} {'s':>6}  why")
    try:
        for name in listed(copy, arguments.only, arguments.skip):
            reason = next((why for part, why in NEEDS.items() if part in name), "")
            if reason and not arguments.try_needs:
                end, seconds = "Needs", 0.0
            else:
                end, seconds, reason = run(python, runner, copy / name, environment, arguments.limit)
            counts[end] = counts.get(end, 0) + 1
            print(f"{name.removeprefix('sdk/python/jobs/'):<100} {end:<8} {seconds:6.1f}  {reason}", flush=True)
    finally:
        subprocess.run([python, "-m", "smalt", "server", "stop", "--force"], env=environment, check=False, timeout=60)
    print(", ".join(f"{count} {end}" for end, count in sorted(counts.items())))
    return 1 if counts.get("Fault") else 0


def prepared(checkout: Path, home: Path) -> tuple[Path, str]:
    """A copy of what the notebooks use, and a Python with smalt for them alone."""
    copy, venv = home / "examples", home / "venv"
    for folder in COPIED:
        if not (copy / folder).exists():
            shutil.copytree(checkout / folder, copy / folder)
    python = str(venv / "bin" / "python")
    if not venv.exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, "--seed", str(venv)], check=True)
        root = str(Path(__file__).resolve().parent.parent)
        subprocess.run(
            [*uv, "pip", "install", "--quiet", "--python", python, "--editable", root, *PACKAGES], check=True
        )
    return copy, python


def official(home: Path) -> str:
    """A Python with Azure's client, and with what notebooks find; it has no smalt."""
    python = str(home / "venv-official" / "bin" / "python")
    if not Path(python).exists():
        uv = [sys.executable, "-m", "uv"]
        venv = str(home / "venv-official")
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, "--seed", venv], check=True)
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *OFFICIAL, *PACKAGES], check=True)
    return python


def write_config(copy: Path, python: str, environment: dict[str, str]) -> None:
    """The config.json that lies beside notebooks on a compute instance: Azure's client knows no default workspace."""
    names = {"subscription_id": "SUBSCRIPTION", "resource_group": "RESOURCEGROUP", "workspace_name": "WORKSPACE_NAME"}
    text = "{" + ", ".join(f'"{key}": "$AZUREML_ARM_{name}"' for key, name in names.items()) + "}"
    script = f"cat >config.json <<END\n{text}\nEND"
    command = [python, "-m", "smalt", "exec", "--", "sh", "-c", script]
    subprocess.run(command, cwd=copy, env=environment, check=True)


def make_credit_cards(copy: Path, mirror: Path) -> None:
    """The tutorials' data, under the names that they read it by."""
    chance = random.Random(0)
    months = range(1, 7)
    names = ["LIMIT_BAL", "SEX", "EDUCATION", "MARRIAGE", "AGE", *(f"PAY_{month}" for month in (0, 2, 3, 4, 5, 6))]
    names += [*(f"BILL_AMT{month}" for month in months), *(f"PAY_AMT{month}" for month in months)]
    lines = [
        ",".join(["", *(f"X{number}" for number in range(1, len(names) + 1)), "Y"]),
        ",".join(["ID", *names, "default payment next month"]),
    ]
    for row in range(1, 301):
        few = [chance.choice((20000, 50000, 200000)), *(chance.randint(1, 3) for _ in range(3)), chance.randint(21, 70)]
        late = [chance.randint(-2, 4) for _ in months]
        amounts = [chance.randint(0, 90000) for _ in range(2 * len(months))]
        lines.append(",".join(map(str, [row, *few, *late, *amounts, int(sum(late) > chance.randint(0, 12))])))
    text = "\n".join(lines) + "\n"
    (mirror / "credit_card").mkdir(exist_ok=True)
    (mirror / "credit_card" / "default_of_credit_card_clients.csv").write_text(text)
    (copy / _CARDS).parent.mkdir(exist_ok=True)
    (copy / _CARDS).write_text(text)


def listed(copy: Path, only: list[str], skip: list[str]) -> list[str]:
    found = [
        str(path.relative_to(copy))
        for folder in FOLDERS
        for path in sorted((copy / folder).glob("**/*.ipynb"))
        if not path.name.endswith("executed.ipynb")
    ]
    if only:
        found = [name for name in found if any(text in name for text in only)]
    return [name for name in found if not any(text in name for text in skip)]


def submitted(python: str, environment: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """All jobs, and how the command line is told where each is."""
    found = {}
    for where in WORKSPACES:
        command = [python, "-m", "smalt", "job", "list", *where, "--query", "[].name", "-o", "tsv"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        found.update(dict.fromkeys(done.stdout.replace("[]", "").split(), where))
    return found


def after(python: str, environment: dict[str, str], before: dict[str, tuple[str, ...]], limit: float) -> str:
    """Wait for the jobs that the notebook has submitted; what is wrong with the first that fails."""
    for name, where in submitted(python, environment).items():
        if name in before:
            continue
        command = [python, "-m", "smalt", "job", "stream", *where, "--name", name]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return f"its job {name} is not over after {limit:g} s"
        if done.returncode:
            return f"its job {name}: {last_line(done.stderr)}"
    return ""


def run(
    python: str, runner: list[str], notebook: Path, environment: dict[str, str], limit: float
) -> tuple[str, float, str]:
    before = submitted(python, environment)
    began = time.monotonic()
    with open(f"{notebook}.log", "w+") as log:
        try:
            done = subprocess.run(
                [*runner, notebook.name], cwd=notebook.parent, env=environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, timeout=limit, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "Fault", time.monotonic() - began, f"not over after {limit:g} s"
        log.seek(0)
        lines = [line.rstrip() for line in log if line.strip() and not _WRITTEN.match(line)]
    seconds = time.monotonic() - began
    if done.returncode == 0:
        reason, seconds = after(python, environment, before, limit), time.monotonic() - began
        if not reason:
            return "Runs", seconds, ""
    else:
        reason = lines[-1] if lines else f"code {done.returncode}"
    return "Refused" if _REFUSAL.search(reason) else "Fault", seconds, reason


if __name__ == "__main__":
    sys.exit(main())
