"""The review as a page: by keyboard in a real browser, in both languages; closed to every other user of the laptop."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import secrets
import socket
import subprocess
import threading
import time
from importlib import resources
from pathlib import Path
from urllib.parse import urlencode

import pytest

from agent.i18n import catalogue
from agent.ui.review.page.peers import uid_behind
from agent.ui.review.page.server import PageServer
from agent.ui.review.page.views import Page
from agent.ui.review.page.words import PAGE
from tests import browsers
from tests.invented import LETTER
from tests.review_bed import ANNE, STRANGER, review_bed

pytestmark = [
    pytest.mark.system, pytest.mark.xdist_group("browsers"),
    pytest.mark.skipif(os.getuid() != 0, reason="acts as other persons"),
]  # fmt: skip
HOSTILE = b"b\x1b[31m<b>[red]\xe2\x80\xae\xff.txt"
# what a program of another user does; of the system's interpreter, which everybody may run
VISIT = """
import http.client, sys
from urllib.parse import urlsplit
url = urlsplit(sys.argv[1])
connection = http.client.HTTPConnection(url.netloc, timeout=20)
connection.request("GET", url.path)
print(connection.getresponse().status)
"""
SEND_AND_GO = """
import socket, sys
from urllib.parse import urlsplit
url = urlsplit(sys.argv[1])
for _ in range(200):
    with socket.create_connection((url.hostname, url.port), 20) as connection:
        connection.sendall(f"GET {url.path} HTTP/1.0\\r\\nHost: {url.netloc}\\r\\n\\r\\n".encode())
"""


@pytest.fixture(scope="module")
def bed():
    with review_bed() as made:
        made.agent.start()
        made.fill()
        yield made


class Running:
    """A page of Anne's; ``uids`` as the command would have them, and root, for the browsers of this test are root's."""

    def __init__(self, bed, uids=frozenset((0, ANNE)), behind=uid_behind):
        self.server = PageServer(Page(bed.client(ANNE), "en"), uids, behind)
        self.url = self.server.url
        self.thread = threading.Thread(target=self.server.serve, daemon=True)
        self.thread.start()
        self.host = self.server.admission.host

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.host, timeout=20)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read().decode()

    def entered(self):
        status, headers, _body = self.ask("GET", self.url.removeprefix(f"http://{self.host}"))
        assert status == 303
        return headers["Set-Cookie"].partition(";")[0]

    def end(self):
        self.server.closing.set()
        self.thread.join(20)


def a_letter_more(bed, name=b"de plus "):
    """One that no other test, and no earlier try of this one, has marked: a word of its name, its record's number."""
    word = secrets.token_hex(4)
    bed.put(ANNE, name + word.encode() + b".txt", LETTER + word)
    return word, max(each["i"] for each in bed.agent.records("transfer") if each.get("act"))


@pytest.fixture
def page(bed):
    running = Running(bed)
    try:
        yield running
    finally:
        running.end()


def as_user(uid, script, *words):
    return subprocess.run(
        ["/usr/bin/python3", "-c", script, *words], user=uid, group=uid, extra_groups=[], cwd="/",
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


# ---- who gets in


def test_another_user_of_the_laptop_is_turned_away_even_with_the_link(page):
    assert as_user(STRANGER, VISIT, page.url).stdout.strip() == "403"
    assert as_user(STRANGER, VISIT, f"http://{page.host}/style.css").stdout.strip() == "403"
    assert as_user(ANNE, VISIT, page.url).stdout.strip() == "303"  # and it had not used the link up


def test_a_connection_that_its_user_has_let_go_counts_for_nobody(bed):
    """A socket without an owner is listed as root's: whoever sends and goes must not pass for root."""
    seen = []

    def late(connection):
        time.sleep(0.02)  # until the sender is gone
        seen.append(uid_behind(connection))
        return seen[-1]

    running = Running(bed, behind=late)
    try:
        as_user(STRANGER, SEND_AND_GO, running.url)
        time.sleep(0.5)
        assert seen
        assert set(seen) <= {None, STRANGER}
        assert None in seen
        assert running.server.admission._link is not None
    finally:
        running.end()


def test_the_link_works_once(page):
    page.entered()
    status, _headers, body = page.ask("GET", page.url.removeprefix(f"http://{page.host}"))
    assert status == 403
    assert "VERNICOURT" not in body


def test_without_the_cookie_there_is_nothing_to_see(page):
    cookie = page.entered()
    for path in ("/", "/mine", "/event/3", "/day/2026-11-22"):
        assert page.ask("GET", path)[0] == 403
        assert page.ask("GET", path, Cookie=cookie[:-1] + "x")[0] == 403
    assert page.ask("GET", "/mine", Cookie=cookie)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"}, {"Host": "localhost:1"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
    ],
)  # fmt: skip
def test_other_names_and_other_sites_lead_nowhere(page, headers):
    cookie = page.entered()
    assert page.ask("GET", "/mine", Cookie=cookie, **headers)[0] == 403


