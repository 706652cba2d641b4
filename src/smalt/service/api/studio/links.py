"""The addresses of the studio's pages: /studio/WORKSPACE/jobs/NAME, where WORKSPACE is the name of its folder.

An asset, endpoint, schedule, datastore, compute or workspace names its page beside `properties`, in `studioUrl`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from smalt.service.api import workspace_paths
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking.variables import ROUTE as MLFLOW
from smalt.wire.encoding.ids import STUDIO_URL

PREFIX = "/studio"


def build_job_url(server_url: str, workspace: Workspace, job: str) -> str:
    return f"{server_url}{PREFIX}/{quote(workspace.folder)}/jobs/{quote(job)}"


def build_studio_service(url: str) -> dict[str, dict[str, str]]:
    """Return the service of a job by which clients find its page."""
    return {"Studio": {"jobServiceType": "Studio", "endpoint": url}}


def build_run_url(path: str) -> str | None:
    """Return the page for a browser that follows MLflow's link to a run, TRACKING_URI/#/experiments/ID/runs/RUN.

    Browsers keep the fragment, which names the run. None for a path that is no tracking URI.
    """
    found = workspace_paths.split_path(path)
    if found is None or found.prefix != MLFLOW or found.rest != "/":
        return None
    return f"{PREFIX}?wsid={quote(path.rstrip('/')[len(MLFLOW) :])}"


def is_followed_link(method: str, headers: Mapping[str, str]) -> bool:
    """True if a person follows a link or types an address, and sees the answer as a page."""
    is_navigation = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return method == "GET" and is_navigation and "origin" not in headers


def is_page(path: str) -> bool:
    """True if the path is that of a page of the studio or of one of its files, which hold nothing of the home's."""
    return path in ("/", PREFIX) or path.startswith(f"{PREFIX}/")


ASSET_PAGES = ("data", "models", "components", "environments")
"""The kinds of assets, as paths have them, of which each has a page of the same name."""
RESOURCE_PAGES = {
    "datastores": ("datastores",),
    "computes": ("computes",),
    "schedules": ("schedules",),
    "onlineEndpoints": ("endpoints", "online"),
    "batchEndpoints": ("endpoints", "batch"),
}
"""The page of each kind of resource that has one."""
_BELOW = re.compile(r"(\w+)/([^/]+)/deployments")


def build_page_link(server_url: str, workspace: Workspace, kind: str, name: str, *more: str) -> dict[str, str]:
    """Return what the body of an asset or resource says of its page: nothing if it has none.

    A deployment is shown by its endpoint's page.
    """
    if below := _BELOW.fullmatch(kind):
        kind, name = below[1], below[2]
    parts = (kind,) if kind in ASSET_PAGES else RESOURCE_PAGES.get(kind)
    if parts is None:
        return {}
    path = "/".join(quote(part, safe="") for part in (workspace.folder, *parts, name, *more))
    return {STUDIO_URL: f"{server_url}{PREFIX}/{path}"}


def build_workspace_link(server_url: str, workspace: Workspace) -> dict[str, str]:
    """Return what the body of a workspace says of its page, the table of its jobs."""
    return {STUDIO_URL: f"{server_url}{PREFIX}/{quote(workspace.folder, safe='')}/jobs"}
