"""Which shell scripts of a checkout, written for the Azure CLI, run under `smalt exec` as they are:
`python bench/az_scripts.py CHECKOUT [--only TEXT] [--limit SECONDS] [--calls]`, a table in Markdown.

Every `cli/**/*.sh` is read. What it needs that cannot be here is said, the first that applies: a service of the cloud,
a verb that smalt lacks, an endpoint that answers, a public download, … The rest run, in a copy of the checkout and a
home of their own, and each `az` of theirs is counted: a script without `set -e` goes on, and ends well, whatever fails.
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
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click
from corpus import map_urls

from smalt.cli.app import smalt
from smalt.cli.az.program import is_answered

CALL = re.compile(r"(?:^|[\s;|&($`])az +((?:[a-z][\w-]*(?: +|$)){1,3})", re.MULTILINE)
FILE = re.compile(r"(?:-f|--file)[ =]+([\w./-]+)")
ARGUMENTS = {
    "cli/run-job.sh": ("jobs/basics/hello-pipeline-io.yml",),
    "cli/upload-data-to-blob.sh": ("jobs",),
}
"""What a script is called with."""

Need = Callable[[str, list[list[str]]], str]
"""Why a script, without its comments, and its calls of `az` cannot run here; "" when nothing is in the way."""


class Row(NamedTuple):
    script: str
    outcome: str
    why: str = ""
    calls: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", default="", help="scripts whose path has this text")
    parser.add_argument("--limit", type=float, default=240, help="seconds for each")
    parser.add_argument("--calls", action="store_true", help="print each call that failed, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="az-") as folder:
        checkout = Path(folder, "checkout")
        shutil.copytree(options.checkout, checkout, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        environment = {**os.environ, "SMALT_HOME": str(Path(folder, "home"))}
        map_urls(checkout, Path(folder, "home"), environment)
        scripts = sorted(path for path in checkout.glob("cli/**/*.sh") if options.only in str(path))
        rows = []
        for path in scripts:
            row, failed = outcome(path, checkout, environment, options.limit)
            rows.append(row)
            for call in failed if options.calls else ():
                print(f"{row.script}: {call}", file=sys.stderr, flush=True)
        stop = [sys.executable, "-m", "smalt", "server", "stop", "--force"]
        subprocess.run(stop, env=environment, check=False, stdout=subprocess.DEVNULL)
    print("| script | outcome | calls of `az` | why |\n|---|---|---|---|")
    for row in sorted(rows, key=lambda row: (row.outcome, row.why, row.script)):
        print(f"| {row.script.removeprefix('cli/')} | {row.outcome} | {row.calls} | {row.why} |")
    outcomes = [row.outcome for row in rows]
    print()
    for one in sorted(set(outcomes)):
        print(f"- {outcomes.count(one)} {one}")
    return 0


def outcome(path: Path, checkout: Path, environment: dict[str, str], limit: float) -> tuple[Row, list[str]]:
    """The script's row, and the calls of `az` that failed, with what they said."""
    name, text = str(path.relative_to(checkout)), code(path.read_text(errors="replace"))
    calls = [found.split() for found in CALL.findall(text)]
    for says, need in NEEDS.items():
        if why := need(text, calls):
            return Row(name, says, why), []
    if missing := absent(path, checkout):
        return Row(name, "names files that the checkout lacks", missing), []
    return run(path, checkout, environment, limit)