def test_a_form_needs_its_origin_and_its_token(page, bed):
    _word, number = a_letter_more(bed)
    cookie, before = page.entered(), len(bed.agent.records("review"))
    form = re.search(r'name="form" value="([^"]+)"', page.ask("GET", "/mine", Cookie=cookie)[2])[1]
    good = urlencode({"form": form, "record": number})
    origin = f"http://{page.host}"
    tries = [
        (good, {}), (good, {"Origin": "null"}), (good, {"Origin": "http://evil.example"}),
        (urlencode({"record": number}), {"Origin": origin}),
        (urlencode({"form": "x", "record": number}), {"Origin": origin}),
    ]  # fmt: skip
    for body, headers in tries:
        assert page.ask("POST", "/mark", body, Cookie=cookie, **headers)[0] == 403
    assert page.ask("POST", "/mark", good, Origin=origin)[0] == 403
    assert page.ask("POST", "/mark", "x" * 70_000, Origin=origin, Cookie=cookie)[0] == 413
    assert len(bed.agent.records("review")) == before
    assert page.ask("POST", "/mark", good, Origin=origin, Cookie=cookie)[0] == 303
    assert len(bed.agent.records("review")) == before + 1


def test_a_form_leads_back_to_this_page_only(page):
    cookie = page.entered()
    form = re.search(r'name="form" value="([^"]+)"', page.ask("GET", "/mine", Cookie=cookie)[2])[1]
    for back in ("//evil.example", "http://evil.example/", "/day/2026-11-22\r\nX: y", "/open/x"):
        body = urlencode({"form": form, "language": "en", "back": back})
        status, headers, _body = page.ask("POST", "/language", body, Origin=f"http://{page.host}", Cookie=cookie)
        assert (status, headers["Location"]) == (303, "/")


def test_names_of_documents_are_text(page):
    body = page.ask("GET", f"/day/{time.strftime('%Y-%m-%d')}", Cookie=page.entered())[2]
    assert "&lt;b&gt;[red]" in body
    assert "<b>[red]" not in body
    assert "\x1b" not in body
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in body


def test_nonsense_is_answered_calmly(page):
    cookie = page.entered()
    for path in ("/event/99999999", "/day/2026-99-99", "/event/" + "9" * 400, "/%2e%2e/etc/passwd", "/mine/../x"):
        assert page.ask("GET", path, Cookie=cookie)[0] in {200, 303, 400, 404}
    with socket.create_connection(page.host.split(":"), 20) as wire:
        wire.sendall(b"\x00\xff garbage\r\n\r\n")
        assert b"Traceback" not in wire.recv(4096)


def test_it_ends_when_nobody_uses_it(bed):
    server = PageServer(Page(bed.client(ANNE), "en"), frozenset((0,)))
    server.serve(idle_s=0.2)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(server.admission.host.split(":")[1])), 5)


