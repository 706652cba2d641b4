"""Inside a job, Python lists folders in lexicographic order."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import smalt.inside

SITE = Path(smalt.inside.__file__).with_name("site")
NAMES = ["yellow", "green", "merged", "a", "B", "z", "m", "1", "é"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    for name in NAMES:
        (made / name).write_text("x")
    return made


def python(code: str, folder: Path, *more_path: Path) -> list[str]:
    path = os.pathsep.join(map(str, [SITE, *more_path]))
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run([sys.executable, "-c", code, folder], env=env, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return run.stdout.split()


@pytest.mark.parametrize(
    "listing",
    [
        "os.listdir(f)",
        "os.listdir(f.encode()) and os.listdir(os.open(f, 0))",
        "(os.chdir(f), os.listdir())[1]",
        "[e.name for e in os.scandir(f)]",
        "next(os.walk(f))[2]",
        "[os.path.basename(p) for p in glob.glob(f + '/*')]",
        "[p.name for p in pathlib.Path(f).iterdir()]",
        "[p.name for p in pathlib.Path(f).glob('*')]",
        "sorted(n for n in map(str, os.listdir(f)))",
    ],
)
def test_every_way_of_listing_is_in_order(folder: Path, listing: str) -> None:
    """os, glob and pathlib all give names in order."""
    code = f"import os, sys, glob, pathlib\nf = sys.argv[1]\nprint(*{listing})"
    assert python(code, folder) == sorted(NAMES)


def test_scandir_is_still_what_it_was(folder: Path) -> None:
    """It can be closed, used in `with`, and gives real entries."""
    code = (
        "import os, sys\n"
        "with os.scandir(sys.argv[1]) as entries:\n"
        "    first = next(entries)\n"
        "print(first.name, first.is_file(), first.stat().st_size, list(entries))"
    )
    assert python(code, folder) == ["1", "True", "1", "[]"]


def test_the_sitecustomize_that_it_hides_still_runs(folder: Path, tmp_path: Path) -> None:
    """Another sitecustomize on the path, the user's or the distribution's, is run as well."""
    (tmp_path / "sitecustomize.py").write_text("import builtins\nbuiltins.other = 'ran'\n")
    assert python("import builtins; print(builtins.other)", folder, tmp_path) == ["ran"]


def test_it_reads_on_old_pythons() -> None:
    """What goes into jobs is written for Python 3.8."""
    for file in SITE.glob("*.py"):
        ast.parse(file.read_text(), feature_version=(3, 8))
