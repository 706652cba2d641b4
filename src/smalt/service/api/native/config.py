"""GET and PATCH /smalt/v1/config: the home's settings."""

from __future__ import annotations

import asyncio
from typing import Any

from smalt.service.api.request import ApiRequest


async def get_config(request: ApiRequest) -> dict[str, Any]:
    return request.server.settings.as_dict()


async def update_config(request: ApiRequest) -> dict[str, Any]:
    settings, changes = request.server.settings, await request.read_object()
    await asyncio.to_thread(settings.check_changes, changes)
    settings.update(changes)
    return request.server.settings.as_dict()


ROUTES = [("GET", "/smalt/v1/config", get_config), ("PATCH", "/smalt/v1/config", update_config)]
