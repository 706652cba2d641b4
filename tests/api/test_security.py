from __future__ import annotations

import socket
from pathlib import Path

import pytest

from smalt.service.listeners import get_peer_uid
from smalt.service.records import tokens
from smalt.service.records.database import Database
from tests.helpers import WORKSPACE, Server, host_job

STATUS = "/smalt/v1/status"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.mark.parametrize("token", [None, "", "wrong", "x" * 5000])
def test_without_the_token_nothing_answers_over_tcp(server: Server, token: str | None) -> None:
    """401 with WWW-Authenticate, in the ARM shape, on every kind of path."""
    sent = {} if token is None else {"Authorization": f"Bearer {token}"}
    for path in (STATUS, WORKSPACE.format("w"), f"{WORKSPACE.format('w')}/jobs/x", "/nowhere"):
        answer = server.ask_tcp("GET", path, token=None, headers=sent)
        assert answer.status == 401
        assert answer.body["error"]["code"] == "Unauthorized"
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_wants_the_token(server: Server, method: str) -> None:
    """No method is open."""
    assert server.ask_tcp(method, f"{WORKSPACE.format('w')}/jobs/x", token=None).status == 401


def test_other_ways_to_give_the_token_do_not_count(server: Server) -> None:
    """Basic authentication, a query parameter and a cookie are not the bearer header."""
    token = server.home.read_token() or ""
    for headers in ({"Authorization": f"Basic {token}"}, {"Authorization": token}, {"Cookie": f"token={token}"}):
        assert server.ask_tcp("GET", f"{STATUS}?token={token}", token=None, headers=headers).status == 401


def test_with_the_token_tcp_answers_as_the_socket_does(server: Server) -> None:
    """Both doors lead to the same server."""
    assert server.ask_tcp("GET", STATUS).body["pid"] == server.ask("GET", STATUS).body["pid"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "a b", "[::2]", "@"])
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_a_foreign_host_is_refused_even_with_the_token(server: Server, host: str, method: str) -> None:
    """DNS rebinding: the name in Host is not ours."""
    answer = server.ask_tcp(method, STATUS, headers={"Host": host})
    assert answer.status == 403
    assert "not one of this server's" in answer.body["error"]["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:80"])
def test_the_loopback_names_are_ours_on_any_port(server: Server, host: str) -> None:
    """A forwarded port has another number."""
    assert server.ask_tcp("GET", STATUS, headers={"Host": host}).status == 200


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "file://"])
def test_a_foreign_origin_is_refused_on_all_methods(server: Server, method: str, origin: str) -> None:
    """A web page cannot reach the server, not even to read, and gets no CORS header."""
    answer = server.ask_tcp(method, STATUS, headers={"Origin": origin})
    assert answer.status == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_another_site_caused_is_refused(server: Server, method: str, site: str) -> None:
    """Browsers tell by Sec-Fetch-Site what they do not tell by Origin, such as for images."""
    assert server.ask_tcp(method, STATUS, headers={"Sec-Fetch-Site": site}).status == 403


def test_our_own_pages_may_ask(server: Server) -> None:
    """The same origin, and what a person typed into the address bar, pass."""
    own = {"Origin": f"http://127.0.0.1:{server.port}", "Sec-Fetch-Site": "same-origin"}
    assert server.ask_tcp("GET", STATUS, headers=own).status == 200
    assert server.ask_tcp("GET", STATUS, headers={"Sec-Fetch-Site": "none"}).status == 200


def test_hosts_that_the_setting_names_are_ours(server: Server) -> None:
    """`allowed-hosts` counts at once."""
    server.ask("PATCH", "/smalt/v1/config", {"allowed-hosts": ["gpu-box"]})
    try:
        assert server.ask_tcp("GET", STATUS, headers={"Host": "gpu-box:443"}).status == 200
    finally:
        server.ask("PATCH", "/smalt/v1/config", {"allowed-hosts": None})
    assert server.ask_tcp("GET", STATUS, headers={"Host": "gpu-box:443"}).status == 403


def test_discovery_alone_answers_without_a_token(server: Server) -> None:
    """It tells the server's own URL, as the caller knows it, and nothing else."""
    answer = server.ask_tcp("GET", "/discovery", token=None)
    assert answer.status == 200
    assert set(answer.body.values()) == {f"http://127.0.0.1:{server.port}"}
    assert server.ask_tcp("GET", "/discovery", token=None, headers={"Host": "evil"}).status == 403


def test_the_token_file_is_for_its_owner_and_the_database_has_only_its_hash(server: Server) -> None:
    """Mode 0600; the token itself is nowhere in the database files."""
    token = (server.home.read_token() or "").encode()
    assert len(token) >= 40
    assert server.home.path("token").stat().st_mode & 0o777 == 0o600
    for name in ("smalt.db", "smalt.db-wal"):
        assert token not in server.home.path(name).read_bytes()


