"""The imports of a program: which names are SDK v1's, and which imports the v2 program needs in their place."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from smalt.v1.upgrade.source import Edit, Source
from smalt.v1.upgrade.values import list_targets

FUNCTIONS = frozenset(
    [
        "choice",
        "uniform",
        "loguniform",
        "quniform",
        "qloguniform",
        "normal",
        "lognormal",
        "qnormal",
        "qlognormal",
        "randint",
        "get_run",
        "set_diagnostics_collection",
        "automl_setup_model_explanations",
        "automl_check_model_if_explainable",
    ]
)
_STANDARD = ("json", "os", "pathlib", "shlex", "shutil", "typing", "urllib")
_ORDER = (
    "mlflow",
    "mltable",
    "azure.ai.ml",
    "azure.ai.ml.automl",
    "azure.ai.ml.entities",
    "azure.ai.ml.parallel",
    "azure.ai.ml.sweep",
)


class ImportTable:
    """The names that a program imports from `azureml`, and those that it defines itself."""

    def __init__(self, source: Source) -> None:
        self.statements: list[ast.Import | ast.ImportFrom] = []
        self._paths: dict[str, str] = {}
        self.defined: set[str] = set()
        self.imported: set[str] = set()
        self._loaded = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
        for node in ast.walk(source.tree):
            self._add_import(node)

    def _add_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _is_in_v1(alias.name):
                    self._paths[alias.asname or "azureml"] = alias.name if alias.asname else "azureml"
                self.imported.add(alias.asname or alias.name)
            if any(_is_in_v1(alias.name) for alias in node.names):
                self.statements.append(node)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                if _is_in_v1(node.module or "") and alias.name == "*":
                    self._paths |= {name: f"{node.module}.{name}" for name in self._list_served(str(node.module))}
                elif _is_in_v1(node.module or ""):
                    self._paths[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                else:
                    self.imported.add(f"{node.module}.{alias.name}")
                    self.defined.add(alias.asname or alias.name)
            if _is_in_v1(node.module or ""):
                self.statements.append(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.defined.add(node.name)
        elif isinstance(node, ast.arg):
            self.defined.add(node.arg)
        elif isinstance(node, ast.stmt):
            self.defined.update(name for name in list_targets(node) if name.isidentifier())

    def _list_served(self, module: str) -> set[str]:
        """Return the names of a module that `import *` brings and that the program uses."""
        from smalt.v1.modules import list_star_names

        return {*list_star_names(module)} & self._loaded

    def __bool__(self) -> bool:
        return bool(self.statements)

    def resolve(self, text: str) -> str | None:
        """Return the v1 name that a dotted text means, without its module; None if it means another thing."""
        first, _, rest = text.partition(".")
        if first not in self._paths or not text.replace(".", "").isidentifier():
            return None
        parts = [*self._paths[first].split("."), *(rest.split(".") if rest else ())]
        if parts[0] != "azureml":
            return None
        for index, part in enumerate(parts):
            if not part.islower() or part in FUNCTIONS or part.startswith("_"):
                return ".".join(parts[index:])
        return ".".join(parts)

    def is_imported(self, name: str) -> bool:
        return name in self._paths

    def choose_local_name(self, module: str, name: str, kept: set[str]) -> str:
        """Return a name for an import of v2 that the program does not use for something else."""
        if not name:
            return module
        if f"{module}.{name}" in self.imported or (name not in kept and name not in self.defined):
            return name
        return f"{name}V2" if name[0].isupper() else f"{name}_v2"

    def list_edits(self, source: Source, uses: list[tuple[int, str, str]], kept: set[str]) -> list[Edit]:
        """Return the edits of the imports; a new one stands where the last old one before its first use stood."""
        places = sorted((source.get_span(node)[0], index) for index, node in enumerate(self.statements))
        wanted: dict[int, set[tuple[str, str]]] = {}
        seen: set[tuple[str, str]] = set()
        top = [(offset, index) for offset, index in places if self._is_outermost(source, self.statements[index])]
        for offset, module, name in sorted(uses):
            if (module, name) in seen or (f"{module}.{name}" if name else module) in self.imported:
                continue
            seen.add((module, name))
            before = [index for start, index in top if start <= offset]
            place = before[-1] if before else (top[0][1] if top else places[0][1])
            wanted.setdefault(place, set()).add((module, name))
        edits = []
        for index, node in enumerate(self.statements):
            edits.append(self._make_edit(source, node, wanted.get(index, set()), kept))
        return edits

    def _is_outermost(self, source: Source, node: ast.stmt) -> bool:
        return any(node is one for one in source.tree.body)

    def _make_edit(
        self, source: Source, node: ast.Import | ast.ImportFrom, wanted: set[tuple[str, str]], kept: set[str]
    ) -> Edit:
        start, end = source.find_statement_lines(node)
        indent = " " * node.col_offset
        lines = [indent + line for line in self.format_imports(wanted, kept)]
        lines += [indent + line for line in self._list_kept(node, kept)]
        behind = source.comments.get(node.end_lineno or node.lineno)
        if behind and lines and "noqa" not in behind:
            lines[0] += f"  {behind}"
        ending = "\n" if source.text[start:end].endswith("\n") else ""
        if not lines and any(
            node is one for block in _list_inner_blocks(source.tree) for one in block if len(block) == 1
        ):
            lines = [f"{indent}pass"]
        if not lines and not ending:
            return Edit(start, end, "")
        return Edit(start, end, "\n".join(lines) + ending if lines else "")

    def _list_kept(self, node: ast.Import | ast.ImportFrom, kept: set[str]) -> list[str]:
        """Return what is left of an old import: the names that v1 code still uses, and other packages' modules."""
        if isinstance(node, ast.ImportFrom):
            names = [alias for alias in node.names if (alias.asname or alias.name) in kept]
            if any(alias.name == "*" for alias in node.names):
                names = [ast.alias(name) for name in sorted(kept) if self._paths.get(name) == f"{node.module}.{name}"]
            return [f"from {node.module} import {', '.join(map(ast.unparse, names))}"] if names else []
        names = [one for one in node.names if not _is_in_v1(one.name) or (one.asname or "azureml") in kept]
        return [f"import {', '.join(map(ast.unparse, names))}"] if names else []

    def format_imports(self, wanted: Iterable[tuple[str, str]], kept: set[str]) -> list[str]:
        """Return import statements, the standard library's first, then as the official examples order them."""
        modules: dict[str, list[str]] = {}
        for module, name in sorted(wanted, key=lambda one: (one[1] == one[1].lower(), one[1])):
            local = self.choose_local_name(module, name, kept)
            modules.setdefault(module, []).append(name if local == name or not name else f"{name} as {local}")
        lines = []
        for module in sorted(modules, key=_rank_module):
            names = [name for name in modules[module] if name]
            if "" in modules[module]:
                lines.append(f"import {module}")
            if names:
                lines.append(f"from {module} import {', '.join(names)}")
        return lines


def _is_in_v1(module: str) -> bool:
    """Return True for a module of SDK v1; azureml.fsspec is v2's."""
    return module.split(".")[0] == "azureml" and not module.startswith("azureml.fsspec")


def _rank_module(module: str) -> tuple[int, str]:
    if module.split(".")[0] in _STANDARD:
        return 0, module
    return (1 + _ORDER.index(module) if module in _ORDER else len(_ORDER) + 1), module


def _list_inner_blocks(tree: ast.AST) -> list[list[ast.stmt]]:
    blocks = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    blocks.append(block)
    return blocks
