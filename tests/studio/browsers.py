"""A browser as far as the server sees one: a cookie, and the headers that browsers add."""

from __future__ import annotations

from typing import Any

from tests.helpers import Answer, Server

SESSION = "/smalt/v1/studio/session"
CODES = "/smalt/v1/studio/codes"


class Browser:
    """A browser that opens the server's pages by its port."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.origin = f"http://127.0.0.1:{server.port}"
        self.cookie = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request as a page of this server does; `headers` replace its own, an empty one removes it."""
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Cookie": self.cookie}
        if method not in ("GET", "HEAD"):
            own["Origin"] = self.origin
        sent = {key: value for key, value in {**own, **given}.items() if value}
        return self.server.ask_as(method, path, sent, body)

    def sign_in(self, **given: str) -> Answer:
        """Exchange a code, a new one unless another or a token is given, for the cookie."""
        answer = self.ask("POST", SESSION, given or {"code": get_code(self.server)})
        if answer.status == 201:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer


def get_code(server: Server) -> str:
    answer = server.ask("POST", CODES, {})
    assert answer.status == 200, answer.body
    return str(answer.body["code"])


def signed_in(server: Server) -> Browser:
    browser = Browser(server)
    assert browser.sign_in().status == 201
    return browser
