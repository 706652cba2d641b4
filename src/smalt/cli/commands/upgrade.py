"""`smalt upgrade`: programs, notebooks and files of SDK v1 become v2; see docs/upgrade.md."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from smalt.v1.upgrade.folder import UpgradedFile


def _upgrade_paths(
    paths: tuple[Path, ...], write: bool, output: Path | None, check: bool, verify: bool, to: str
) -> None:
    """Turn programs, notebooks and files of SDK v1 (azureml.…) into v2 (azure.ai.ml).

    Without an option it shows a diff, and writes nothing. Each use of SDK v1 gets a line of a report: changed; changed,
    with what differs; or needs a person, and why. What needs a person stays as it is, with a comment.

    \b
        smalt upgrade train.py                  a diff, and the report
        smalt upgrade . --write                 in place
        smalt upgrade . --output v2             beside
        smalt upgrade . --check                 for CI: exit code 1 while SDK v1 is left
        smalt upgrade submit.py --verify        run both here, and compare what they did
        smalt upgrade submit.py --to yaml --output jobs
    """
    from smalt.v1.upgrade.folder import copy_folder, list_files, upgrade_file

    if sum((write, output is not None, check, verify)) > 1:
        raise click.UsageError("--write, --output, --check and --verify exclude each other; give one")
    if to == "yaml":
        _dump_jobs(paths, output)
        return
    if verify:
        _verify_programs(paths)
        return
    upgraded: list[UpgradedFile] = []
    top = _find_common_folder(paths)
    for root in paths:
        if output is not None and root.is_dir():
            copy_folder(root, output / os.path.relpath(root, top))
        for path in list_files(root):
            found = upgrade_file(path)
            if found is None or (output is not None and path.is_relative_to(output)):
                continue
            upgraded.append(found)
            if write and found.is_changed:
                _replace_file(found)
            elif output is not None:
                _write_file(found, output / os.path.relpath(found.new_path or found.path, top))
            elif not check and found.is_changed:
                click.echo(found.make_diff(), nl=False)
            _report_file(found)
    _report_counts(upgraded)
    if any(one.problem for one in upgraded) or (check and any(one.findings for one in upgraded)):
        raise click.exceptions.Exit(1)


def _find_common_folder(paths: Iterable[Path]) -> Path:
    """Return the folder that the places in --output are relative to: files of several folders stay apart."""
    folders = [path if path.is_dir() else path.parent for path in paths]
    return Path(os.path.commonpath([os.path.abspath(folder) for folder in folders]))


def _verify_programs(paths: Iterable[Path]) -> None:
    """Run each program and its upgraded form, and say what is not equal."""
    from smalt.v1.upgrade.verification import verify_program

    found = False
    for path in paths:
        if path.is_dir():
            raise click.UsageError("--verify takes the programs that submit, not a folder")
        differences = verify_program(path)
        found = found or bool(differences)
        for sentence in differences:
            click.echo(f"{path}: {sentence}", err=True)
        if not differences:
            click.echo(f"{path}: equal: the graph, the parameters, the outputs' contents and the metrics", err=True)
    if found:
        raise click.exceptions.Exit(1)


def _dump_jobs(paths: Iterable[Path], output: Path | None) -> None:
    """Write the jobs of each program as YAML; the program runs, its jobs do not."""
    import subprocess
    import sys

    if output is None:
        raise click.UsageError("--to yaml needs --output DIR, a folder for the files")
    for path in paths:
        if path.is_dir():
            raise click.UsageError("--to yaml takes the programs that submit, not a folder")
        words = [sys.executable, "-m", "smalt.v1.upgrade.recording", "dump", str(output.resolve()), path.name]
        done = subprocess.run(words, cwd=path.parent, check=False, capture_output=True, text=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["it says nothing"]
            raise click.ClickException(f"{path} submits no job that could be written: {lines[-1]}")
        for file in sorted(output.glob(f"{path.stem}*.yml")):
            click.echo(str(file))


def _replace_file(file: UpgradedFile) -> None:
    """Write the file in place, or beside its old name if the kind of file has another."""
    _write_file(file, file.new_path or file.path)
    if file.new_path not in (None, file.path):
        file.path.unlink()


def _write_file(file: UpgradedFile, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.path.read_bytes() if file.problem else file.encode())


def _report_file(file: UpgradedFile) -> None:
    if file.problem:
        click.echo(file.problem, err=True)
    for finding in file.findings:
        click.echo(finding.format_line(str(file.path)), err=True)


def _report_counts(files: Iterable[UpgradedFile]) -> None:
    from smalt.v1.upgrade.findings import count_lines

    counts = [count_lines(one.findings) for one in files]
    if not counts:
        click.echo("nothing of SDK v1 here", err=True)
        return
    changed, differs, person = (sum(one[state] for one in counts) for state in ("changed", "differs", "person"))
    files_word = "file" if len(counts) == 1 else "files"
    click.echo(
        f"{len(counts)} {files_word}: {changed} lines changed, {differs} changed with a remark, {person} for a person",
        err=True,
    )


upgrade = click.Command(
    "upgrade",
    callback=_upgrade_paths,
    params=[
        click.Argument(
            ["paths"], nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH…"
        ),
        click.Option(["--write"], is_flag=True, help="Change the files in place."),
        click.Option(
            ["--output"],
            metavar="DIR",
            type=click.Path(file_okay=False, path_type=Path),
            help="Write the upgraded files to this folder.",
        ),
        click.Option(
            ["--verify"], is_flag=True, help="Run a program and its upgraded form, and compare what they did."
        ),
        click.Option(
            ["--to"],
            type=click.Choice(("python", "yaml")),
            default="python",
            help="What to write: programs, or the jobs that a program makes when it runs, as YAML in --output.",
        ),
        click.Option(["--check"], is_flag=True, help="Write nothing, and fail while SDK v1 is left."),
    ],
    help=_upgrade_paths.__doc__,
    context_settings={"help_option_names": ["-h", "--help"]},
)
