"""`smalt-spark-submit SETTINGS`: makes ready what a cluster would, and becomes spark-submit.

SETTINGS is JSON from the server (`service/engine/kinds/spark_submission.py`). The arguments of the entry come from
stdin, with a separator between two: each may have any characters.
"""

from __future__ import annotations

import json
import os
import re
import sys

from .resources import choose_cores, choose_memory
from .staging import find_java, find_spark, stage_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SEPARATOR, BEGIN = "\x1e", "\x1f"
ERROR_FILE = os.path.join("logs", "smalt_error.txt")
EVENTS = os.path.join("logs", "spark-events")
VIEW = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
"""Hadoop's own file system for a scheme whose paths are mounted elsewhere."""
TARGETS = {
    "wasb": "org.apache.hadoop.fs.azure.NativeAzureFileSystem",
    "wasbs": "org.apache.hadoop.fs.azure.NativeAzureFileSystem$Secure",
    "abfs": "org.apache.hadoop.fs.azurebfs.AzureBlobFileSystem",
    "abfss": "org.apache.hadoop.fs.azurebfs.SecureAzureBlobFileSystem",
}
"""The file systems for what is not mounted: they are there if the job has hadoop-azure among its packages."""
DRIVER_VARIABLES = "spark.yarn.appMasterEnv."
DYNAMIC = "spark.dynamicAllocation."


def main() -> None:
    try:
        command, variables = _make_submission(json.loads(sys.argv[1]))
    except SystemExit as error:
        _write_error(str(error.code))
        raise
    os.execve(command[0], command, variables)


