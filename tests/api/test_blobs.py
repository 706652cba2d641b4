from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import re
import socket
import time
from email.utils import formatdate
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from tests.helpers import LONGEST, Server, host_job


class Blob(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def names(self) -> list[str]:
        """Blobs and prefixes of a listing."""
        return [name.decode() for name in re.findall(rb"<Name>(.*?)</Name>", self.body)]


class Container:
    """What a storage client does, over the loopback port, with a link or a token."""

    def __init__(self, server: Server, url: str, query: str = "", token: str = "") -> None:
        self._server, self._path, self._query, self._token = server, urlsplit(url).path, query, token

    def ask(
        self, method: str, name: str = "", query: str = "", body: bytes = b"", *, raw: str = "", **headers: str
    ) -> Blob:
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        if self._token:
            sent["authorization"] = f"Bearer {self._token}"
        path = self._path + (f"/{raw or quote(name)}" if name or raw else "")
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=LONGEST)
        try:
            connection.request(method, f"{path}?{'&'.join(filter(None, (query, self._query)))}", body, sent)
            answer = connection.getresponse()
            return Blob(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()


def upload(server: Server, workspace: str) -> Container:
    """A fresh container of a pending upload, by its link."""
    answer = server.ask_tcp("POST", f"{workspace}/codes/c/versions/1/startPendingUpload", {})
    sas = answer.body["blobReferenceForConsumption"]["credential"]["sasUri"]
    return Container(server, sas, urlsplit(sas).query)


def store(server: Server, workspace: str, container: str = "azureml-blobstore") -> Container:
    """A datastore's container, by the server's token."""
    found = server.ask_tcp("GET", f"{workspace}/datastores/workspaceblobstore").body["properties"]
    account = found["accountName"].partition("/")[2].removesuffix("/?")
    return Container(server, f"/{account}/{container}", token=server.home.read_token() or "")


def test_a_blob_comes_back_whole_and_in_ranges(server: Server, workspace: str) -> None:
    """Ranges answer 206 with their place; one beyond the end, and any of an empty blob, is 416."""
    blobs = store(server, workspace)
    assert blobs.ask("PUT", "a/b c.bin", body=b"0123456789", x_ms_blob_type="BlockBlob").status == 201
    assert blobs.ask("GET", "a/b c.bin").body == b"0123456789"
    part = blobs.ask("GET", "a/b c.bin", x_ms_range="bytes=2-4")
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert blobs.ask("GET", "a/b c.bin", range="bytes=8-99").body == b"89"
    blobs.ask("PUT", "empty")
    for name, range in (("empty", "bytes=0-9"), ("a/b c.bin", "bytes=10-")):
        assert blobs.ask("GET", name, x_ms_range=range).headers["x-ms-error-code"] == "InvalidRange"


def test_a_datastore_is_the_container(server: Server, workspace: str) -> None:
    """A job reads what was put as a blob, and its output is a blob."""
    blobs = store(server, workspace)
    blobs.ask("PUT", "in.txt", body=b"from a blob")
    job = host_job(
        "cat ${{inputs.i}} > ${{outputs.o}}/out.txt",
        inputs={"i": {"jobInputType": "uri_file", "uri": "azureml://datastores/workspaceblobstore/paths/in.txt"}},
        outputs={"o": {"jobOutputType": "uri_folder"}},
    )
    server.ask("PUT", f"{workspace}/jobs/j", job)
    list(server.stream(f"/smalt/v1{workspace}/jobs/j/stream"))
    assert blobs.ask("GET", "azureml/j/o/out.txt").body == b"from a blob"


def test_blocks_become_a_blob_in_the_order_of_their_list(server: Server, workspace: str) -> None:
    """Blocks wait beside; a list that names one that was not sent is refused; no temporary is ever listed."""
    blobs = store(server, workspace)
    ids = [base64.b64encode(text).decode() for text in (b"one", b"two")]
    for id, body in zip(ids, (b"first ", b"second"), strict=True):
        assert blobs.ask("PUT", "big", f"comp=block&blockid={quote(id)}", body).status == 201
    assert blobs.ask("GET", query="restype=container&comp=list").names == []
    missing = f"<BlockList><Latest>{ids[0]}</Latest><Latest>bm90</Latest></BlockList>".encode()
    assert blobs.ask("PUT", "big", "comp=blocklist", missing).status == 400
    listed = f'<?xml version="1.0"?><BlockList><Latest>{ids[1]}</Latest><Latest>{ids[0]}</Latest></BlockList>'
    for _ in range(2):  # a client that did not get the answer sends it again
        again = blobs.ask("PUT", "big", "comp=blocklist", listed.encode(), x_ms_meta_a="b", if_none_match="*")
        assert again.status == 201
    found = blobs.ask("GET", "big")
    assert (found.body, found.headers["x-ms-meta-a"]) == (b"secondfirst ", "b")
    for id in ids:
        blobs.ask("PUT", "big", f"comp=block&blockid={quote(id)}", b"new")
    assert blobs.ask("PUT", "big", "comp=blocklist", listed.encode(), if_none_match="*").status == 409
    assert blobs.ask("PUT", "big", "comp=blocklist", listed.encode()).status == 201
    assert blobs.ask("GET", "big").body == b"newnew"


def test_an_interrupted_upload_goes_on(own_server: Server, workspace: str) -> None:
    """Blocks outlive a restart of the server; one that broke off was never sent."""
    own_server.start()
    blobs = store(own_server, workspace)
    ids = [base64.b64encode(text).decode() for text in (b"one", b"two")]
    assert blobs.ask("PUT", "big", f"comp=block&blockid={quote(ids[0])}", b"first ").status == 201
    with socket.create_connection(("127.0.0.1", own_server.port)) as broken:
        line = f"PUT {blobs._path}/big?comp=block&blockid={quote(ids[1])} HTTP/1.1\r\nHost: localhost\r\n"
        broken.sendall(f"{line}Authorization: Bearer {blobs._token}\r\nContent-Length: 6\r\n\r\nsec".encode())
    own_server.ask("POST", "/smalt/v1/shutdown", {"force": True})
    own_server.processes[-1].wait(LONGEST)
    own_server.start()
    listed = "".join(f"<Latest>{id}</Latest>" for id in ids)
    body = f"<BlockList>{listed}</BlockList>".encode()
    assert blobs.ask("PUT", "big", "comp=blocklist", body).status == 400
    assert blobs.ask("PUT", "big", f"comp=block&blockid={quote(ids[1])}", b"second").status == 201
    assert blobs.ask("PUT", "big", "comp=blocklist", body).status == 201
    assert blobs.ask("GET", "big").body == b"first second"


def test_metadata_belongs_to_the_content(server: Server, workspace: str) -> None:
    """It stays over other requests, is listed on demand, and ends when the file is written anew."""
    blobs = store(server, workspace)
    blobs.ask("PUT", "f", body=b"1")
    assert blobs.ask("PUT", "f", "comp=metadata", x_ms_meta_state="completed").status == 200
    assert blobs.ask("HEAD", "f").headers["x-ms-meta-state"] == "completed"
    assert b"completed" in blobs.ask("GET", query="restype=container&comp=list&include=metadata").body
    blobs.ask("PUT", "f", body=b"other")
    assert "x-ms-meta-state" not in blobs.ask("HEAD", "f").headers


def test_what_is_there_is_not_overwritten_unasked(server: Server, workspace: str) -> None:
    """`If-None-Match: *` answers 409 BlobAlreadyExists."""
    blobs = store(server, workspace)
    assert blobs.ask("PUT", "f", body=b"1", if_none_match="*").status == 201
    again = blobs.ask("PUT", "f", body=b"2", if_none_match="*")
    assert (again.status, again.headers["x-ms-error-code"]) == (409, "BlobAlreadyExists")
    assert blobs.ask("GET", "f").body == b"1"


def test_bytes_that_were_damaged_on_the_way_are_not_kept(server: Server, workspace: str) -> None:
    """The MD5 that comes with them is checked before the blob exists."""
    blobs = store(server, workspace)
    md5 = base64.b64encode(hashlib.md5(b"right").digest()).decode()
    wrong = blobs.ask("PUT", "f", body=b"wrong", content_md5=md5)
    assert (wrong.status, wrong.headers["x-ms-error-code"]) == (400, "Md5Mismatch")
    assert blobs.ask("HEAD", "f").status == 404
    assert blobs.ask("PUT", "f", body=b"right", content_md5=md5).status == 201
    assert blobs.ask("HEAD", "f").headers["content-md5"] == md5


def test_listings_page_in_order_and_fold_at_the_delimiter(server: Server, workspace: str) -> None:
    """Order is that of whole names; a marker goes on where the page ended."""
    blobs = store(server, workspace)
    for name in ("d/x", "d-a", "d/sub/y", "e"):
        blobs.ask("PUT", name, body=b"1")
    assert blobs.ask("GET", query="restype=container&comp=list").names == ["d-a", "d/sub/y", "d/x", "e"]
    folded = blobs.ask("GET", query="restype=container&comp=list&delimiter=%2F&prefix=d%2F")
    assert folded.names == ["d/sub/", "d/x"]
    first = blobs.ask("GET", query="restype=container&comp=list&maxresults=3&delimiter=%2F")
    assert first.names == ["d-a", "d/", "e"]
    page = blobs.ask("GET", query="restype=container&comp=list&maxresults=2")
    marker = re.findall(rb"<NextMarker>(.*?)</NextMarker>", page.body)[0].decode()
    rest = blobs.ask("GET", query=f"restype=container&comp=list&marker={quote(marker)}")
    assert (page.names, rest.names) == (["d-a", "d/sub/y"], ["d/x", "e"])


def test_code_that_was_uploaded_as_blobs_runs(server: Server, workspace: str) -> None:
    """It becomes a snapshot, is found by the client's own hash, and is read again as blobs."""
    blobs, ws = upload(server, workspace), workspace
    blobs.ask("PUT", "src/main.sh", body=b"echo from the snapshot > outputs/said\n")
    uri = f"https://somewhere{blobs._path}/src"
    body = {"properties": {"codeUri": uri, "isAnonymous": True, "properties": {"hash_sha256": "abc"}}}
    assert server.ask_tcp("PUT", f"{ws}/codes/c/versions/1", body).status == 201
    assert server.ask_tcp("PUT", f"{ws}/codes/c/versions/1", body).status == 200, "sent again it is the same"
    found = server.ask_tcp("GET", f"{ws}/codes/other/versions?hash=abc&hashVersion=202208").body["value"]
    assert [one["id"] for one in found] == [f"{ws}/codes/c/versions/1"]
    server.ask("PUT", f"{ws}/jobs/j", host_job("sh main.sh", codeId=f"{ws}/codes/c/versions/1"))
    list(server.stream(f"/smalt/v1{ws}/jobs/j/stream"))
    artifacts = store(server, workspace, "azureml")
    assert artifacts.ask("GET", "ExperimentRun/dcid.j/outputs/said").body == b"from the snapshot\n"
    snapshot = urlsplit(found[0]["properties"]["codeUri"]).path.rpartition("/")[2]
    reading = store(server, workspace, "snapshots")
    assert reading.ask("GET", query=f"restype=container&comp=list&prefix={snapshot}/").names == [f"{snapshot}/main.sh"]
    assert reading.ask("GET", f"{snapshot}/main.sh").body.startswith(b"echo")
    assert reading.ask("PUT", f"{snapshot}/main.sh", body=b"other").status == 403


@pytest.mark.parametrize(
    "raw", ["../x", "%2e%2e/x", "a/%2e%2e/%2e%2e/x", "a%2f..%2f..%2f..%2fx", "%00", "a/../../../x"]
)
def test_no_name_leads_out_of_a_container(server: Server, workspace: str, raw: str) -> None:
    """Read, written or listed, encoded or not."""
    blobs = store(server, workspace)
    for method in ("GET", "PUT", "HEAD", "DELETE"):
        assert blobs.ask(method, raw=raw).status in (400, 403, 404)
    assert blobs.ask("GET", query=f"restype=container&comp=list&prefix={quote('../')}").names == []


@pytest.mark.parametrize("name", ["../x", "%2e%2e/%2e%2e/token", "a/%2e%2e/%2e%2e/x", "", "%00", "nowhere"])
def test_no_copy_reads_outside_of_a_container(server: Server, workspace: str, name: str) -> None:
    """The name in the source's URL is contained as any other; nor is another server, or another workspace, read."""
    blobs = store(server, workspace)
    for source in (
        f"https://localhost{blobs._path}/{name}",
        f"https://localhost/x.blob.core.windows.net/azureml/{name}",
    ):
        for query in ("", "comp=block&blockid=YQ%3D%3D"):
            answer = blobs.ask("PUT", "copy", query, x_ms_copy_source=source)
            assert answer.status in (400, 403, 404), answer
            assert b"<Code>" in answer.body
    assert blobs.ask("HEAD", "copy").status == 404
    assert blobs.ask("PUT", "here", body=b"1").status == 201
    assert blobs.ask("PUT", "copy", x_ms_copy_source=f"https://localhost{blobs._path}/here").status == 202


def test_a_link_opens_its_own_container_only(server: Server, workspace: str) -> None:
    """Not another container, not with another permission, not when a letter of it is changed; and nothing without."""
    mine, other = upload(server, workspace), upload(server, workspace)
    assert mine.ask("PUT", "f", body=b"1").status == 201
    assert Container(server, other._path, mine._query).ask("PUT", "f", body=b"1").status == 401
    assert Container(server, mine._path).ask("GET", "f").status == 401
    for changed in (mine._query.replace("sp=racwdl", "sp=r"), mine._query[:-1] + "x"):
        assert Container(server, mine._path, changed).ask("GET", "f").status == 401
    store_path = store(server, workspace)._path
    assert Container(server, store_path, mine._query).ask("GET", "f").status == 401


def test_a_signature_by_key_is_for_one_request_now(server: Server, workspace: str) -> None:
    """Not for another blob, method or query, not a quarter of an hour later, and not without a date."""
    key = base64.b64decode(server.ask("POST", f"{workspace}/listKeys", {}).body["userStorageKey"])
    path = store(server, workspace)._path
    blobs = Container(server, path)

    def headers(date: str) -> dict[str, str]:
        text = f"GET\n{chr(10) * 11}x-ms-date:{date}\n/any{path}\ncomp:list\nrestype:container"
        signature = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
        return {"authorization": f"SharedKey any:{signature}", "x_ms_date": date}

    now, query = headers(formatdate(usegmt=True)), "restype=container&comp=list"
    assert blobs.ask("GET", query=query, **now).status == 200
    assert blobs.ask("GET", query=f"{query}&prefix=a", **now).status == 401
    assert blobs.ask("GET", "other", query=query, **now).status == 401
    assert blobs.ask("DELETE", query=query, **now).status == 401
    assert blobs.ask("GET", query=query, authorization=now["authorization"]).status == 401
    assert blobs.ask("GET", query=query, **headers(formatdate(time.time() - 1000, usegmt=True))).status == 401
    assert server.ask_tcp("GET", f"{workspace}/jobs", token=None, headers={**now}).status == 401


def test_containers_that_are_not_there_are_named(server: Server, workspace: str) -> None:
    """404 in XML with the storage clients' own code."""
    answer = store(server, workspace, "nowhere").ask("GET", "f")
    assert answer.status == 404
    assert b"no container" in answer.body
    assert answer.headers["x-ms-error-code"] == "BlobNotFound"


def test_other_kinds_of_blobs_and_operations_are_refused(server: Server, workspace: str) -> None:
    """Never a 500: append blobs, leases, lists that are none, ids that are too long."""
    blobs: Any = store(server, workspace)
    assert blobs.ask("PUT", "f", x_ms_blob_type="AppendBlob").status == 400
    assert blobs.ask("PUT", "f", "comp=lease").status == 400
    assert blobs.ask("PUT", "f", "comp=blocklist", b"<BlockList><Latest>").status == 400
    assert blobs.ask("PUT", "f", "comp=blocklist", b"\xff").status == 400
    assert blobs.ask("PUT", "f", f"comp=block&blockid={'a' * 300}").status == 400
    assert blobs.ask("PUT", "folder/").status == 400
    assert blobs.ask("GET", query="restype=container&comp=list&marker=x").status == 400
    assert blobs.ask("GET", query="restype=container&comp=list&maxresults=x").status == 400