def test_a_token_may_be_for_one_workspace_only(own_server: Server) -> None:
    """It opens neither other workspaces nor the server, and names its principal."""
    own_server.start()
    own = own_server.ask("GET", WORKSPACE.format("mine")).body["name"]
    own_server.processes[0].terminate()
    own_server.processes[0].wait()
    db = Database(own_server.home.path("smalt.db"))
    id = db.value("SELECT id FROM workspaces WHERE name=?", (own,))
    tokens.add_token(db, "narrow", "ann", workspace_id=id, created_by="root")
    tokens.add_token(db, "late", "bob", expires_at=1.0, created_by="root")
    tokens.add_token(db, "scoped", "eve", scope="job:x", created_by="root")
    db.close()
    own_server.start()
    mine, other = WORKSPACE.format("MINE"), WORKSPACE.format("other")
    assert own_server.ask_tcp("GET", mine, token="narrow").status == 200
    assert own_server.ask_tcp("GET", other, token="narrow").status == 403
    assert own_server.ask_tcp("GET", STATUS, token="narrow").status == 403
    assert own_server.ask_tcp("POST", "/smalt/v1/shutdown", {}, token="narrow").status == 403
    assert own_server.ask_tcp("GET", mine, token="late").status == 401
    assert own_server.ask_tcp("GET", mine, token="scoped").status == 403
    put = own_server.ask_tcp("PUT", f"{mine}/jobs/j", host_job("true"), token="narrow")
    assert put.body["systemData"]["createdBy"] == "ann"


def test_a_new_token_in_the_file_voids_the_old_one(own_server: Server) -> None:
    """Deleting the file and starting again makes another token."""
    own_server.start().terminate()
    old = own_server.home.read_token()
    own_server.processes[0].wait()
    own_server.home.path("token").unlink()
    own_server.start()
    assert own_server.home.read_token() not in (None, old)
    assert own_server.ask_tcp("GET", STATUS, token=old).status == 401
    assert own_server.ask_tcp("GET", STATUS).status == 200


def test_the_socket_is_in_a_private_folder_and_tells_the_peers_user(server: Server) -> None:
    """0700 for the folder, 0600 for the socket; the kernel says who connects."""
    path = server.home.socket_path("server")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    near, far = socket.socketpair()
    with near, far:
        assert get_peer_uid(near) == Path("/proc/self").stat().st_uid


@pytest.mark.parametrize(
    "path",
    [
        "../stray",
        "a/../../stray",
        "%2e%2e/stray",
        "..%2fstray",
        "%2Fetc/passwd",
        "a/%2e%2e/%2e%2e/stray",
        "%252e%252e/stray",
        "a%00b",
    ],
)
def test_paths_stay_in_their_datastore(server: Server, workspace: str, path: str) -> None:
    """However a way out is written, it is refused or not found, for reading and writing."""
    url = f"/smalt/v1{workspace}/datastores/workspaceblobstore/files/{path}"
    assert server.ask("GET", url).status in (403, 404)
    answer = server.ask("PUT", url, raw=b"x")
    assert answer.status in (200, 403, 404)
    stray = [one for one in server.home.root.parent.rglob("stray") if "workspaceblobstore" not in str(one)]
    assert stray == []


def test_paths_of_the_servers_machine_are_for_its_own_user(server: Server, workspace: str, tmp_path: Path) -> None:
    """Over TCP neither a code folder nor a file:// asset can be named."""
    snapshot = server.ask_tcp("POST", f"/smalt/v1{workspace}/snapshots", {"path": str(tmp_path)})
    assert snapshot.status == 403
    body = {"properties": {"dataType": "uri_folder", "dataUri": f"file://{tmp_path}"}}
    assert server.ask_tcp("PUT", f"{workspace}/data/d/versions/1", body).status == 403
    assert server.ask("PUT", f"{workspace}/data/d/versions/1", body).status == 201


def test_a_file_that_a_job_wrote_is_served_without_its_scripts(server: Server, workspace: str) -> None:
    """HTML is sandboxed and not sniffed."""
    url = f"/smalt/v1{workspace}/datastores/workspaceblobstore/files/page.html"
    assert server.ask("PUT", url, raw=b"<script>x</script>").status == 200
    answer = server.ask_tcp("GET", url)
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_large_body_is_refused(server: Server, workspace: str) -> None:
    """More than `max-body-mb` is 413, and the server goes on."""
    server.ask("PATCH", "/smalt/v1/config", {"max-body-mb": 1})
    try:
        answer = server.ask("PUT", f"{workspace}/jobs/big", host_job("x" * 2_000_000))
        assert answer.status == 413
        assert "'max-body-mb'" in answer.body["error"]["message"]
    finally:
        server.ask("PATCH", "/smalt/v1/config", {"max-body-mb": None})
    assert server.ask("GET", STATUS).status == 200


def test_a_link_to_a_log_opens_that_file_for_reading_only(server: Server, workspace: str) -> None:
    """Without a token; not another file, another method, another time, or another host."""
    server.ask("PUT", f"{workspace}/jobs/linked", host_job("echo said"))
    list(server.stream(f"/smalt/v1{workspace}/jobs/linked/stream"))
    details = server.ask_tcp("GET", f"/history/v1.0{workspace}/runs/linked/details").body
    link = details["logFiles"]["user_logs/std_log.txt"].partition(str(server.port))[2]
    path, _, query = link.partition("?")
    assert server.ask_tcp("GET", link, token=None).body == b"said\n"
    assert server.ask_tcp("GET", link, token=None, headers={"Host": "evil"}).status == 403
    assert server.ask_tcp("PUT", link, token=None).status == 401
    other = path.replace("std_log", "other")
    for wrong in (f"{other}?{query}", f"{path}?{query.replace('until=', 'until=9')}", f"{path}?{query[:-1]}", path):
        assert server.ask_tcp("GET", wrong, token=None).status == 401
    assert server.ask_tcp("GET", f"{path}?until=\u0663&signature=x", token=None).status == 401
