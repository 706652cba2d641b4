"""The tables of all routes: those of the server, and those of a workspace by the prefix of their protocol."""

from __future__ import annotations

from smalt.service.api import key_vault
from smalt.service.api.arm import routes as arm
from smalt.service.api.comparison import routes as comparison
from smalt.service.api.drafts import routes as drafts
from smalt.service.api.job_details import routes as job_details
from smalt.service.api.native import routes as native
from smalt.service.api.router import RouteTable
from smalt.service.api.studio import pages as studio_pages
from smalt.service.api.studio import sign_in as studio_sign_in

SERVER_TABLES: list[RouteTable] = [
    *arm.SERVER_TABLES,
    *native.SERVER_TABLES,
    key_vault.GLOBAL_ROUTES,
    studio_pages.ROUTES,
    studio_sign_in.ROUTES,
]
WORKSPACE_TABLES: dict[str, list[RouteTable]] = {
    **arm.WORKSPACE_TABLES,
    "/smalt/v1": [
        *arm.OWN_TABLES,
        *native.WORKSPACE_TABLES,
        *job_details.TABLES,
        *comparison.TABLES,
        *drafts.TABLES,
        key_vault.ROUTES,
    ],
}
