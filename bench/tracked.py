"""What training scripts of an azureml-examples checkout log as jobs, beside what they log when run by hand.

    python bench/tracked.py CHECKOUT --mlflow PYTHON [--only TEXT …]

PYTHON has a stock mlflow (mlflow-skinny is enough), which reads back what the jobs logged. By hand means: the same
script, with the Python of the environment that the job got, logging to a folder of MLflow's own.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from corpus import last_line, smalt

SINGLE = "cli/jobs/single-step"
IRIS = "cli/jobs/pipelines/add-column-and-word-count-using-spark/data/iris.csv"
TAXI = "cli/jobs/pipelines/nyc-taxi"
TAXI_PARTS = "cli/jobs/pipelines-with-components/nyc_taxi_data_regression"
URLS = (
    "https://azuremlexamples.blob.core.windows.net/datasets/",
    "wasbs://datasets@azuremlexamples.blob.core.windows.net/",
)

_TAXI_STEPS = [
    ("prep", "prep.py --raw_data {root}/data --prep_data {out}/prep"),
    ("transform", "transform.py --clean_data {out}/prep --transformed_data {out}/transformed"),
    ("train", "train.py --training_data {out}/transformed --test_data {out}/test --model_output {out}/model"),
    ("predict", "predict.py --model_input {out}/model --test_data {out}/test --predictions {out}/predictions"),
    ("score", "score.py --predictions {out}/predictions --model {out}/model --score_report {out}/score"),
]

Steps = list[tuple[str, str, str]]
"""(the step's name, or "" for the job itself; its code folder; what its Python runs)"""

FILES: dict[str, Steps] = {
    "cli/jobs/basics/hello-mlflow.yml": [("", "cli/jobs/basics/src", "hello-mlflow.py")],
    f"{SINGLE}/scikit-learn/diabetes/job.yml": [
        ("", f"{SINGLE}/scikit-learn/diabetes/src", "main.py --diabetes-csv {data}/diabetes.csv")
    ],
    f"{SINGLE}/scikit-learn/iris/job.yml": [
        ("", f"{SINGLE}/scikit-learn/iris/src", "main.py --iris-csv {data}/iris.csv --C 0.8 --kernel rbf --coef0 0.1")
    ],
    f"{SINGLE}/lightgbm/iris/job.yml": [("", f"{SINGLE}/lightgbm/iris/src", "main.py --iris-csv {data}/iris.csv")],
    f"{SINGLE}/pytorch/iris/job.yml": [
        ("", f"{SINGLE}/pytorch/iris/src", "main.py --iris-csv {data}/iris.csv --epochs 10 --lr 0.1")
    ],
    f"{TAXI}/pipeline.yml": [
        (f"{name}_job", f"{TAXI}/src/{name}", arguments.replace("{root}", "{checkout}/" + TAXI))
        for name, arguments in _TAXI_STEPS
    ],
    f"{TAXI_PARTS}/pipeline.yml": [
        (
            f"{name}_job",
            f"{TAXI_PARTS}/{name}_src",
            arguments.replace("{root}", "{checkout}/" + TAXI_PARTS)
            + (" --test_split_ratio 0.2" if name == "train" else ""),  # the component's default, not the script's
        )
        for name, arguments in _TAXI_STEPS
    ],
}  # fmt: skip

SITE = str(Path(__file__).parents[1] / "src/smalt/inside/site")
"""Listings in the service's order by hand, too: the taxi steps take `os.listdir(folder)[1]`."""

READ = """
import json, sys, mlflow
client = mlflow.MlflowClient()
answer = {}
def files(run, path=None):
    for one in client.list_artifacts(run, path):
        yield from files(run, one.path) if one.is_dir else [one.path]
for name in sys.argv[1:]:
    run = client.get_run(name)
    artifacts = sorted(set(files(name)))
    answer[name] = {"status": run.info.status, "params": run.data.params, "metrics": run.data.metrics,
        "artifacts": len(artifacts), "models": [path[:-8] for path in artifacts if path.endswith("/MLmodel")],
        "parent": run.data.tags.get("mlflow.parentRunId")}
print(json.dumps(answer))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--mlflow", required=True, help="a Python that has mlflow")
    parser.add_argument("--only", nargs="+", default=[""], help="files whose path has one of these texts")
    arguments = parser.parse_args()
    checkout = arguments.checkout.resolve()
    folder = Path(tempfile.mkdtemp(prefix="smalt-tracked-"))
    environment = {**os.environ, "SMALT_HOME": str(folder / "home")}
    data = _data(checkout, folder / "data")
    for url in URLS:
        smalt(["config", "set", "url-map", f"{url}={data}"], checkout, environment, 60)
    wrong = 0
    print("| file | step | what | tracked | by hand |\n|---|---|---|---|---|")
    try:
        for file, steps in FILES.items():
            if any(text in file for text in arguments.only):
                wrong += _compare(checkout, file, steps, environment, arguments.mlflow, folder)
    finally:
        smalt(["server", "stop", "--force"], checkout, environment, 60)
    return 1 if wrong else 0


def _data(checkout: Path, folder: Path) -> Path:
    """What stands at the public addresses: the examples' iris.csv; for diabetes.csv a stand-in of its columns."""
    folder.mkdir()
    shutil.copy(checkout / IRIS, folder)
    columns = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
    rows = [[((7 * row + 13 * column) % 97) / 97 for column in range(10)] for row in range(442)]
    lines = [",".join([*columns, "target"])]
    lines += [",".join(map(str, [*row, 100 + 50 * row[2] - 30 * row[8] + row[0] * row[1]])) for row in rows]
    (folder / "diabetes.csv").write_text("\n".join(lines) + "\n")
    return folder


def _compare(checkout: Path, file: str, steps: Steps, environment: dict[str, str], mlflow: str, folder: Path) -> int:
    """Print the file's rows; how many differ."""
    short = file.removeprefix("cli/jobs/")
    before = set(_environments(environment))
    created = smalt(["job", "create", "-f", file, "-o", "json"], checkout, environment, 900)
    if created.returncode:
        print(f"| {short} | | refused: {last_line(created.stderr)} | | |")
        return 1
    name = json.loads(created.stdout)["name"]
    smalt(["job", "stream", "-n", name], checkout, environment, 1800)
    shown = smalt(["job", "show", "-n", name, "-o", "json"], checkout, environment, 60)
    if json.loads(shown.stdout)["status"] != "Completed":
        print(f"| {short} | | {name} did not complete | | |")
        return 1
    runs = _read_back([f"{name}-{step}" if step else name for step, *_ in steps], checkout, environment, mlflow)
    python = _python(before, environment)
    by_hand = _by_hand(checkout, steps, python, folder)
    wrong = 0
    for (step, *_), run in zip(steps, runs.values(), strict=True):
        hand = by_hand[step]
        for metric in sorted(run["metrics"].keys() | hand["metrics"].keys()):
            ours, theirs = run["metrics"].get(metric), hand["metrics"].get(metric)
            wrong += (ours is None) != (theirs is None)
            print(f"| {short} | {step} | {metric} | {_number(ours)} | {_number(theirs)} |")
        if not hand["metrics"] and not hand["params"] and not run["metrics"]:
            continue  # it logs nothing
        params = {key: value for key, value in run["params"].items() if hand["params"].get(key) == value}
        wrong += len(params) < len(hand["params"])
        print(f"| {short} | {step} | parameters that are the same | {len(params)} | {len(hand['params'])} |")
        tracked = f"{run['status']}; {run['artifacts']}; {', '.join(run['models'])}"
        print(f"| {short} | {step} | state; files; models | {tracked} | {hand['files']} files |")
    return wrong


def _read_back(
    names: list[str], checkout: Path, environment: dict[str, str], mlflow: str
) -> dict[str, dict[str, object]]:
    lines = smalt(["mlflow", "uri", "--env"], checkout, environment, 60).stdout
    variables = dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines.splitlines() if line)
    done = subprocess.run([mlflow, "-c", READ, *names], env={**os.environ, **variables}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout)


