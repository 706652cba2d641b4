"""The source of a blob copy: another blob of the same workspace, named by its URL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from smalt.exceptions import RefusedError, Unauthorized, ValidationException
from smalt.service.api.blob import urls
from smalt.service.api.request import ApiRequest

_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})")
_CHUNK = 1 << 20


def find_source(request: ApiRequest) -> tuple[str, str]:
    """Return datastore and name of the blob in the header; raise if the request may not read it."""
    url = request.headers["x-ms-copy-source"]
    found = urls.parse_own_url(request, url)
    if found is None or not found[1]:
        raise RefusedError(f"only a blob of this workspace can be copied, by its URL, not {unquote(url)[:200]!r}")
    container, name = found
    if request.scope["smalt.token"] is None and not request.is_local:
        account, opener = request.workspace.folder, urls.get_link_container(container)
        links = (urlsplit(url).query, request.scope["query_string"].decode("latin-1"))
        if not any(request.server.is_link_valid("GET", account, opener, link) for link in links):
            raise Unauthorized(f"the link does not open container '{container}', which is to be copied from")
    return urls.find_datastore(request, container), name


def parse_range(request: ApiRequest, size: int) -> tuple[int, int]:
    """Return the first and the last byte to copy of a blob of that size."""
    given = request.headers.get("x-ms-source-range")
    if given is None:
        return 0, size - 1
    found = _RANGE.fullmatch(given.strip())
    if found is None or not int(found[1]) <= int(found[2]) < size:
        raise ValidationException(f"'x-ms-source-range' must be bytes=FIRST-LAST within the blob's {size} bytes")
    return int(found[1]), int(found[2])


def read_pieces(path: Path, first: int, last: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(first)
        while first <= last and (piece := file.read(min(_CHUNK, last - first + 1))):
            yield piece
            first += len(piece)
