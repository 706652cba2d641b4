"""Which shell scripts of a checkout, written for the Azure CLI, run under `smalt exec` as they are:
`python bench/az_scripts.py CHECKOUT [--only TEXT] [--limit SECONDS]`.

Scripts that call `az` for what only the cloud has, or `az ml` verbs that smalt lacks, are listed with what they want;
the rest run, in a copy of the checkout's `cli` folder and a home of their own.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click

from smalt.cli.app import smalt
from smalt.cli.az import _ANSWERS

CALL = re.compile(r"(?:^|[\s;|&($`])az +((?:[a-z][\w-]*(?: +|$)){1,3})", re.MULTILINE)
FILE = re.compile(r"(?:-f|--file)[ =]+([\w./-]+)")
OTHERS = {"docker", "azcopy", "terraform", "helm", "kubectl", "sudo", "databricks"}
REGISTRY = re.compile(r"--registry-name|registry_name=|registries/azureml-meta")


class Row(NamedTuple):
    script: str
    outcome: str
    seconds: float
    why: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", default="", help="scripts whose path has this text")
    parser.add_argument("--limit", type=float, default=120, help="seconds for each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="az-") as folder:
        checkout = Path(folder, "checkout")
        shutil.copytree(options.checkout, checkout, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        environment = {**os.environ, "SMALT_HOME": str(Path(folder, "home"))}
        scripts = sorted(path for path in checkout.glob("cli/**/*.sh") if options.only in str(path))
        rows = [row for path in scripts if (row := outcome(path, checkout, environment, options.limit))]
        subprocess.run([sys.executable, "-m", "smalt", "server", "stop", "--force"], env=environment, check=False)
    for row in sorted(rows, key=lambda row: (row.outcome, row.script)):
        print(f"| {row.script} | {row.outcome} | {row.seconds:.0f} | {row.why} |")
    outcomes = [row.outcome for row in rows]
    print({outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))})
    return 0


def outcome(path: Path, checkout: Path, environment: dict[str, str], limit: float) -> Row | None:
    """None for a script that does not call `az ml`."""
    name, text = str(path.relative_to(checkout)), code(path.read_text(errors="replace"))
    calls = [found.split() for found in CALL.findall(text)]
    if not any(call[0] == "ml" for call in calls):
        return None
    lacks = sorted({lack for call in calls if (lack := lacking(call))})
    lacks += sorted(OTHERS & set(re.findall(r"(?:^|[;|&]\s*)([a-z]+)\b", text, re.MULTILINE)))
    lacks += ["a registry of models"] if REGISTRY.search(text) else []
    if lacks:
        return Row(name, "not run", 0, ", ".join(lacks))
    begun = time.monotonic()
    command = [sys.executable, "-m", "smalt", "exec", "--", "bash", str(path)]
    named = FILE.findall(text)
    where = path.parent if any((path.parent / one).exists() for one in named) else checkout / "cli"
    try:
        done = subprocess.run(
            command, cwd=where, env=environment, capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return Row(name, "too long", limit, "")
    said = [line for line in done.stderr.splitlines() if line.strip()]
    failed = next((line for line in said if "rror" in line), said[-1] if said else "")
    what = "ran" if done.returncode == 0 else "failed"
    return Row(name, what, time.monotonic() - begun, failed[:200] if what == "failed" or "rror" in failed else "")


def code(text: str) -> str:
    """Without comments, a command on one line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ")


def lacking(call: list[str]) -> str:
    """What smalt does not have of a call; "" when it has it."""
    if call[0] != "ml":
        known = any(" ".join(call[:length]) in _ANSWERS for length in (1, 2, 3))
        return "" if known else f"az {' '.join(call[:2])}"
    noun = smalt.get_command(click.Context(smalt), call[1]) if len(call) > 1 else None
    verb = noun.get_command(click.Context(noun), call[2]) if isinstance(noun, click.Group) and len(call) > 2 else None
    return "" if verb else f"az {' '.join(call)}"


if __name__ == "__main__":
    sys.exit(main())
