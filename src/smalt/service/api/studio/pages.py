"""GET /studio…: the studio's own files. Each address below it is one page, which reads what to show from its address.

The files are the same for everybody and hold nothing of the home's, so they are sent without a token. What they may
load and call is this server alone, and no script but theirs runs in them.
"""

from __future__ import annotations

import mimetypes
from html import escape
from pathlib import Path
from shlex import quote

from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

import smalt
from smalt.exceptions import NotFound
from smalt.service.api.request import ApiRequest
from smalt.service.api.studio.links import PREFIX

STATIC = Path(smalt.__file__).parent / "studio" / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_SUFFIXES = (".js", ".css", ".map", ".woff2", ".svg", ".png")
"""The endings of the files in `assets`; all else below that name is a page of a workspace with that name."""
_FOREVER = "public, max-age=31536000, immutable"
"""Files whose names have a hash of their content."""


def explain_missing_pages() -> str | None:
    """Return the sentence, with the command that builds the pages, if this server has none."""
    if (STATIC / "index.html").is_file():
        return None
    script = Path(smalt.__file__).parents[2] / "scripts" / "studio"
    if script.is_file():
        return f"the studio's pages are not built; build them, with Node 20 or newer, by {quote(str(script))}"
    return (
        "this server was installed without the studio's pages; install it from a checkout, with Node 20 or newer, by "
        "SMALT_BUILD_STUDIO=1 pip install ."
    )


async def redirect_root(request: ApiRequest) -> Response:
    return RedirectResponse(PREFIX, 303)


async def get_page(request: ApiRequest) -> Response:
    path = str(request.path_params.get("path", ""))
    if path.startswith("assets/"):
        file = STATIC / path
        is_there = ".." not in path.split("/") and file.is_file()
        if not is_there and (".." in path.split("/") or file.suffix in _SUFFIXES):
            raise NotFound(f"the studio has no file {path[:100]}; load the page again")
        if is_there:
            kind = "text/javascript" if path.endswith(".js") else mimetypes.guess_type(path)[0]
            return FileResponse(file, media_type=kind, headers={**_HEADERS, "cache-control": _FOREVER})
    if missing := explain_missing_pages():
        text = f"<!doctype html><meta charset=utf-8><title>smalt studio</title><p>{escape(missing)}"
        return HTMLResponse(text, 404, headers=_HEADERS)
    return FileResponse(
        STATIC / "index.html", media_type="text/html", headers={**_HEADERS, "cache-control": "no-cache"}
    )


ROUTES = [("GET", "/", redirect_root), ("GET", PREFIX, get_page), ("GET", PREFIX + "/{path:path}", get_page)]
