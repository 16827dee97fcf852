"""The officers' pages in a real Chromium: by keyboard, in both languages, by axe's rules (WCAG 2.2 A and AA), with a
passkey of a virtual authenticator. Pictures of every page stay in ``build/screenshots``.
"""

import base64
import contextlib
import json
import time
import urllib.request
from importlib import resources
from pathlib import Path

import pytest

from agent.crypto.signing import FileKey
from collector import app
from collector.access import Access
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Writer
from collector.officers import accounts, decisions, passkeys, sessions
from collector.officers.roles import Role
from collector.service import Service
from collector.store.sql import raise_alert
from collector.store.tables import laptops
from tests import browsers
from tests.signed_fleet import policy
from tests.unit.collector.laptops import Laptop
from tests.unit.collector.taking import Taking

PHRASE = "quatre chevaux boivent du lait"
HOSTILE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>\"'"
PICTURES = Path(__file__).resolve().parents[3] / "build" / "screenshots"
PAGES = (
    "today",
    "fleet",
    "policies",
    "alerts",
    "requests",
    "proofs",
    "risks",
    "risks/0",
    "keys",
    "acts",
    "account",
    "events",
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TAB, ENTER, SPACE = "\ue004", "\ue007", "\ue00d"
NOW = int(time.time())


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    if lacking := browsers.missing("chromium"):
        pytest.skip(f"{lacking} is not installed: make test-packages")
    with browsers.browser("chromium", tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
def site(light_store, server):
    """A collector with one troubled laptop; its service and address."""
    laptop = Laptop()
    laptop.add("start", version="0.1.0")
    laptop.add("place", state="armed", volume="v", channel="removable", strength="hold", service=HOSTILE)
    laptop.add("policy", policy=HOSTILE, release="3", mode="enforce")
    laptop.add(channel="removable", decision="block", wanted="block", judgement="medical", kind="lab-report", act=True)
    laptop.add("contest", of=3, why=HOSTILE, by="owner")
    laptop.add("keys", what=HOSTILE)
    taking = Taking(light_store)
    taking.send(laptop.batch())
    taking.close()
    with light_store.engine.begin() as connection:
        raise_alert(connection, 1, "fork", 2, NOW - 50)
        connection.execute(laptops.update().values(group_name=HOSTILE))
    risk = {
        "title": HOSTILE,
        "treatment": "reduced",
        "owner": HOSTILE,
        "decided_on": "2026-01-02",
        "review_on": "2026-06-01",
    }
    decisions.keep_risk(light_store.engine, 0, {**risk, "version": "0"}, "camille")
    writer = Writer(light_store)
    service = Service(light_store, writer, Access("a-token-of-more-than-sixteen"), Witness(FileKey()), Verifiers(0))
    switch, port = server
    switch.application = app.build(service)
    yield service, f"http://localhost:{port}"
    writer.close()


def visit(tab, url):
    tab.call("browsingContext.navigate", context=tab.context, url=url, wait="complete")
    tab.call("browsingContext.activate", context=tab.context)


def fresh(tab, url):
    """Nobody is signed in, no language was chosen."""
    tab.call("storage.deleteCookies", partition={"type": "context", "context": tab.context})
    visit(tab, url)


def tab_to(tab, wanted):
    """Press Tab until the focus is on an element for which the expression (of ``e``) is true."""
    for _ in range(80):
        tab.keys(TAB)
        if tab.run(f"(e => Boolean({wanted}))(document.activeElement)"):
            return
    raise AssertionError(f"the keyboard does not reach {wanted}: {tab.run('document.body.innerText')}")


def press(tab, key=ENTER):
    """Press a key that leads to another page, and wait for that."""
    tab.run("(() => { window.old = true; return true })()")
    tab.keys(key)
    end = time.monotonic() + browsers.DEADLINE_S
    while time.monotonic() < end:
        with contextlib.suppress(AssertionError):  # between two pages there is none
            if tab.run("window.old !== true && document.readyState === 'complete'"):
                return
        time.sleep(0.05)
    raise AssertionError(f"no other page came: {tab.run('document.body.innerText')}")


def check_rules(tab):
    axe = (resources.files("axe_core_python") / "axe.min.js").read_text("utf-8")
    tab.run(f"(() => {{ {axe}; return true }})()")
    assert tab.run(
        f"axe.run(document, {{runOnly: {json.dumps(RULES)}}})"
        ".then(all => all.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html)))"
    ) == []  # fmt: skip


def picture(tab, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    taken = tab.call("browsingContext.captureScreenshot", context=tab.context, origin="document")["data"]
    (PICTURES / f"{name}.png").write_bytes(base64.b64decode(taken))


def account(service, *roles, phrase=False):
    link = accounts.add(service.engine, "camille", roles, NOW, "test")
    if phrase:
        accounts.choose_passphrase(service.engine, link, PHRASE, NOW)
    return link


def enter(tab, service, address, *roles):
    """Signed in without the form."""
    account(service, *roles)
    officer = accounts.Officer(1, "camille", roles)
    cookie = sessions.begin(service.engine, officer, NOW, whole=True, how="test")
    fresh(tab, f"{address}/login")
    value = {"type": "string", "value": cookie}
    tab.call(
        "storage.setCookie",
        cookie={"name": sessions.COOKIE, "value": value, "domain": "localhost", "path": "/", "httpOnly": True, "sameSite": "strict"},
    )  # fmt: skip


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_keeps_the_rules_and_runs_no_word_of_a_laptop(tab, site, language):
    service, address = site
    enter(tab, service, address, "dpo")
    before = len(tab.complaints())
    for page in PAGES:
        visit(tab, f"{address}/{page}?lang={language}")
        assert tab.run("document.documentElement.lang") == language
        assert tab.run("document.title").endswith("Serment")
        assert tab.run("document.querySelectorAll('main h1').length") == 1
        check_rules(tab)
        picture(tab, f"{page.replace('/', '-')}-{language}")
    assert tab.complaints()[before:] == []
    for page in ("login", "welcome?link=x"):
        fresh(tab, f"{address}/{page}{'&' if '?' in page else '?'}lang={language}")
        check_rules(tab)
        picture(tab, f"{page.split('?', 1)[0]}-{language}")


def test_narrow_and_enlarged_pages_need_no_scrolling_sideways(tab, site):
    service, address = site
    enter(tab, service, address, "dpo")
    tab.call("browsingContext.setViewport", context=tab.context, viewport={"width": 320, "height": 640})
    try:
        for page in PAGES:
            visit(tab, f"{address}/{page}")
            wide = tab.run(
                "[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, pre, .skip'))"
                ".filter(e => e.getBoundingClientRect().right > 321).map(e => e.outerHTML.slice(0, 80))"
            )
            assert tab.run("document.documentElement.scrollWidth") <= 320, (page, wide)
    finally:
        tab.call("browsingContext.setViewport", context=tab.context, viewport=None)


def test_from_the_one_time_link_to_a_decision_by_keyboard(tab, site):
    service, address = site
    link = account(service, "analyst")
    fresh(tab, f"{address}/welcome?link={link}&lang=en")
    check_rules(tab)
    picture(tab, "choose-en")
    tab_to(tab, "e.id === 'passphrase'")
    tab.keys(PHRASE + TAB + PHRASE)
    press(tab)
    assert tab.run("location.pathname") == "/account"
    tab_to(tab, "e.pathname === '/alerts'")
    press(tab)
    tab_to(tab, "e.name === 'verdict'")
    tab.keys(SPACE)
    tab_to(tab, "e.name === 'why'")
    tab.keys("restored from a backup")
    press(tab)
    assert "restored from a backup" in tab.run("document.body.innerText")
    assert tab.run("document.querySelectorAll('details[open]').length") == 0
    check_rules(tab)
    picture(tab, "alerts-decided-en")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_plan_of_a_draft_by_keyboard(tab, site, language):
    service, address = site
    enter(tab, service, address, Role.AUTHOR)
    visit(tab, f"{address}/policies?lang={language}")
    tab.run(f"(() => {{ document.getElementById('draft').value = {json.dumps(policy().decode())}; return true }})()")
    tab_to(tab, "e.id === 'draft'")
    tab_to(tab, "e.type === 'submit' && e.form.enctype === 'multipart/form-data'")
    press(tab)
    text = tab.run("document.querySelector('main').innerText")
    assert "usb-01" in text
    assert tab.run("document.querySelectorAll('li[lang=fr], li[lang=en]').length") == 2
    check_rules(tab)
    picture(tab, f"policies-plan-{language}")


def test_a_log_is_verified_without_leaving_the_page(tab, site):
    service, address = site
    enter(tab, service, address, "analyst")
    visit(tab, f"{address}/proofs?lang=en")
    tab.run("(() => { window.same = true; return true })()")
    tab_to(tab, "e.type === 'submit' && e.form.getAttribute('action') === '/proofs'")
    tab.keys(ENTER)
    tab.until("document.querySelector('#proof .tag.good') !== null")
    assert tab.run("window.same") is True
    assert "Verified just now" in tab.run("document.querySelector('#proof').innerText")
    check_rules(tab)
    picture(tab, "proof-en")


def test_another_role_is_told_so(tab, site):
    service, address = site
    enter(tab, service, address, Role.AUTHOR)
    visit(tab, f"{address}/alerts?lang=en")
    assert tab.run("performance.getEntriesByType('navigation')[0].responseStatus") == 403
    assert "Not with your role" in tab.run("document.body.innerText")
    assert tab.run("[...document.querySelectorAll('nav a')].some(a => a.pathname === '/alerts')") is False
    check_rules(tab)
    picture(tab, "forbidden-en")


def command(tab, path, **values):
    """A command of classic WebDriver, of the same browser."""
    uri = tab._wire.protocol.uri if hasattr(tab._wire.protocol, "uri") else tab._wire.protocol.wsuri
    url = f"http://{uri.host}:{uri.port}{uri.path}{path}"
    request = urllib.request.Request(url, json.dumps(values).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=browsers.DEADLINE_S) as reply:
        return json.load(reply)["value"]


@pytest.fixture
def authenticator(tab):
    command(tab, "/window", handle=tab.context)
    return command(
        tab, "/webauthn/authenticator", protocol="ctap2", transport="internal", hasResidentKey=True,
        hasUserVerification=True, isUserVerified=True, isUserConsenting=True,
    )  # fmt: skip


def sign_in_by_form(tab, address):
    visit(tab, f"{address}/login?next=/risks")
    tab_to(tab, "e.id === 'name'")
    tab.keys("camille" + TAB + PHRASE)
    press(tab)


def test_a_passkey_is_added_and_then_asked_for(tab, site, authenticator):
    service, address = site
    account(service, "dpo", phrase=True)
    fresh(tab, f"{address}/login?lang=en")
    sign_in_by_form(tab, address)
    assert tab.run("location.pathname") == "/risks"
    visit(tab, f"{address}/account")
    tab_to(tab, "e.id === 'label'")
    tab.keys("the blue one")
    press(tab)
    tab.until("document.body.innerText.includes('the blue one')")
    assert passkeys.count(service.engine, 1) == 1
    fresh(tab, f"{address}/login?lang=en")
    sign_in_by_form(tab, address)
    assert tab.run("location.pathname") == "/login/passkey"
    check_rules(tab)
    picture(tab, "passkey-en")
    visit(tab, f"{address}/risks")
    assert tab.run("location.pathname") == "/login/passkey"  # the passphrase alone opens nothing
    tab_to(tab, "e.type === 'submit' && e.form.dataset.passkey")
    press(tab)
    tab.until("location.pathname === '/today'")
    assert passkeys.listed(service.engine, 1)[0][3] is not None