def _environments(environment: dict[str, str]) -> list[Path]:
    return sorted(Path(environment["SMALT_HOME"]).glob("environments/*/venv/bin/python"))


def _python(before: set[Path], environment: dict[str, str]) -> Path:
    """Of the environment that the job had built, or else used last."""
    return max(_environments(environment), key=lambda path: (path not in before, path.parents[2].stat().st_mtime))


def _by_hand(checkout: Path, steps: Steps, python: Path, folder: Path) -> dict[str, dict[str, dict[str, object]]]:
    out = Path(tempfile.mkdtemp(dir=folder))
    results = {}
    for step, code, arguments in steps:
        work, runs = out / f"work-{step}", out / f"runs-{step}"
        shutil.copytree(checkout / code, work)
        for name in ("prep", "transformed", "test", "model", "predictions", "score"):
            if name != "model" or TAXI in code:  # the others' train step wants to make it
                (out / name).mkdir(exist_ok=True)
        words = shlex.split(arguments.format(checkout=checkout, data=folder / "data", out=out))
        variables = {**os.environ, "MLFLOW_TRACKING_URI": f"file:{runs}", "PYTHONPATH": SITE}
        done = subprocess.run([str(python), *words], cwd=work, env=variables, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"by hand, {code}: {done.stderr[-1500:]}")
        results[step] = _logged(runs)
    return results


def _logged(runs: Path) -> dict[str, dict[str, object]]:
    """MLflow's own files: a metric's has lines of time, value and step; a parameter's holds the value."""
    metrics = {path.name: float(path.read_text().split("\n")[-2].split()[1]) for path in runs.glob("*/*/metrics/*")}
    params = {path.name: path.read_text() for path in runs.glob("*/*/params/*")}
    files = sum(path.is_file() for path in runs.glob("*/*/artifacts/**/*"))
    return {"metrics": metrics, "params": params, "files": files}


def _number(value: object) -> str:
    return "–" if value is None else f"{value:.6g}"


if __name__ == "__main__":
    sys.exit(main())
