"""A Spark job beside bare `spark-submit` of the same script, by the same PySpark and Java, in turn.

    python bench/spark.py [--rounds 5]

The home installs its environment first. Printed are medians: the seconds of each, from the command to its end, and what
the job adds. The job's client is in its time, and so is the event log that it keeps.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import common
from tests.acceptance.jobs.spark_job import JOB, find_spark, write_sum


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    folder = Path(common.folder())
    (folder / "src").mkdir()
    (folder / "src/main.py").write_text(write_sum(1000))
    (folder / "job.yml").write_text(JOB)
    found: dict[str, list[float]] = {"spark-submit": [], "job": []}
    with common.home() as environment:
        run_job(environment, folder)  # it installs the environment
        words, variables = find_submit(environment, folder)
        for _ in range(rounds):
            found["spark-submit"].append(measure(lambda: run_bare(words, variables)))
            found["job"].append(measure(lambda: run_job(environment, folder)))
    bare, job = (statistics.median(found[name]) for name in ("spark-submit", "job"))
    added = statistics.median(b - a for a, b in zip(found["spark-submit"], found["job"], strict=True))
    print("| spark-submit | job | added (aim: ≤ 1 s) | ratio |\n|---|---|---|---|")
    print(f"| {bare:.2f} s | {job:.2f} s | {added:.2f} s | {job / bare:.2f}× |")
    common.clean()


def measure(run) -> float:  # type: ignore[no-untyped-def]
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def run_job(environment: dict[str, str], folder: Path) -> None:
    said = common.smalt(environment, "job", "create", "--file", str(folder / "job.yml"), "--stream")
    if "499500" not in said:
        raise SystemExit(said)


def find_submit(environment: dict[str, str], folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the variables of a bare run with the environment that the home has made."""
    spark, java = find_spark(Path(environment["SMALT_HOME"], "environments"))
    python = next(parent / "bin/python" for parent in spark.parents if (parent / "bin/python").exists())
    variables = {
        **os.environ,
        "JAVA_HOME": str(java),
        "PYSPARK_PYTHON": str(python),
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    conf = ["--conf", "spark.ui.enabled=false", "--driver-memory", "2g"]
    return [f"{spark}/bin/spark-submit", "--master", "local[1]", *conf, f"{folder}/src/main.py"], variables


def run_bare(words: list[str], variables: dict[str, str]) -> None:
    done = subprocess.run(words, env=variables, capture_output=True, text=True)
    if "499500" not in done.stdout:
        sys.exit(done.stderr)


if __name__ == "__main__":
    main()