# ---- in a browser


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    if lacking := browsers.missing("chromium"):
        pytest.skip(f"{lacking} is not installed: make test-packages")
    with browsers.browser("chromium", tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def visit(tab, url):
    tab.call("browsingContext.navigate", context=tab.context, url=url, wait="complete")
    tab.call("browsingContext.activate", context=tab.context)


def tab_to(tab, wanted):
    """Press Tab until the focus is on an element for which the expression (of ``e``) is true."""
    for _ in range(80):
        tab.keys("\ue004")
        if tab.run(f"(e => Boolean({wanted}))(document.activeElement)"):
            return
    raise AssertionError(f"the keyboard does not reach {wanted}: {tab.run('document.body.innerText')}")


def check_rules(tab):
    axe = (resources.files("axe_core_python") / "axe.min.js").read_text("utf-8")
    tab.run(f"(() => {{ {axe}; return true }})()")
    assert tab.run(
        "axe.run(document).then(all => all.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html)))"
    ) == []  # fmt: skip


def press(tab, wanted):
    """Enter on it; wait for the page that comes."""
    tab_to(tab, wanted)
    tab.run("(() => { window.old = true; return true })()")
    tab.keys("\ue007")
    end = time.monotonic() + browsers.DEADLINE_S
    while time.monotonic() < end:
        with contextlib.suppress(AssertionError):  # between two pages there is none
            if tab.run("window.old !== true && document.readyState === 'complete'"):
                return
        time.sleep(0.05)
    raise AssertionError(f"no other page came after {wanted}")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_clinician_reviews_and_contests_by_keyboard(tab, bed, language):
    running, t = Running(bed), catalogue(language).gettext
    running.server.page._language = language
    try:
        word, number = a_letter_more(bed, {"en": b"visite ", "fr": b"b\x1b[31m<b> "}[language])
        visit(tab, running.url)
        assert tab.run("document.documentElement.lang") == language
        assert tab.run("location.pathname").startswith("/day/")
        check_rules(tab)
        press(tab, f"e.innerText.includes('{word}')")
        text = tab.run("document.body.innerText")
        assert t("Why was this refused?") in text
        assert t("None of its text is kept: only these kinds and how often each was found.") in text
        check_rules(tab)
        assert number == int(tab.run("location.pathname").rpartition("/")[2])
        press(tab, f"e.innerText === {t('Mark as reviewed')!r}")
        assert tab.run("document.querySelector('[role=status]').innerText")
        assert bed.agent.records("review")[-1]["records"] == [number]
        tab_to(tab, "e.name === 'why'")
        tab.keys("\ue00d\ue015\ue015")  # the space bar, then down twice
        tab_to(tab, "e.name === 'reason'")
        tab.keys("cas de cours")
        press(tab, f"e.innerText === {t('Send the request')!r}")
        said = bed.agent.records("contest")[-1]
        assert (said["of"], said["why"]) == (number, "teaching")
        press(tab, f"e.innerText === {t(PAGE['mine'])!r}")
        assert t("Quarantine: your documents") in tab.run("document.body.innerText")
        check_rules(tab)
        press(tab, f"e.lang === '{ {'en': 'fr', 'fr': 'en'}[language] }'")
        assert tab.run("document.documentElement.lang") != language
        assert tab.complaints() == []
        assert all(url.startswith(f"http://{running.host}/") or "favicon" in url for url in tab.requests()[-10:])
        press(tab, f"e.innerText === {catalogue({'en': 'fr', 'fr': 'en'}[language]).gettext(PAGE['close'])!r}")
        running.thread.join(20)
        assert not running.thread.is_alive()
    finally:
        running.end()


def test_another_site_can_neither_read_nor_write(tab, bed, tmp_path):
    """A page of somebody else's in the same browser, with the session's cookie in it."""
    running = Running(bed)
    evil = tmp_path / "evil.html"
    number = next(r["i"] for r in bed.agent.records("transfer") if r.get("act"))
    evil.write_text(
        f"<form id=f method=post action='http://{running.host}/mark'><input name=record value={number}></form>"
        f"<iframe src='http://{running.host}/mine'></iframe>"
    )
    try:
        visit(tab, running.url)
        before = len(bed.agent.records("review"))
        visit(tab, Path(evil).as_uri())
        assert (
            tab.run(f"fetch('http://{running.host}/mine', {{credentials: 'include'}}).then(() => 'read', () => 'no')")
            == "no"
        )
        assert tab.run(
            f"fetch('http://{running.host}/mine', {{credentials: 'include', mode: 'no-cors'}}).then(r => r.status + r.type, () => 'no')"
        ) in {"0opaque", "no"}
        tab.run("(() => { document.getElementById('f').submit(); return true })()")
        time.sleep(1)
        assert len(bed.agent.records("review")) == before
    finally:
        running.end()
