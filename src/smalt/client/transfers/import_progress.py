"""The progress of a copy that the server makes of data registered on its own machine."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from smalt.client.transfers.progress import TransferProgress
from smalt.entities.syntax.references import LocalPath, parse_uri
from smalt.exceptions import SmaltError

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

_EVERY = 0.3


@contextlib.contextmanager
def show_import_progress(session: ClientSession, properties: Mapping[str, Any]) -> Iterator[None]:
    """Show the progress while an asset with these properties is registered; only on a terminal, and for local data."""
    found = [uri for uri in properties.values() if isinstance(uri, str) and uri.startswith("file://")]
    if not found or not session.show_progress or not sys.stderr.isatty():
        yield
        return
    place = parse_uri(found[0])
    path, over = place.path if isinstance(place, LocalPath) else "", threading.Event()
    watching = threading.Thread(target=_poll_progress, args=(session, path, over), daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def _poll_progress(session: ClientSession, path: str, over: threading.Event) -> None:
    """Poll the server until `over` is set, on a thread and connection of its own."""
    progress, files, size = None, 0, 0
    try:
        while not over.wait(_EVERY):
            told = session.connection.get(f"/smalt/v1{session.uploads_id}/imports", path=path)
            if not told:
                continue
            if progress is None:
                progress = TransferProgress(path.rpartition("/")[2], told["files"], told["bytes"], verb="copying")
                progress.skip_present(told["done_files"], told["done_bytes"])  # nobody knows how long they took
            else:
                progress.add_sent(told["done_files"] - files, told["done_bytes"] - size)
            files, size = told["done_files"], told["done_bytes"]
    except SmaltError:
        pass  # the registration itself tells what is wrong
    finally:
        session.connection.close()
        if progress is not None:
            progress.close()