def _make_submission(settings: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Return the command of spark-submit and its variables; exit with a sentence if there is no Spark or Java."""
    arguments = [resolve_output(one) for one in split_arguments(os.fsdecode(sys.stdin.buffer.read()))]
    spark, version = find_spark()
    stage_files(settings.get("files") or [], settings.get("archives") or [])
    _remove_empty_outputs(settings.get("outputs") or [])
    variables = dict(os.environ)
    variables.update(SPARK_HOME=spark, PYSPARK_PYTHON=sys.executable, PYSPARK_DRIVER_PYTHON=sys.executable)
    java = find_java()
    variables.update({"JAVA_HOME": java} if java else {})
    conf = _make_conf(settings, variables)
    master = conf["spark.master"]
    memory = ""
    if master.startswith("local"):
        variables.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        memory = f" with {conf['spark.driver.memory']} of memory"
    variables.setdefault("PYARROW_IGNORE_TIMEZONE", "1")
    events = f"; its event log is in {EVENTS}" if conf["spark.eventLog.enabled"] == "true" else ""
    print(f"Spark {version} on {master}{memory}{events}", flush=True)
    if memory and (idle := [key for key in conf if key == "spark.driver.cores" or key.startswith(DYNAMIC)]):
        print(f"{', '.join(idle)}: no effect, as one process stands for driver and executors", flush=True)
    command = _build_command(spark, settings, conf, arguments)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    return command, variables


def _write_error(sentence: str) -> None:
    """Write the sentence to where the server reads why the job failed."""
    try:
        os.makedirs(os.path.dirname(ERROR_FILE), exist_ok=True)
        with open(ERROR_FILE, "w", encoding="utf-8") as file:
            file.write(sentence)
    except OSError:  # the disk may be full: the log has the sentence
        pass


def split_arguments(text: str) -> list[str]:
    """Return the arguments of the entry: what an optional block would have added is empty and has no beginning."""
    return [one[len(BEGIN) :] if one.startswith(BEGIN) else one for one in text.split(SEPARATOR)[1:-1] if one]


def _build_command(spark: str, settings: Mapping[str, Any], conf: Mapping[str, str], arguments: list[str]) -> list[str]:
    command = [os.path.join(spark, "bin", "spark-submit")]
    jars = list(settings.get("jars") or [])
    if settings.get("class"):
        command += ["--class", settings["class"]]
    entry = settings.get("file") or jars.pop(0)
    for option, values in (
        ("--py-files", settings.get("py_files")), ("--jars", jars), ("--files", settings.get("files")),
        ("--archives", settings.get("archives")),
    ):  # fmt: skip
        if values:
            command += [option, ",".join(values)]
    for key, value in conf.items():
        command += ["--conf", f"{key}={value}"]
    return [*command, entry, *arguments]


def _make_conf(settings: Mapping[str, Any], variables: dict[str, str]) -> dict[str, str]:
    """Return the whole configuration: the job's own keys as written, and what this machine needs."""
    own: dict[str, str] = dict(settings.get("conf") or {})
    for key in [key for key in own if key.startswith(DRIVER_VARIABLES)]:
        variables[key[len(DRIVER_VARIABLES) :]] = own.pop(key)
    master = own.get("spark.master") or f"local[{choose_cores(settings.get('cores'))}]"
    conf = {"spark.master": master, "spark.ui.enabled": "false", "spark.eventLog.enabled": "true"}
    if own.get("spark.eventLog.enabled", "true").lower() == "true" and "spark.eventLog.dir" not in own:
        os.makedirs(EVENTS, exist_ok=True)
        conf["spark.eventLog.dir"] = _make_file_uri(os.path.abspath(EVENTS))
    conf.update(own)
    conf["spark.master"] = master
    conf["spark.eventLog.enabled"] = conf["spark.eventLog.enabled"].lower()
    if master.startswith("local"):
        conf["spark.driver.memory"] = choose_memory(settings.get("memory") or [])
        if "log4j" not in " ".join(own) and not os.path.exists("log4j2.properties"):
            file = _make_file_uri(os.path.join(os.path.dirname(os.path.abspath(__file__)), "log4j2.properties"))
            old = variables.get("SPARK_SUBMIT_OPTS", "")
            variables["SPARK_SUBMIT_OPTS"] = f"{old} -Dlog4j2.configurationFile={file}".strip()
    return {**_list_mounts(own), **conf}


def _list_mounts(own: Mapping[str, str]) -> dict[str, str]:
    """Return the keys by which Spark finds data of this machine under the URIs that it has in the cloud."""
    mounts = json.loads(os.environ.get("SMALT_SPARK_MOUNTS") or "{}")
    conf = {}
    for scheme, hosts in mounts.items():
        if f"spark.hadoop.fs.{scheme}.impl" in own:
            continue
        conf[f"spark.hadoop.fs.{scheme}.impl"] = VIEW
        if scheme in TARGETS:
            conf[f"spark.hadoop.fs.viewfs.overload.scheme.target.{scheme}.impl"] = TARGETS[scheme]
        for host, links in hosts.items():
            table = f"spark.hadoop.fs.viewfs.mounttable.{host}"
            for path, folder in links.items():
                key = f"{table}.link.{path}" if path != "/" else f"{table}.linkFallback"
                conf[key] = _make_file_uri(folder)
    return conf


def resolve_output(argument: str) -> str:
    """Return an argument with the place itself instead of a link to it: Spark replaces the folder that it writes."""
    for name, path in os.environ.items():
        if name.startswith("AZURE_ML_OUTPUT_") and os.path.islink(path):
            place = os.path.realpath(path).replace("\\", r"\\")
            argument = re.sub(rf"{re.escape(path)}(?=/|$)", place, argument)
    return argument


def _remove_empty_outputs(names: list[str]) -> None:
    """Remove the folders of outputs that hold nothing: Spark refuses to write to a folder that exists."""
    for name in names:
        path = os.path.realpath(os.environ.get(f"AZURE_ML_OUTPUT_{name}", ""))
        try:
            os.rmdir(path)
        except OSError:
            pass


def _make_file_uri(path: str) -> str:
    from urllib.parse import quote

    return f"file://{quote(path)}"


if __name__ == "__main__":
    main()
