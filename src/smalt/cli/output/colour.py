"""Colours for jsonc and yamlc, on a terminal only."""

from __future__ import annotations

import re

_KEY, _TEXT, _NUMBER, _WORD, _END = "\033[94m", "\033[32m", "\033[36m", "\033[35m", "\033[0m"

_JSON = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)"
)
_YAML = re.compile(r"^(?P<start>[ -]*)(?P<key>[^\s:#'\"][^:]*)(?P<colon>:)(?= |$)", re.MULTILINE)
_COLOURS = {"key": _KEY, "text": _TEXT, "number": _NUMBER, "word": _WORD}


def highlight_json(text: str) -> str:
    return _JSON.sub(lambda match: f"{_COLOURS[match.lastgroup or 'text']}{match[0]}{_END}", text)


def highlight_yaml(text: str) -> str:
    return _YAML.sub(lambda match: f"{match['start']}{_KEY}{match['key']}{_END}{match['colon']}", text)
