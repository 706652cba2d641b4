"""The tables of routes about one job."""

from __future__ import annotations

from smalt.service.api.job_details import (
    code_files,
    job_code,
    job_document,
    job_environment,
    job_graph,
    job_ports,
    job_progress,
    job_rerun,
    job_stream,
    log_search,
)
from smalt.service.api.router import RouteTable

TABLES: list[RouteTable] = [
    job_stream.ROUTES,
    job_graph.ROUTES,
    job_ports.ROUTES,
    job_rerun.ROUTES,
    job_code.ROUTES,
    code_files.ROUTES,
    log_search.ROUTES,
    job_progress.ROUTES,
    job_environment.ROUTES,
    job_document.ROUTES,
]
