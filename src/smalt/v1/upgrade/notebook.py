"""A notebook: its cells are upgraded as one program, and each stays a cell."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from smalt.v1.upgrade.documents import upgrade_conda_file
from smalt.v1.upgrade.findings import TODO, Finding
from smalt.v1.upgrade.program import UpgradedText, upgrade_program

_CELL = "# %%smalt-cell "
_MAGIC = "#smalt-magic:"
_WRITTEN = re.compile(r"%%writefile\s+(-a\s+|--append\s+)?[\"']?(.+?)[\"']?\s*$")
"""The first line of a cell that writes a file, or appends to it."""
_PYTHON_MAGICS = ("%%time", "%%capture", "%%timeit", "%%prun")


class NotebookText:
    """The code cells of a notebook as the text of one program."""

    def __init__(self, cells: list[str]) -> None:
        self.cells = cells
        self.magics: list[str] = []
        self.verbatim: set[int] = set()
        """Cells that are no Python, or that cannot be read."""
        parts = []
        for number, source in enumerate(cells):
            masked = self._mask_cell(source)
            if masked is None:
                self.verbatim.add(number)
                masked = ""
            parts.append(f"{_CELL}{number}\n{masked}\n")
        self.text = "".join(parts)

    def _mask_cell(self, source: str) -> str | None:
        """Return a cell with its magics as Python; None if it is another language, or not to be read."""
        if source.lstrip().startswith("%%") and not source.lstrip().startswith(_PYTHON_MAGICS):
            return None
        count = len(self.magics)
        text = source if is_python(source) else "\n".join(self._mask_line(line) for line in source.split("\n"))
        if not is_python(text):
            del self.magics[count:]
            return None
        return text

    def _mask_line(self, line: str) -> str:
        found = re.match(r"(\s*)([%!].*|\w[\w.]*\s*=\s*[%!]\w.*|[\w.]+\?{1,2}|\?[\w.]+)\s*$", line)
        if found is None:
            return line
        self.magics.append(line)
        return f"{found[1]}pass  {_MAGIC}{len(self.magics) - 1}:"

    def split(self, text: str) -> list[str]:
        """Return the cells of an upgraded text."""
        pieces = re.split(rf"^{re.escape(_CELL)}\d+\n", text, flags=re.M)
        if len(pieces) != len(self.cells) + 1:
            raise ValueError("the upgraded text has lost a cell")
        cells = []
        for number, piece in enumerate(pieces[1:]):
            restored = re.sub(rf"^\s*pass  {_MAGIC}(\d+):", lambda found: self.magics[int(found[1])], piece, flags=re.M)
            cells.append(self.cells[number] if number in self.verbatim else restored.strip("\n"))
        if pieces[0].strip():
            cells[0] = f"{pieces[0].strip()}\n{cells[0]}"
        return cells

    def locate(self, line: int) -> tuple[int, int]:
        """Return the cell, from 1, and its line that a line of the text is."""
        for number, found in enumerate(self._list_starts(), 1):
            if line > found:
                cell, start = number, found
        return cell, line - start

    def _list_starts(self) -> list[int]:
        return [index for index, line in enumerate(self.text.split("\n"), 1) if line.startswith(_CELL)]


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def upgrade_notebook(text: str) -> UpgradedText:
    """Return a notebook's JSON with its cells in v2; raises ValueError if it is no notebook."""
    document: dict[str, Any] = json.loads(text)
    cells = [cell for cell in document.get("cells", ()) if cell.get("cell_type") == "code"]
    sources = [_join_source(cell) for cell in cells]
    program = NotebookText(sources)
    upgraded = upgrade_program(program.text)
    findings = []
    for finding in upgraded.findings:
        cell, line = program.locate(finding.line)
        findings.append(finding._replace(line=line, cell=cell))
    new = program.split(upgraded.text)
    findings += _note_lost_names(program, upgraded.text, new)
    for numbers in _group_cells(sources, sorted(program.verbatim)):
        more = _upgrade_file_cells(sources, numbers, new)
        findings += more
    for cell, before, after in zip(cells, sources, new, strict=True):
        if after != before.strip("\n"):
            cell["source"] = after.splitlines(keepends=True)
            cell["outputs"], cell["execution_count"] = [], None
    indent = re.search(r"^( +)\"", text, re.M)
    written = json.dumps(document, indent=len(indent[1]) if indent else 1, ensure_ascii=False) + (
        "\n" if text.endswith("\n") else ""
    )
    return UpgradedText(
        written if new != [one.strip("\n") for one in sources] else text,
        sorted(findings, key=lambda one: (one.cell, one.line)),
    )


