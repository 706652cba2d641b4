"""The tables of routes about several jobs."""

from __future__ import annotations

from smalt.service.api.comparison import job_comparison, step_comparison
from smalt.service.api.router import RouteTable

TABLES: list[RouteTable] = [job_comparison.ROUTES, step_comparison.ROUTES]
