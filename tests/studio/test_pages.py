"""The studio's own files, and what jobs wrote."""

from __future__ import annotations

import re

from smalt.service.api.studio.pages import STATIC
from tests.helpers import Server, host_job
from tests.studio.browsers import Browser, signed_in

IS_BUILT = (STATIC / "index.html").is_file()


def test_every_address_is_the_page(server: Server) -> None:
    """Without a session, as it holds nothing of the home's; where it was not built, it says how."""
    for path in ("/studio", "/studio/default/jobs/a", "/studio/x/../y", "/studio/assets/jobs", "/studio/assets/data/a"):
        answer = Browser(server).ask("GET", path)
        assert answer.status == (200 if IS_BUILT else 404)
        assert b'<div id="root">' in answer.body if IS_BUILT else b"scripts/studio" in answer.body
    assert Browser(server).ask("GET", "/").headers["location"] == "/studio"


def test_the_page_loads_and_calls_this_server_alone(server: Server) -> None:
    """No inline script, no other host, no frame around it, no form."""
    headers = Browser(server).ask("GET", "/studio").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    if IS_BUILT:
        text = (STATIC / "index.html").read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|https?://(?!www\.w3\.org)", text)


def test_files_beside_the_pages_are_not_served(server: Server) -> None:
    """Neither by dots nor by a name that is not there; methods that change are for nobody."""
    browser = Browser(server)
    for path in ("/studio/assets/../index.html", "/studio/assets/../../service/server.py", "/studio/assets/none.js"):
        assert browser.ask("GET", path).status == 404
    assert browser.ask("POST", "/studio", {}).status == 401
    assert signed_in(server).ask("POST", "/studio", {}).status == 405


def test_what_a_job_wrote_reaches_no_script(server: Server, workspace: str) -> None:
    """HTML and SVG come sandboxed, whichever route shows them."""
    browser, bad = signed_in(server), "<script>alert(1)</script>"
    job = host_job(
        f"echo '{bad}' > ${{{{outputs.o}}}}/a.html; echo '<svg>{bad}</svg>' > ${{{{outputs.o}}}}/a.svg",
        outputs={"o": {"jobOutputType": "uri_folder"}},
    )
    assert server.ask("PUT", f"{workspace}/jobs/bad", job).status == 201
    assert list(server.stream(f"/smalt/v1{workspace}/jobs/bad/stream"))[-1]["status"] == "Completed"
    for name in ("a.html", "a.svg"):
        answer = browser.ask("GET", f"/smalt/v1{workspace}/jobs/bad/ports/outputs/o/file?path={name}")
        assert (answer.status, bad.encode() in answer.body) == (200, True)
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
