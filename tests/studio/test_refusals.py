"""Each route of the server, asked by a browser that may not ask it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from smalt.service.api import route_tables
from smalt.service.api.studio.links import is_page
from tests.helpers import WORKSPACE, Server
from tests.studio.browsers import SESSION, Browser, signed_in

OPEN = {"/discovery", "/metadata/endpoints", "/identity/token"}
"""Answered to anyone of this host, for Azure's clients: tests/api/test_security.py."""


def list_routes() -> Iterator[tuple[str, str]]:
    """Yield each route that wants a session, with names in the places of its parameters."""
    for method, template, _ in (route for table in route_tables.SERVER_TABLES for route in table):
        if template not in OPEN and not is_page(template) and (method, template) != ("POST", SESSION):
            yield method, re.sub(r"{[^}]*}", "x", template)
    for prefix, tables in route_tables.WORKSPACE_TABLES.items():
        for method, template, _ in (route for table in tables for route in table):
            yield method, prefix + WORKSPACE.format("w") + re.sub(r"{[^}]*}", "x", template).rstrip("/")


ROUTES = sorted(set(list_routes()))


@pytest.fixture(scope="module")
def browser(server: Server) -> Browser:
    return signed_in(server)


def find_answered(browser: Browser, status: int, **headers: str) -> list[str]:
    """Return the routes that answer otherwise than with the refusal `status`."""
    found = []
    for method, path in ROUTES:
        answer = browser.ask(method, path, None if method == "GET" else {}, **headers)
        if answer.status != status:
            found.append(f"{method} {path}: {answer.status}")
    return found


def test_there_are_routes_to_try() -> None:
    """Those of every table, among them the studio's own."""
    assert len(ROUTES) > 150
    assert any(path.endswith("/changes") for _, path in ROUTES)


@pytest.mark.parametrize("cookie", ["", "smalt-studio-{port}=", "smalt-studio-{port}=wrong", "other=1", "=;;=\x7f"])
def test_no_route_answers_without_a_session(server: Server, cookie: str) -> None:
    """No cookie, an empty one, a foreign one, and what is none."""
    assert find_answered(Browser(server), 401, Cookie=cookie.format(port=server.port)) == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_no_route_answers_to_another_page(browser: Browser, origin: str) -> None:
    """The origin has another host, scheme or port, though the cookie is good."""
    assert find_answered(browser, 403, Origin=origin) == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_route_answers_across_sites(browser: Browser, site: str) -> None:
    """`same-site` is what another port of this host is."""
    assert find_answered(browser, 403, Sec_Fetch_Site=site) == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example"])
def test_no_route_answers_under_another_name(browser: Browser, host: str) -> None:
    """DNS rebinding: the name is another site's, the address ours."""
    assert find_answered(browser, 403, Host=host) == []


def test_a_change_must_name_its_page(browser: Browser) -> None:
    """A request with a cookie and without Origin changes nothing."""
    changing = [(method, path) for method, path in ROUTES if method not in ("GET", "HEAD")]
    assert [path for method, path in changing if browser.ask(method, path, {}, Origin="").status != 403] == []


def test_signing_in_is_for_pages_of_this_server(server: Server) -> None:
    """Not for a foreign page, nor for a program."""
    browser = Browser(server)
    body = {"token": server.home.read_token()}
    for name, value in (("Origin", "https://evil.example"), ("Origin", ""), ("Host", "evil.example")):
        assert browser.ask("POST", SESSION, body, **{name: value}).status == 403
    assert browser.ask("POST", SESSION, body, Sec_Fetch_Site="cross-site").status == 403


def test_a_link_from_another_page_opens_a_page_and_nothing_else(server: Server) -> None:
    """A notebook's link to a job: the page holds nothing of the home's, and asks for it as itself."""
    browser = signed_in(server)
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert browser.ask("GET", "/studio/default/jobs", **link).status in (200, 404)
    assert browser.ask("GET", "/smalt/v1/status", **link).status == 403
    framed = {**link, "Sec_Fetch_Dest": "iframe"}
    assert browser.ask("GET", "/studio/default/jobs", **framed).status == 403
    assert browser.ask("GET", "/studio/default/jobs", **link, Host="evil.example").status == 403
