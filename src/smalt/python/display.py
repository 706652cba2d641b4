"""Rich output of objects in notebooks, and the names of IPython.display where IPython is not installed."""

from __future__ import annotations

import base64
import json
import pprint
from pathlib import Path
from typing import Any

_FORMS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
}
Bundle = dict[str, Any]

version_info = (8, 24, 0, "")
"""The version of IPython whose names these are."""
shell: Any = None
"""The notebook that runs; None elsewhere."""


def get_ipython() -> Any:
    return shell


def make_bundle(value: object) -> Bundle:
    """All forms that a value has, by MIME type."""
    made: Bundle = {}
    if not isinstance(value, type):
        whole = _call_method(value, "_repr_mimebundle_")
        if isinstance(whole, tuple):
            whole = whole[0]
        if isinstance(whole, dict):
            made.update(whole)
        for method, kind in _FORMS.items():
            form = _call_method(value, method)
            if isinstance(form, tuple):
                form = form[0]
            if form is not None:
                made.setdefault(kind, base64.b64encode(form).decode() if isinstance(form, bytes) else form)
    if "text/plain" not in made:
        made["text/plain"] = format_plain(value)
    return made


def format_plain(value: object) -> str:
    if type(value) in (dict, list, tuple, set, frozenset):
        return pprint.pformat(value, width=79, sort_dicts=False)
    return repr(value)


def _call_method(value: object, method: str) -> Any:
    """Return the result of a method; None if the method is absent or fails, so that the plain form is used."""
    found = getattr(value, method, None)
    if not callable(found):
        return None
    try:
        return found()
    except Exception:
        return None


def display(*values: object, raw: bool = False, metadata: Bundle | None = None, **_: Any) -> None:
    for value in values:
        data = value if raw and isinstance(value, dict) else make_bundle(value)
        if shell is None:
            print(data.get("text/plain", ""))
        else:
            shell.show_data(data, metadata or {})


def clear_output(wait: bool = False) -> None:
    if shell is not None:
        shell.clear_output()


class DisplayObject:
    """Text, or the contents of a file, of one MIME type."""

    kind = "text/plain"

    def __init__(self, data: Any = None, url: str | None = None, filename: str | None = None, **rest: Any) -> None:
        self.url, self.filename, self.rest = url, filename, rest
        if filename is None and isinstance(data, (str, Path)) and self._is_file(str(data)):
            self.filename = str(data)
        self.data = Path(self.filename).read_bytes() if self.filename else data

    def _is_file(self, text: str) -> bool:
        return False

    def _get_text(self) -> str:
        return self.data.decode() if isinstance(self.data, bytes) else str(self.data)

    def __repr__(self) -> str:
        return f"<IPython.core.display.{type(self).__name__} object>"

    def _repr_mimebundle_(self) -> Bundle:
        return {self.kind: self._get_text()}


class HTML(DisplayObject):
    kind = "text/html"


class Markdown(DisplayObject):
    kind = "text/markdown"


class Latex(DisplayObject):
    kind = "text/latex"


class SVG(DisplayObject):
    kind = "image/svg+xml"

    def _is_file(self, text: str) -> bool:
        return text.endswith(".svg")


class Javascript(DisplayObject):
    kind = "application/javascript"


class JSON(DisplayObject):
    kind = "application/json"

    def _repr_mimebundle_(self) -> Bundle:
        return {self.kind: json.loads(self.data) if isinstance(self.data, (str, bytes)) else self.data}


class Pretty(DisplayObject):
    def __repr__(self) -> str:
        return self._get_text()


class Code(DisplayObject):
    def __repr__(self) -> str:
        return self._get_text()


class Image(DisplayObject):
    """A PNG or JPEG; one of the web is shown by its address."""

    def _is_file(self, text: str) -> bool:
        if text.startswith(("http://", "https://")):
            self.url = text
            return False
        return True

    def _repr_mimebundle_(self) -> Bundle:
        if self.url:
            return {"text/html": f'<img src="{self.url}"/>'}
        raw = self.data if isinstance(self.data, bytes) else b""
        return {"image/jpeg" if raw.startswith(b"\xff\xd8") else "image/png": base64.b64encode(raw).decode()}


class IFrame(DisplayObject):
    def __init__(self, src: str, width: int | str, height: int | str, **rest: Any) -> None:
        super().__init__(**rest)
        self.src, self.width, self.height = src, width, height

    def _repr_mimebundle_(self) -> Bundle:
        return {"text/html": f'<iframe width="{self.width}" height="{self.height}" src="{self.src}"></iframe>'}


def display_html(*values: str, **_: Any) -> None:
    for value in values:
        display({"text/html": value}, raw=True)


def display_markdown(*values: str, **_: Any) -> None:
    for value in values:
        display({"text/markdown": value}, raw=True)