def run(path: Path, checkout: Path, environment: dict[str, str], limit: float) -> tuple[Row, list[str]]:
    name = str(path.relative_to(checkout))
    with tempfile.TemporaryDirectory(prefix="az-calls-") as folder:
        log = Path(folder, "log")
        log.touch()
        wrapper = Path(folder, "az")
        wrapper.write_text(_WRAPPER)
        wrapper.chmod(0o755)
        script = 'AZ_BEHIND=$(command -v az) AZ_LOG=$1 PATH=$0:$PATH; export AZ_BEHIND AZ_LOG; shift; exec bash "$@"'
        command = [sys.executable, "-m", "smalt", "exec", "--", "sh", "-c", script, folder, str(log), str(path)]
        began = time.monotonic()
        try:
            done = subprocess.run(
                [*command, *ARGUMENTS.get(name, ())], cwd=where(path, checkout), env=environment, capture_output=True,
                text=True, timeout=limit, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Row(name, "too long", f"not over after {limit:g} s"), []
        lines = log.read_text().splitlines()
    failed = [line.partition(" ")[2] for line in lines if not line.startswith("0 ")]
    said = [line for line in done.stderr.splitlines() if line.strip()]
    calls = f"{len(lines) - len(failed)} of {len(lines)}"
    if done.returncode == 0 and not failed:
        return Row(name, "runs", f"{time.monotonic() - began:.0f} s", calls), []
    found = "runs, and some calls fail" if done.returncode == 0 else "fails"
    why = next((line for line in reversed(said) if "rror" in line), said[-1] if said else "")
    return Row(name, found, (failed[0].partition(" => ")[2] if failed else why)[:250], calls), failed


def where(path: Path, checkout: Path) -> Path:
    """The folder that the script's files are named from: its own, one within or the `cli` folder."""
    named = FILE.findall(code(path.read_text(errors="replace")))
    folders = [path.parent, *sorted(one for one in path.parent.iterdir() if one.is_dir())]
    return next((one for one in folders if any((one / file).exists() for file in named)), checkout / "cli")


def absent(path: Path, checkout: Path) -> str:
    """The files that the script names, if the checkout has none of them."""
    named = {one for one in FILE.findall(code(path.read_text(errors="replace"))) if "." in Path(one).name}
    folder = where(path, checkout)
    return "" if any((folder / one).exists() for one in named) else ", ".join(sorted(named))


_WRAPPER = """#!/bin/sh
said=$(mktemp)
"$AZ_BEHIND" "$@" 2>"$said"
code=$?
cat "$said" >&2
echo "$code az $(echo "$*" | tr '\\n' ' ') => $(grep -m1 -i error "$said" || tail -n1 "$said")" >>"$AZ_LOG"
rm -f "$said"
exit $code
"""


def code(text: str) -> str:
    """Without comments, a command on one line, up to an `exit` that ends every run."""
    lines = []
    for line in text.splitlines():
        if re.match(r"exit( 0)?\s*(#|$)", line):
            break
        if not line.lstrip().startswith("#"):
            lines.append(line)
    return "\n".join(lines).replace("\\\n", " ")


def no_az(text: str, calls: list[list[str]]) -> str:
    if calls or re.search(r"^\s*(bash|sh|source) ", text, re.MULTILINE):
        return ""
    return "does nothing: it ends at once, or is empty" if not text.strip() else "it runs inside a job, or before one"


def unfilled(text: str, calls: list[list[str]]) -> str:
    """`<name>` without quotes is a redirection to the shell."""
    found = re.search(r"(?:=|\s)<[a-z][\w-]*>(?=\s|$)", text, re.MULTILINE)
    return f"`{found[0].strip()}` is no shell" if found else ""


def registry(text: str, calls: list[list[str]]) -> str:
    found = re.search(r"--registry-name|registry_name=|registries/azureml|REGISTRY_NAME", text)
    return "a registry of models or components" if found else ""


def cloud(text: str, calls: list[list[str]]) -> str:
    found = {f"az {' '.join(call[:2])}" for call in calls if call[0] != "ml" and not is_answered(call)}
    found |= {"management.azure.com"} if re.search(r"curl[^\n]*https://management\.azure\.com", text) else set()
    found |= {"ml.azure.com"} if re.search(r"curl[^\n]*https://ml\.azure\.com", text) else set()
    return ", ".join(sorted(found))


def programs(text: str, calls: list[list[str]]) -> str:
    others = {"docker", "azcopy", "terraform", "helm", "kubectl", "sudo", "databricks", "conda"}
    return ", ".join(sorted(others & set(re.findall(r"(?:^|[;|&]\s*)([a-z]+)\b", text, re.MULTILINE))))


def network(text: str, calls: list[list[str]]) -> str:
    found = re.search(r"(?:wget|curl|git clone)[^\n]*?https://([\w.-]+)", text)
    return found[1] if found else ""


def answering(text: str, calls: list[list[str]]) -> str:
    acts = {("online-endpoint", "invoke"), ("online-endpoint", "get-credentials"), ("batch-endpoint", "invoke")}
    acts |= {("online-deployment", "get-logs"), ("model", "package")}
    found = {" ".join(call[1:3]) for call in calls if tuple(call[1:3]) in acts}
    return ", ".join(sorted(found))


def verbs(text: str, calls: list[list[str]]) -> str:
    return ", ".join(sorted({lack for call in calls if call[0] == "ml" and (lack := lacking(call))}))


def lacking(call: list[str]) -> str:
    """The verb of a call that smalt does not have; "" when it has it."""
    noun = smalt.get_command(click.Context(smalt), call[1]) if len(call) > 1 else None
    verb = noun.get_command(click.Context(noun), call[2]) if isinstance(noun, click.Group) and len(call) > 2 else None
    return "" if verb or len(call) == 1 else f"az {' '.join(call)}"


NEEDS: dict[str, Need] = {
    "calls no az": no_az,
    "is not valid shell": unfilled,
    "needs a registry": registry,
    "needs the cloud": cloud,
    "needs a program": programs,
    "needs a public download": network,
    "needs an endpoint that answers": answering,
    "needs a verb that smalt lacks": verbs,
}

if __name__ == "__main__":
    sys.exit(main())
