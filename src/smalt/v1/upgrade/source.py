"""The text of a program, its syntax tree, and edits by position that leave the rest of the text as it is."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import NamedTuple

Position = ast.expr | ast.stmt | ast.keyword | ast.arg | ast.alias


class Edit(NamedTuple):
    """A piece of the text, from one offset to another, and what replaces it."""

    start: int
    end: int
    text: str


class Source:
    """A program as text and as a tree; raises SyntaxError if it is not Python."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        self.comments = _list_comments(text)
        """The text of each comment by its line."""
        self._texts: dict[int, str] = {}

    def find_offset(self, line: int, column: int) -> int:
        """Return the offset of a place that the tree names: its columns are bytes."""
        if line > len(self._lines):
            return len(self.text)
        text = self._lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode(errors="replace"))
        return self._starts[line - 1] + column

    def get_span(self, node: Position) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.find_offset(node.lineno, node.col_offset), self.find_offset(node.end_lineno, node.end_col_offset)

    def get_text(self, node: Position) -> str:
        found = self._texts.get(id(node))
        if found is None:
            start, end = self.get_span(node)
            found = self._texts[id(node)] = self.text[start:end]
        return found

    def get_line(self, line: int) -> str:
        return self._lines[line - 1].rstrip("\n") if 0 < line <= len(self._lines) else ""

    def get_line_start(self, line: int) -> int:
        return self._starts[min(line - 1, len(self._lines))]

    def list_comments_within(self, node: ast.stmt) -> list[str]:
        """Return the comments inside a statement, but not the one behind its end."""
        assert node.end_lineno is not None
        return [self.comments[line] for line in range(node.lineno, node.end_lineno) if line in self.comments]

    def find_statement_lines(self, node: ast.stmt) -> tuple[int, int]:
        """Return the offsets of a statement's whole lines, or of itself if others share them."""
        start, end = self.get_span(node)
        first, last = self.get_line_start(node.lineno), self.get_line_start((node.end_lineno or node.lineno) + 1)
        behind = self.text[end:last].strip()
        if self.text[first:start].strip() or (behind and not behind.startswith("#")):
            return start, end
        return first, last


def apply_edits(text: str, edits: list[Edit]) -> str:
    """Return the text with all edits done: insertions first, and of edits that overlap the outermost."""
    done: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda one: (one.start, one.end > one.start, -one.end)):
        if edit.start < position:
            continue
        done += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*done, text[position:]])


def _list_comments(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = token.string
    except (tokenize.TokenError, IndentationError):
        pass
    return found
