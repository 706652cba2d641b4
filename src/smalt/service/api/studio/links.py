"""The addresses of the studio's pages: /studio/WORKSPACE/jobs/NAME, where WORKSPACE is the name of its folder."""

from __future__ import annotations

from urllib.parse import quote

from smalt.service.records.workspaces import Workspace

PREFIX = "/studio"


def build_job_url(server_url: str, workspace: Workspace, job: str) -> str:
    return f"{server_url}{PREFIX}/{quote(workspace.folder)}/jobs/{quote(job)}"


def build_studio_service(url: str) -> dict[str, dict[str, str]]:
    """Return the service of a job by which clients find its page."""
    return {"Studio": {"jobServiceType": "Studio", "endpoint": url}}


def is_page(path: str) -> bool:
    """True if the path is that of a page of the studio or of one of its files, which hold nothing of the home's."""
    return path in ("/", PREFIX) or path.startswith(f"{PREFIX}/")
