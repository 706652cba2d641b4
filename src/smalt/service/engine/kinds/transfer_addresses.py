"""The address behind a connection: the URL of a database, or a folder of this machine.

A connection has its address as an SQLAlchemy URL, or as Azure's clients write it: `Server=…;Database=…`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from smalt.exceptions import ValidationException
from smalt.service.engine.context import EngineContext

DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mssql": "mssql+pymssql",
}
"""The driver that smalt's environment has, by the first word of a URL."""
_OF_TYPES = {"azure_sql_db": "mssql", "azure_postgres_db": "postgresql", "azure_my_sql_db": "mysql"}
_SERVER = ("server", "host", "data source", "address")
_DATABASE = ("database", "initial catalog", "dbname")


class DatabaseAddress(NamedTuple):
    """The address of a database, and who opens it."""

    url: str
    """Without user name and password."""
    username: str | None
    password: str | None


def read_database(connection: Any) -> DatabaseAddress:
    """Return the address of a connection to a database; raise if it is none."""
    target = str(connection.target or "").strip()
    kind = _OF_TYPES.get(str(connection.type))
    credentials = connection.credentials
    username, password = getattr(credentials, "username", None), getattr(credentials, "password", None)
    if "://" not in target and kind and "=" in target:
        parts = _parse_settings(target)
        url = _build_url(DRIVERS[kind], parts, connection.name)
        username = username or parts.get("user id") or parts.get("uid") or parts.get("user")
        return DatabaseAddress(url, username, password or parts.get("password") or parts.get("pwd"))
    word = target.partition("://")[0].partition("+")[0].lower()
    if "://" not in target or word not in DRIVERS:
        raise ValidationException(
            f"the connection '{connection.name}' leads to no database that smalt opens: its target is to be an "
            f"SQLAlchemy URL that begins with {', '.join(f'{one}://' for one in DRIVERS if one != 'postgres')}"
        )
    if word == "sqlite" and not re.match(r"sqlite(\+\w+)?:////", target):
        raise ValidationException(
            f"the connection '{connection.name}' needs the whole path of its SQLite database, "
            "as in sqlite:////data/sales.db"
        )
    rest = target.partition("://")[2]
    place = rest.partition("/")[0].partition("?")[0]
    login, _, server = place.rpartition("@")
    own_name, _, own_password = login.partition(":")
    return DatabaseAddress(
        f"{DRIVERS[word]}://{server}{rest[len(place) :]}",
        username or unquote(own_name) or None,
        password or unquote(own_password) or None,
    )


def read_folder(context: EngineContext, connection: Any, path: str | None) -> str:
    """Return the path of this machine that a path of a connection to a file system means."""
    target = str(connection.target or "").strip()
    whole = path if path and "://" in path else "/".join(filter(None, (target.rstrip("/"), (path or "").lstrip("/"))))
    mapped = _find_mapped(context.settings.url_map or {}, whole)
    if mapped is not None:
        return mapped
    if whole.startswith("file://"):
        return unquote(whole.removeprefix("file://"))
    if os.path.isabs(whole) and "://" not in whole:
        return whole
    raise ValidationException(
        f"'{whole}' of the connection '{connection.name}' is not on this machine; give the connection a folder as its "
        "target, or map the address to one with 'smalt config set url-map PREFIX=FOLDER'"
    )


def list_secrets(connection: Any, address: DatabaseAddress | None = None) -> list[str]:
    """Return the texts that no log may show."""
    credentials = connection.credentials
    values = [value for name, value in (credentials.to_dict() if credentials else {}).items() if name != "type"]
    named = {getattr(credentials, "username", None), getattr(credentials, "client_id", None)}
    values = [str(value) for value in values if value not in named]
    password = address.password if address else None
    found = {one for text in (*values, password) if text for one in (str(text), quote(str(text), safe=""))}
    return sorted(found, key=len, reverse=True)


def _find_mapped(url_map: Mapping[str, str], address: str) -> str | None:
    for prefix, folder in sorted(url_map.items(), key=lambda one: -len(one[0])):
        rest = address[len(prefix) :]
        if address.startswith(prefix) and (not rest or rest[0] == "/" or prefix.endswith("/")):
            root = os.path.abspath(os.path.expanduser(str(folder).removeprefix("file://")))
            return os.path.join(root, rest.lstrip("/"))
    return None


def _parse_settings(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _build_url(scheme: str, parts: Mapping[str, str], name: str) -> str:
    server = next((parts[key] for key in _SERVER if parts.get(key)), None)
    database = next((parts[key] for key in _DATABASE if parts.get(key)), None)
    if server is None or database is None:
        raise ValidationException(f"the target of the connection '{name}' needs 'Server=…' and 'Database=…'")
    host, _, port = server.removeprefix("tcp:").partition(",")
    port = port or parts.get("port", "")
    return f"{scheme}://{host}{f':{port}' if port else ''}/{quote(database, safe='')}"
