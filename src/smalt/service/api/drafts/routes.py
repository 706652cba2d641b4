"""The tables of routes of the studio's designer."""

from __future__ import annotations

from smalt.service.api.drafts import (
    component_palette,
    document_checks,
    draft_files,
    folder_files,
    step_fields,
    submission,
)
from smalt.service.api.router import RouteTable

TABLES: list[RouteTable] = [
    folder_files.ROUTES,
    component_palette.ROUTES,
    step_fields.ROUTES,
    document_checks.ROUTES,
    draft_files.ROUTES,
    submission.ROUTES,
]
