"""GET and PATCH /smalt/v1/config: the home's settings."""

from __future__ import annotations

import asyncio
from typing import Any

from smalt.service.api.request import Call


async def get_config(call: Call) -> dict[str, Any]:
    return call.service.settings.as_dict()


async def change_config(call: Call) -> dict[str, Any]:
    settings, changes = call.service.settings, await call.object()
    await asyncio.to_thread(settings.try_out, changes)
    settings.update(changes)
    return call.service.settings.as_dict()


ROUTES = [("GET", "/smalt/v1/config", get_config), ("PATCH", "/smalt/v1/config", change_config)]
