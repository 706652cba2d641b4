"""Sessions of browsers: how one begins, what it may ask, and how it ends."""

from __future__ import annotations

import pytest

from smalt.machine.home import Home
from smalt.service.api.auth.access_tokens import AccessTokens
from smalt.service.api.studio import sessions
from smalt.service.records import tokens, workspaces
from smalt.service.records.database import Database
from tests.helpers import WORKSPACE, Server, host_job, running_server
from tests.studio.browsers import CODES, SESSION, Browser, get_code, signed_in

STATUS = "/smalt/v1/status"


def test_a_code_opens_one_session(server: Server, workspace: str) -> None:
    """The cookie stands for the token; the same code again, or another text, opens nothing."""
    browser, other, code = Browser(server), Browser(server), get_code(server)
    assert browser.ask("GET", STATUS).status == 401
    assert browser.sign_in(code=code).status == 201
    assert browser.ask("GET", STATUS).status == 200
    assert browser.ask("GET", SESSION).body["principal"] == server.ask("GET", SESSION).body["principal"]
    refused = other.sign_in(code=code)
    assert (refused.status, "used already" in refused.body["error"]["message"]) == (401, True)
    assert other.sign_in(code="wrong").status == 401
    assert other.ask("GET", STATUS).status == 401


def test_the_cookie_is_for_this_server_alone(server: Server) -> None:
    """No script reads it, no other site sends it; its name has the port, as cookies reach every port of a host."""
    text = Browser(server).sign_in().headers["set-cookie"]
    assert text.startswith(f"smalt-studio-{server.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(text.split("; "))
    assert "Secure" not in text


def test_behind_tls_the_cookie_is_secure() -> None:
    """A proxy with TLS is named by the setting public-url."""
    with running_server(public_url="https://smalt.example", allowed_hosts=["smalt.example"]) as server:
        browser = Browser(server)
        answer = browser.ask("POST", SESSION, {"code": get_code(server)}, Origin="https://smalt.example")
        assert answer.headers["set-cookie"].endswith("; Secure")


def test_the_address_of_a_code_has_it_in_the_fragment(server: Server) -> None:
    """Browsers send no fragment, so the code is in no log, no history of a server and no Referer."""
    body = server.ask("POST", CODES, {"path": "default/jobs/a"}).body
    assert body["url"] == f"http://127.0.0.1:{server.port}/studio/default/jobs/a#code={body['code']}"
    assert server.ask("POST", CODES, {"path": "a#b"}).status == 400


def test_a_token_opens_a_session_by_the_form(server: Server) -> None:
    """The home's own does; others do not, nor a token of another use."""
    browser = Browser(server)
    assert browser.sign_in(token=server.home.read_token() or "").status == 201
    assert browser.ask("GET", STATUS).status == 200
    for token in ("wrong", browser.cookie.partition("=")[2], "eyJ.a.b"):
        assert Browser(server).sign_in(token=token).status == 401
    assert Browser(server).ask("POST", SESSION, {}).status == 400


def test_a_session_is_no_token(server: Server) -> None:
    """The cookie's secret in the header Authorization opens nothing, nor does it buy another session."""
    secret = signed_in(server).cookie.partition("=")[2]
    assert server.ask_tcp("GET", STATUS, token=secret).status == 403
    assert server.ask_as("GET", STATUS, {"Cookie": f"smalt-studio-{server.port + 1}={secret}"}).status == 401


def test_a_session_ends(server: Server) -> None:
    """Signing out voids the cookie on the server, not only in the browser."""
    browser = signed_in(server)
    answer = browser.ask("DELETE", SESSION)
    assert (answer.status, "Max-Age=0" in answer.headers["set-cookie"]) == (200, True)
    assert browser.ask("GET", STATUS).status == 401


def test_a_session_of_one_workspace_opens_no_other(own_server: Server) -> None:
    """A token that is good for one workspace makes such a session, which is told of that workspace alone."""
    own_server.home.create()
    db = Database(own_server.home.path("smalt.db"))
    mine = workspaces.ensure_workspace(db, "sub", "group", "mine", "me")
    workspaces.ensure_workspace(db, "sub", "group", "other", "me")
    tokens.add_token(db, "secret", "guest", workspace_id=mine.id, created_by="root")
    db.close()
    own_server.start()
    browser = Browser(own_server)
    assert browser.sign_in(token="secret").status == 201
    session = browser.ask("GET", SESSION).body
    assert (session["principal"], [one["name"] for one in session["workspaces"]]) == ("guest", ["mine"])
    assert browser.ask("GET", f"{WORKSPACE.format('mine')}/jobs").status == 200
    assert browser.ask("GET", f"{WORKSPACE.format('other')}/jobs").status == 403
    assert browser.ask("GET", STATUS).status == 403


def test_a_session_outlives_the_server(own_server: Server) -> None:
    """Codes do not: a server that starts knows none."""
    own_server.start()
    browser, code = signed_in(own_server), get_code(own_server)
    own_server.kill()
    own_server.start_again()
    assert browser.ask("GET", STATUS).status == 200
    assert Browser(own_server).sign_in(code=code).status == 401


def test_codes_and_sessions_expire(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code after ten minutes, a session after seven days, of which nothing is left."""
    db, codes, now = Database(home.path("smalt.db")), sessions.SignInCodes(), [1e9]
    monkeypatch.setattr("time.time", lambda: now[0])
    code, _ = codes.issue_code("me")
    secret = sessions.open_session(db, "me", None)
    now[0] += sessions.CODE_SECONDS + 1
    with pytest.raises(Exception, match="older than ten minutes"):
        codes.redeem_code(code)
    assert sessions.find_session(db, secret) is not None
    now[0] += sessions.SESSION_SECONDS
    assert sessions.find_session(db, secret) is None
    sessions.open_session(db, "me", None)
    assert db.value("SELECT count(*) FROM tokens WHERE scope='studio'") == 1


def test_a_job_opens_no_session(server: Server, workspace: str) -> None:
    """Its own token asks for no code, and is no token for the form."""
    jwt = AccessTokens(server.home.read_secret("jwt"))
    server.ask("PUT", f"{workspace}/jobs/own", host_job('echo "$MLFLOW_TRACKING_TOKEN"'))
    token = "".join(
        message["text"]
        for message in server.stream(f"/smalt/v1{workspace}/jobs/own/stream")
        if message["t"] == "log" and message["file"].startswith("user_logs")
    ).strip()
    assert token
    for own in (token, jwt.issue_token("me", "x", token)[0]):
        assert server.ask_tcp("POST", CODES, {}, token=own).status == 403
    assert Browser(server).sign_in(token=token).status == 401