def _note_lost_names(program: NotebookText, text: str, new: list[str]) -> list[Finding]:
    """Say of the magics which of the variables that they use are gone, above the magics and in findings."""
    old, left = _list_bound(program.text), _list_bound(text)
    found = []
    for number, source in enumerate(program.cells):
        for index, line in enumerate(source.split("\n"), 1):
            lost = sorted(set(re.findall(r"[^\W\d]\w*", line)) & (old - left))
            if number in program.verbatim or line not in program.magics or not lost:
                continue
            sentence = f"this magic uses {' and '.join(map(repr, lost))}, which v2's program calls otherwise"
            found.append(Finding(index, 1, "a magic", "person", sentence, number + 1))
            indent = line[: len(line) - len(line.lstrip())]
            new[number] = new[number].replace(line, f"{indent}# {TODO}: {sentence}\n{line}", 1)
    return found


def _list_bound(text: str) -> set[str]:
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    return {node.id for node in nodes if isinstance(node.ctx, ast.Store)}


def _group_cells(sources: list[str], numbers: list[int]) -> list[list[int]]:
    """Return the cells that are no Python, those together that write the same file one after the other."""
    groups: list[list[int]] = []
    for number in numbers:
        head = sources[number].partition("\n")[0]
        written = _WRITTEN.match(head)
        known = [one for one in groups if written and _get_file(sources[one[0]]) == written[2]]
        if written is not None and written[1] and known:
            known[-1].append(number)
        else:
            groups.append([number])
    return groups


def _get_file(source: str) -> str:
    """Return the file that a cell writes; the empty text of other cells."""
    found = _WRITTEN.match(source.partition("\n")[0])
    return found[2] if found is not None else ""


def _join_source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _upgrade_file_cells(sources: list[str], numbers: list[int], new: list[str]) -> list[Finding]:
    """Upgrade the cells that write a file, as one program, or leave a cell of another kind as it is."""
    source = sources[numbers[0]]
    head = source.partition("\n")[0]
    program = NotebookText([sources[number].partition("\n")[2] for number in numbers])
    if _get_file(source).endswith(".py") and not program.verbatim and not program.magics:
        upgraded = upgrade_program(program.text)
        for number, text in zip(numbers, program.split(upgraded.text), strict=True):
            new[number] = f"{sources[number].partition(chr(10))[0]}\n{text}".strip("\n")
        places = [program.locate(one.line) for one in upgraded.findings]
        return [
            one._replace(line=line + 1, cell=numbers[cell - 1] + 1)
            for one, (cell, line) in zip(upgraded.findings, places, strict=True)
        ]
    found: list[Finding] = []
    for number in numbers:
        new[number] = sources[number].strip("\n")
        if _get_file(sources[number]).endswith((".yml", ".yaml")) and "dependencies:" in sources[number]:
            new[number], more = _upgrade_conda(new[number], number + 1)
            found += more
        elif "azureml" in sources[number] and not head.startswith(
            ("%%writefile", "%%markdown", "%%html", "%%bash", "%%sh")
        ):
            found.append(Finding(1, 1, "a cell", "person", "it is not Python that can be read", number + 1))
    return found


def _upgrade_conda(source: str, cell: int) -> tuple[str, list[Finding]]:
    """Return a cell that writes a conda file, whose scripts log by MLflow in v2."""
    head, _, body = source.partition("\n")
    upgraded = upgrade_conda_file(body)
    return f"{head}\n{upgraded.text}".strip("\n"), [
        one._replace(line=one.line + 1, cell=cell) for one in upgraded.findings
    ]


def list_cell_texts(text: str) -> list[str]:
    """Return the code of a notebook, cell by cell, as a diff shows it."""
    document = json.loads(text)
    cells = [_join_source(cell) for cell in document.get("cells", ()) if cell.get("cell_type") == "code"]
    return [f"# cell {number}\n{source}" for number, source in enumerate(cells, 1)]
