"""Mounts, which smalt does not need: datastores are folders."""

from __future__ import annotations

from typing import NoReturn

from smalt.exceptions import RefusedError


def refuse_mount(path: str) -> NoReturn:
    raise RefusedError(
        f"{path} was not mounted: smalt's datastores are folders of its home; list what is there with "
        "'smalt datastore ls', or use it as a job's input"
    )
