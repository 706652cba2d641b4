"""The studio, opened in a browser: by an address that is good once, for ten minutes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from smalt.exceptions import Unavailable

if TYPE_CHECKING:
    from smalt.cli.framework.verb import Invocation

_PREFIX = "/studio"


def create_url(ctx: Invocation, path: str) -> str:
    """Return an address that lets one browser in, at a page below /studio; Unavailable if the server has no pages."""
    made = ctx.connection.post("/smalt/v1/studio/codes", {"path": path})
    if missing := made.get("missing"):
        raise Unavailable(str(missing))
    return str(made["url"])


def open_page(ctx: Invocation, path: str) -> None:
    """Open a page of the studio; where there is no browser, print its address."""
    url = create_url(ctx, path)
    if _has_browser():
        import webbrowser

        if webbrowser.open(url):
            ctx.print_note(f"opened {url.partition('#')[0]}")
            return
    ctx.print_note(f"there is no browser here; open this address in one, once and within ten minutes: {url}")


def open_job_page(ctx: Invocation, job: Any) -> None:
    """Open the page of a job that is there already, so a server without pages is no failure."""
    _, _, path = str(job.studio_url or "").partition(f"{_PREFIX}/")
    try:
        open_page(ctx, path)
    except Unavailable as error:
        ctx.print_note(str(error))


def _has_browser() -> bool:
    """True if a browser can show a window; one that draws in the terminal runs no scripts."""
    named = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform == "darwin" or any(os.environ.get(name) for name in named)
