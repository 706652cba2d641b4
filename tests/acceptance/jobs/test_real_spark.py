"""Spark jobs that really run: the home installs PySpark and Java, so these tests are run by `-m integration`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.machine.home import Home
from tests.acceptance.jobs.spark_job import JOB, SIZES, find_spark, write_sum
from tests.helpers import Server, eventually, running_server

pytestmark = pytest.mark.integration
EXAMPLE = Path(__file__).parents[3] / "docs/spark.md"
READS = """
import sys
from pyspark import SparkFiles
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
for uri in sys.argv[2:]:
    print("read", uri, spark.read.option("header", "true").csv(uri).count())
spark.range(3).write.mode("overwrite").parquet("azureml://datastores/workspaceblobstore/paths/made/by/spark")
spark.range(2).write.csv(sys.argv[1])
print("beside:", open("beside.txt").read(), open("packed/in.txt").read())
print("as", open(SparkFiles.get("beside.txt")).read())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    return tmp_path


def smalt(server: Server, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a folder; what it prints is its stdout."""
    environment = {**os.environ, "SMALT_HOME": str(server.home.root)}
    program = [str(Path(sys.executable).with_name("smalt")), *words]  # type: ignore[attr-defined]
    return subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def run_job(server: Server, folder: Path, text: str) -> str:
    """Run a job to its end, which is to be good; return its log."""
    (folder / "job.yml").write_text(text)
    ran = smalt(server, folder, "job", "create", "--file", "job.yml", "--stream")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def find_store(home: Home) -> Path:
    return home.path("workspaces", "default", "datastores", "workspaceblobstore")


def test_the_example_of_the_docs(server: Server, folder: Path) -> None:
    """Its two files, as they are printed; the event log is kept with the job."""
    python, job = re.findall(r"```(?:python|yaml)\n(.*?)```", EXAMPLE.read_text(), re.DOTALL)[:2]
    (folder / "src/count.py").write_text(python)
    (folder / "words.txt").write_text("a b a\n")
    log = run_job(server, folder, job)
    assert "Spark 3.5" in log
    name = re.findall(r"job (\w+) Completed", log)[0]
    got = smalt(server, folder, "job", "download", "--name", name, "--download-path", "there", "--all")
    assert got.returncode == 0, got.stderr
    parts = list((folder / "there").rglob("part-*.csv"))
    assert [part.read_text() for part in parts] == ["a,2\nb,1\n"]
    assert any(path.stat().st_size for path in (folder / "there").rglob("spark-events/local-*"))


def test_uris_files_and_archives(server: Server, folder: Path) -> None:
    """A script reads and writes by the cloud's URIs, and finds beside it what a cluster would bring there."""
    (folder / "src/main.py").write_text(READS)
    (folder / "src/data").mkdir()
    (folder / "src/data/beside.txt").write_text("files")
    (folder / "in.txt").write_text("archives")
    subprocess.run(["tar", "-cf", "src/a.tar", "in.txt"], cwd=folder, check=True)
    (folder / "open").mkdir()
    (folder / "open/x.csv").write_text("a\n1\n2\n")
    store = find_store(server.home)
    (store / "tables").mkdir(parents=True, exist_ok=True)
    (store / "tables/x.csv").write_text("a\n1\n")
    mapped = f"wasbs://open@acc.blob.core.windows.net/x={folder}/open"
    assert smalt(server, folder, "config", "set", "url-map", mapped).returncode == 0
    log = run_job(
        server, folder,
        "type: spark\ncode: src\nentry: {file: main.py}\nfiles: [data/beside.txt]\narchives: ['a.tar#packed']\n"
        "outputs: {o: {type: uri_folder, mode: direct}}\nargs: >-\n  ${{outputs.o}}\n"
        "  azureml://datastores/workspaceblobstore/paths/tables/x.csv\n"
        "  wasbs://open@acc.blob.core.windows.net/x/x.csv\n  abfss://open@acc.dfs.core.windows.net/x\n" + SIZES,
    )  # fmt: skip
    assert re.findall(r"read \S+ (\d)", log) == ["1", "2", "2"]
    assert "beside: files archives" in log
    assert "as files" in log
    assert list((store / "made/by/spark").glob("part-*.parquet"))


def test_a_pipeline_reuses_its_spark_step(server: Server, folder: Path) -> None:
    """A conda file's package is beside PySpark; the second run takes over what the first one wrote."""
    (folder / "src/main.py").write_text(
        "import sys, tomli_w\nfrom pyspark.sql import SparkSession\n"
        "SparkSession.builder.getOrCreate().range(5).write.csv(sys.argv[1])\nprint('wrote by', tomli_w.__name__)\n"
    )
    (folder / "conda.yml").write_text("dependencies: [pip, {pip: [tomli-w]}]\n")
    step = "\n".join(f"    {line}" for line in SIZES.strip().splitlines())
    text = (
        "type: pipeline\njobs:\n  s:\n    type: spark\n    code: src\n    entry: {file: main.py}\n"
        "    outputs: {o: {type: uri_folder, mode: direct}}\n    args: ${{outputs.o}}\n"
        f"    environment: {{conda_file: conda.yml}}\n{step}\n"
        "  t:\n    type: command\n    command: cat ${{inputs.d}}/part* | wc -l\n    environment: azureml:host\n"
        "    inputs: {d: '${{parent.jobs.s.outputs.o}}'}\n"
    )
    first = run_job(server, folder, text)
    assert "wrote by tomli_w" in first
    assert "t | 5" in first
    assert "reused" in run_job(server, folder, text).lower()


def test_a_cluster_of_its_own(server: Server, folder: Path) -> None:
    """A standalone master with a worker, both real; the job's compute is its URL."""
    (folder / "src/main.py").write_text(write_sum(100, "'master', s.sparkContext.master"))
    log = run_job(server, folder, JOB)
    assert "master local[1] 4950" in log
    found = smalt(server, folder, "environment", "show", "--name", "smalt-spark-3.5", "--version", "1", "-o", "json")
    assert json.loads(found.stdout)["name"] == "smalt-spark-3.5"
    spark, java = find_spark(server.home.path("environments"))
    variables = {**os.environ, "SPARK_HOME": str(spark), "JAVA_HOME": str(java), "SPARK_LOCAL_IP": "127.0.0.1"}
    master = "org.apache.spark.deploy.master.Master --host 127.0.0.1 --port 0 --webui-port 0"
    with (folder / "master.log").open("w") as out:
        started = [subprocess.Popen([f"{spark}/bin/spark-class", *master.split()], env=variables, stderr=out)]
    try:
        url = eventually(
            lambda: (m := re.search(r"spark://[\d.]+:\d+", (folder / "master.log").read_text())) and m[0], "it", 120
        )
        worker = f"org.apache.spark.deploy.worker.Worker --host 127.0.0.1 --webui-port 0 -c 1 -m 1g {url}"
        words = [f"{spark}/bin/spark-class", *worker.split()]
        started.append(subprocess.Popen(words, env=variables, cwd=folder, stderr=subprocess.DEVNULL))
        assert f"master {url} 4950" in run_job(server, folder, f"compute: {url}\n{JOB}")
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait()


def test_a_canceled_job_leaves_no_process(server: Server, folder: Path) -> None:
    """Neither the script's Python nor the Java above it."""
    (folder / "src/main.py").write_text(
        "import os, signal\nfrom pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().range(3).count()\n"
        "print('pids', os.getpid(), os.getppid())\nsignal.pause()\n"
    )
    (folder / "job.yml").write_text(f"name: endless\n{JOB}")
    assert smalt(server, folder, "job", "create", "--file", "job.yml").returncode == 0

    def read_pids() -> list[int]:
        logs = server.home.path("workspaces", "default").rglob("*endless*/user_logs/std_log.txt")
        found = [pair for log in logs for pair in re.findall(r"pids (\d+) (\d+)", log.read_text())]
        return [int(pid) for pair in found for pid in pair]

    pids = eventually(read_pids, "its processes", 600)
    assert smalt(server, folder, "job", "cancel", "--name", "endless").returncode == 0
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "their end")
    words = ("job", "show", "--name", "endless", "--query", "status", "-o", "tsv")
    eventually(lambda: smalt(server, folder, *words).stdout.strip() == "Canceled", "its end", 60)
