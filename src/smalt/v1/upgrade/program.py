"""A v1 program becomes a v2 program: passes over its text until nothing changes any more."""

from __future__ import annotations

import ast
import builtins
from typing import NamedTuple

from smalt.v1.upgrade.findings import TODO, Finding
from smalt.v1.upgrade.imports import ImportTable
from smalt.v1.upgrade.memory import Memory
from smalt.v1.upgrade.source import Edit, Source, apply_edits
from smalt.v1.upgrade.statements import StatementRewriter

_PASSES = 9
"""More passes than a program needs: each learns what the one before it found in later lines."""


class UpgradedText(NamedTuple):
    """The text of a file in v2, and what is said of its v1 names."""

    text: str
    findings: list[Finding]


def upgrade_program(text: str) -> UpgradedText:
    """Return a program in v2; raises SyntaxError if it is not Python.

    One that an earlier upgrade left lines of for a person stays as it is, until its comments about them are gone.
    """
    source = Source(text)
    left = [Finding(line, 1, "a line of SDK v1", "person", comment.partition(f"{TODO}: ")[2])
            for line, comment in source.comments.items() if TODO in comment]  # fmt: skip
    if left:  # rewriting around lines that a person is about to change would only confuse both
        return UpgradedText(text, left)
    imports = ImportTable(source)
    if not imports:
        return UpgradedText(text, [])
    memory = Memory(source.tree)
    edits: list[Edit] = []
    for _ in range(_PASSES):
        before = memory.copy_state(), edits
        rewriter = StatementRewriter(source, imports, memory)
        rewriter.rewrite_program()
        memory.kept, memory.kept_names = rewriter.kept, rewriter.kept_names
        memory.close_pass()
        edits = [*rewriter.edits, *imports.list_edits(source, rewriter.uses, memory.kept_names)]
        if (memory.copy_state(), edits) == before:
            break
    new = _tidy_blank_lines(text, apply_edits(text, edits))
    problem = _find_problem(source.tree, new)
    if problem:
        line = min((one.lineno for one in imports.statements), default=1)
        return UpgradedText(text, [Finding(line, 1, "the program", "person", f"{problem}, so it stays as it is")])
    return UpgradedText(new, sorted(set(rewriter.findings)))


def _find_problem(old: ast.Module, new: str) -> str:
    """Return why the rewritten text cannot be the program; the empty text if it can."""
    try:
        tree = ast.parse(new)
    except SyntaxError as error:
        return f"its rewritten text is not Python ({error.msg})"
    lost = sorted(_list_unbound(tree) - _list_unbound(old))
    return f"its rewritten text uses {' and '.join(map(repr, lost))}, which nothing in it defines" if lost else ""


def _list_unbound(tree: ast.Module) -> set[str]:
    """Return the names that a program reads and that nothing in it binds."""
    loaded: set[str] = set()
    bound = set(dir(builtins))
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                loaded.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.alias(name=name, asname=other):
                bound.add(other or name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                bound.add(name)
    return loaded - bound


def _tidy_blank_lines(old: str, new: str) -> str:
    """Keep removed statements from leaving more blank lines than the program had anywhere."""
    longest = max((len(run) for run in _list_blank_runs(old)), default=0)
    lines: list[str] = []
    blank = 0
    for line in new.split("\n"):
        blank = blank + 1 if not line.strip() else 0
        if blank <= max(longest, 2):
            lines.append(line)
    return "\n".join(lines).lstrip("\n") if not old.startswith("\n") else "\n".join(lines)


def _list_blank_runs(text: str) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            runs.append([])
        else:
            runs[-1].append(line)
    return runs
