"""Where the files of a table are: what smalt told the job, the web, and what cannot be reached."""

from __future__ import annotations

import http.server
import json
import threading
from functools import partial
from pathlib import Path

import pytest

from smalt.mltable import locations
from smalt.mltable.errors import UserErrorException


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that smalt says a few URIs lead to."""
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.csv").write_text("a\n1\n")
    mapped = {
        "azureml://datastores/d/paths/raw": str(tmp_path / "raw"),
        "https://account.blob.core.windows.net/data": str(tmp_path / "raw"),
        "azureml:asset:1": str(tmp_path / "raw" / "a.csv"),
    }
    monkeypatch.setenv(locations.VARIABLE, json.dumps({"url-map": mapped, "datastores": {"own": str(tmp_path)}}))
    return tmp_path


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://datastores/d/paths/raw/a.csv",
        "https://account.blob.core.windows.net/data/a.csv",
        "wasbs://data@account.blob.core.windows.net/a.csv",
        "abfss://data@account.dfs.core.windows.net/a.csv",
        "azureml:asset:1",
        "azureml://datastores/own/paths/raw/a.csv",
        "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/own/paths/raw/a.csv",
    ],
)
def test_a_uri_leads_where_smalt_said(told: Path, uri: str) -> None:
    """The longest prefix counts; blobs are known under their https name too."""
    assert locations.get_readable(uri) == str(told / "raw" / "a.csv")


def test_a_pattern_keeps_the_names_of_its_files(told: Path) -> None:
    """Files found by a URI's pattern are called by URIs."""
    found = locations.list_files({"pattern": "azureml://datastores/d/paths/raw/*.csv"})
    assert found == ["azureml://datastores/d/paths/raw/a.csv"]


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("azureml://datastores/other/paths/x", "the job knows no datastore 'other'"),
        ("azureml://datastores/own/paths/../../x", "leads out of datastore own"),
        ("wasbs://c@other.blob.core.windows.net/x", "cannot be reached from here; give it to the job as an input"),
        ("azureml:other:1", "cannot be reached from here"),
    ],
)
def test_what_cannot_be_reached_is_one_sentence(told: Path, uri: str, words: str) -> None:
    """It says what to do: give it to the job as an input."""
    with pytest.raises(UserErrorException) as caught:
        locations.resolve_local(uri)
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_of_the_web_is_fetched_once(tmp_path: Path) -> None:
    """A file that a URL names is read; one that is not there is a sentence."""
    (tmp_path / "a.csv").write_text("a\n1\n")
    handler = partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        path = locations.get_readable(f"{url}/a.csv")
        (tmp_path / "a.csv").unlink()
        assert Path(path).read_text() == "a\n1\n"
        assert locations.get_readable(f"{url}/a.csv") == path
        with pytest.raises(UserErrorException, match="could not be fetched"):
            locations.resolve_local(f"{url}/b.csv")
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...
