"""Contents made of several parts: an input that is a table, with the data that it refers to elsewhere.

Such a content is identified by the ids of its parts, each under the text that refers to it; the folder's own
part has the empty name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

from smalt.service.data.cache.url_cache import mask_url
from smalt.service.data.snapshots import manifest
from smalt.service.data.snapshots.manifest import FOLDER, ManifestEntry

_WILD = re.compile(r"[*?\[]")


def encode_parts(ids: Sequence[tuple[str, str]]) -> bytes:
    """Encode pairs of (the text that refers to a part, its content id)."""
    parts = sorted((mask_url(written) if "://" in written else written, id) for written, id in ids)
    return json.dumps({"smalt-parts 1": parts}).encode()


def list_entries(text: bytes, read: Callable[[str], bytes | None]) -> Iterator[ManifestEntry]:
    """Yield the files of a content whose manifest is `text`; `read` returns the manifest of a content id, if it
    was kept.
    """
    if text.startswith(manifest.FORMAT):
        yield from manifest.decode_manifest(text)
        return
    for written, id in json.loads(text)["smalt-parts 1"]:
        known = read(id) if id else None
        if known is None and id:
            yield ManifestEntry(written or ".", FOLDER, id, 0)
        wild = _WILD.search(written)
        above = (written[: wild.start()].rpartition("/")[0] if wild else written).rstrip("/")
        for entry in manifest.decode_manifest(known) if known else ():
            is_file = written.endswith(f"/{entry.path}")
            yield entry._replace(path=written if is_file else f"{above}/{entry.path}" if above else entry.path)
