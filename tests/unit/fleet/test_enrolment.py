"""Joining, visiting, renewing, being denied: a real laptop's side against a real collector, over real TLS."""

import os
import secrets
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from agent.audit.log import AuditLog
from agent.errors import ConfigError, TransportError, UsageError
from agent.fleet import enrolment, key_sealing, sync, token
from agent.fleet.identity import CERTIFICATE, COLLECTOR, CREDENTIAL, load_identity, trusted_authority
from agent.fleet.key_sealing import NAME
from agent.transport import spool
from agent.transport.https import Line
from agent.transport.proxies import script_in
from collector.enrol.authority import load_authority
from collector.enrol.certificates import issue
from tests.proxies import Corporate, Proxy

DAY_S = 24 * 3600


def name():
    return "dev_" + secrets.token_hex(8)


@pytest.fixture
def joined(collector, tmp_path, capsys):
    """An enrolled laptop with a log: its identity and the folder of the log."""
    log = AuditLog.open(tmp_path / "audit")
    log.start(version="0", device="dev_x")
    log.append("transfer", {"channel": "removable", "decision": "block"}, durable=True)
    log.close()
    enrolment.enrol(collector.token(capsys, "--group", "cardio"), tmp_path / "fleet", name(), "", "0.1")
    return load_identity(tmp_path / "fleet"), tmp_path / "audit"


def visit(joined, **options):
    identity, log = joined
    return sync.run(log, identity, identity.folder / sync.STATE, {"v": "0.1"}, **options)


def state(joined):
    return spool.load_state(joined[0].folder / sync.STATE)


def kind(caught):
    return caught.value.fields["kind"]


def test_a_laptop_joins_and_brings_its_log(collector, joined, capsys):
    identity = joined[0]
    assert (identity.member.group, identity.folder.stat().st_mode & 0o777) == ("cardio", 0o700)
    assert {path.stat().st_mode & 0o077 for path in identity.folder.iterdir()} == {0}
    assert visit(joined) == 0
    row = collector.fleet(capsys)[identity.member.device]
    assert (row["records"], row["group"], row["denied"]) == (3, "cardio", False)
    said = state(joined)
    assert said.acked == 3
    assert said.witness == identity.statement.witness  # stated by the authority, not whoever came first
    assert 5 <= said.next_at - time.time() <= 1500


def test_a_token_is_good_once(collector, tmp_path, capsys):
    made = collector.token(capsys)
    enrolment.enrol(made, tmp_path / "one", name(), "", "0.1")
    with pytest.raises(TransportError) as caught:
        enrolment.enrol(made, tmp_path / "two", name(), "", "0.1")
    assert kind(caught) == "refused"
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("spoil", ["secret", "old", "name of another laptop"])
def test_tokens_that_are_not_taken(collector, tmp_path, capsys, spoil):
    made, device = collector.token(capsys), name()
    if spoil == "secret":
        made = made._replace(secret=secrets.token_bytes(16))
    elif spoil == "old":
        from sqlalchemy import update

        from collector.store.engine import open_store
        from collector.store.tables import tokens

        store = open_store(collector.data)
        with store.engine.begin() as connection:
            connection.execute(update(tokens).where(tokens.c.used_at.is_(None)).values(until=int(time.time()) - 1))
        store.close()
    else:
        enrolment.enrol(collector.token(capsys), tmp_path / "first", device, "", "0.1")
    with pytest.raises(TransportError) as caught:
        enrolment.enrol(made, tmp_path / "fleet", device, "", "0.1")
    assert kind(caught) == "refused"
    assert load_identity(tmp_path / "fleet") is None


def test_whoever_is_not_the_collector_of_the_token_does_not_get_the_secret(collector, tmp_path, capsys):
    made = collector.token(capsys)
    with pytest.raises(TransportError) as caught:
        enrolment.enrol(made._replace(pin=bytes(10)), tmp_path / "fleet", name(), "", "0.1")
    assert kind(caught) == "untrusted"
    enrolment.enrol(made, tmp_path / "fleet", name(), "", "0.1")  # it was not spent


def test_a_statement_that_the_authority_did_not_sign_is_refused(collector):
    authority = load_authority(collector.data)
    document = authority.document()
    pin = token.pin_of(authority.der)
    assert trusted_authority(msgspec.json.encode(document), pin)[1].witness
    other = document["statement"].replace('"made":', '"made":1')
    for changed in ({"statement": other}, {"signature": "AAAA"}, {"ca": document["ca"][:-40]}, {"statement": None}):
        with pytest.raises(TransportError):
            trusted_authority(msgspec.json.encode({**document, **changed}), pin)


def test_a_denied_laptop_is_refused_from_its_next_request_on_and_readmitted(collector, joined, capsys):
    device = joined[0].member.device
    assert visit(joined) == 0
    assert collector.command("fleet", "deny", device) == UsageError.exit_code  # a reason is asked for
    assert collector.command("fleet", "deny", device, "--why", "lost on a train") == 0
    assert visit(joined) == 77
    assert state(joined).trouble == "refused"
    assert state(joined).retry_at - time.time() > DAY_S - 60
    assert collector.fleet(capsys)[device]["why"] == "lost on a train"
    assert collector.command("fleet", "readmit", device, "--why", "found") == 0
    assert visit(joined) == 0
    assert collector.command("fleet", "deny", "dev_nobody", "--why", "x") == UsageError.exit_code


def test_who_is_enrolled_again_after_a_refusal_comes_by_at_once(collector, joined, tmp_path, capsys):
    device = joined[0].member.device
    assert visit(joined) == 0
    assert collector.command("fleet", "deny", device, "--why", "lost on a train") == 0
    assert visit(joined) == 77
    assert sync.next_visit(joined[0].folder / sync.STATE) - time.time() > DAY_S - 60
    enrolment.enrol(collector.token(capsys), joined[0].folder, name(), "", "0.1")
    assert sync.next_visit(joined[0].folder / sync.STATE) <= time.time()
    assert visit((load_identity(joined[0].folder), joined[1])) == 0
    assert state(joined).acked == 3


def aged(collector, joined, days):
    """The laptop's certificate as it would be, had it been issued so many days ago."""
    identity = joined[0]
    authority = load_authority(collector.data)
    made = issue(
        authority, identity.member.device, "cardio", identity.key().public_key(), int(time.time()) - days * DAY_S
    )
    (identity.folder / CERTIFICATE).write_text(made.pem)


@pytest.mark.parametrize(("days", "renewed"), [(10, False), (70, True), (120, True), (440, True)])
def test_certificates_are_renewed_in_time_and_late(collector, joined, days, renewed):
    aged(collector, joined, days)
    before = joined[0].certificate()[2]
    assert visit(joined) == 0
    assert (joined[0].certificate()[2] > before) == renewed
    assert visit(joined) == 0


def test_more_than_a_year_after_its_end_a_certificate_is_not_renewed(collector, joined):
    aged(collector, joined, 90 + 366)
    assert visit(joined) == 77


def test_a_denied_laptop_does_not_renew(collector, joined):
    collector.command("fleet", "deny", joined[0].member.device, "--why", "lost")
    aged(collector, joined, 120)
    assert visit(joined) == 77


def test_a_certificate_is_not_renewed_for_whoever_only_saw_it(collector, joined, tmp_path):
    """The certificate is public; the signature under the request is what counts."""
    aged(collector, joined, 70)
    thief = enrolment.new_key()
    (joined[0].folder / "device.key").write_bytes(enrolment.pem_of(thief))
    with pytest.raises(TransportError) as caught:
        enrolment.renew(joined[0])
    assert kind(caught) == "refused"


def ask(identity, method, path, headers=None, body=b"", context=None):
    line = Line(identity.member.url, context=context or identity.tls(), proxy="")
    try:
        return line.ask(method, path, headers or {}, body, 1 << 16)
    finally:
        line.close()


def test_a_laptop_speaks_for_itself_only(collector, joined):
    answer = ask(
        joined[0], "POST", "/v1/sync", {"Serment-Device": "dev_other", "Serment-From": "0", "Serment-Size": "0"}
    )
    assert (answer.status, answer.body) == (401, b'{"error":"certificate"}')


def test_the_token_of_the_pages_does_not_stand_for_an_enrolled_laptop(collector, joined):
    from agent.fleet.identity import pinned

    secret = (collector.data / "token").read_text().strip()
    headers = {"Serment-Device": joined[0].member.device, "Serment-From": "0", "Serment-Size": "0",
               "Authorization": f"Bearer {secret}"}  # fmt: skip
    answer = ask(joined[0], "POST", "/v1/sync", headers, context=pinned(joined[0].member.authority.ca))
    assert (answer.status, answer.body) == (401, b'{"error":"token"}')
    for path in ("/", "/events", "/v1/events", "/v1/laptops", "/metrics"):  # nor are the pages at this address
        assert ask(joined[0], "GET", path, {"Authorization": f"Bearer {secret}"}).status == 404


def test_a_stranger_with_a_signature_is_refused_before_his_body_is_read(collector, joined):
    from agent.fleet.identity import pinned

    headers = {"Serment-Device": "dev_unknown", "Serment-From": "0", "Serment-Size": "0", "Signature-Input": "x"}
    answer = ask(joined[0], "POST", "/v1/sync", headers, bytes(1 << 20), pinned(joined[0].member.authority.ca))
    assert (answer.status, answer.body) == (401, b'{"error":"certificate"}')


def test_certificates_of_another_authority_end_the_handshake(collector, joined, tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    (tmp_path / "other").mkdir()
    other, key = load_authority(tmp_path / "other"), generate_private_key(SECP256R1())
    made = issue(other, joined[0].member.device, "cardio", key.public_key(), int(time.time()))
    (joined[0].folder / CERTIFICATE).write_text(made.pem)
    (joined[0].folder / "device.key").write_bytes(enrolment.pem_of(key))
    with pytest.raises(TransportError):
        ask(joined[0], "POST", "/v1/sync", {"Serment-Device": joined[0].member.device})


def test_tls_below_1_3_is_not_spoken(collector, joined):
    import socket

    context = joined[0].tls()
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", collector.port)) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_through_a_proxy_that_lets_tls_through(joined):
    proxy = Proxy()
    try:
        assert visit(joined, proxy=proxy.url.replace("http://", "http://user:word@")) == 0
    finally:
        proxy.close()
    assert proxy.tunnels >= 1
    assert "proxy-authorization: basic" in proxy.asked[0].lower()
    assert b"Serment-Device" not in proxy.seen


@pytest.mark.parametrize(
    "address",
    ["http://proxy.example/proxy.pac", "http://wpad/wpad.dat", "pac+http://proxy.example/x", "file:///p.PAC?a"],
)
def test_a_script_in_a_proxys_place_is_refused_with_what_to_do(joined, address, monkeypatch):
    with pytest.raises(ConfigError) as caught:
        Line("https://collector.example", proxy=address)
    assert "proxy.example:3128" in str(caught.value)
    monkeypatch.setenv("https_proxy", address)
    assert script_in(os.environ) == address
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert script_in({"https_proxy": "http://proxy.example:3128"}) == ""
    assert script_in({"auto_proxy": "http://proxy.example/anything"}) != ""


def test_through_a_proxy_that_opens_tls_nothing_can_be_read_along(joined, tmp_path, monkeypatch):
    """The network's own authority is trusted by the system; the laptop signs and seals."""
    corporate = Corporate(tmp_path)
    proxy = Proxy(corporate)
    try:
        with pytest.raises(TransportError) as caught:  # an authority that the system does not know either
            enrolment_line(joined, proxy)
        assert kind(caught) == "untrusted"
        monkeypatch.setenv("SSL_CERT_FILE", str(corporate.file))
        assert visit(joined, proxy=proxy.url) == 0
    finally:
        proxy.close()
    assert state(joined).acked == 3
    assert b"Signature-Input" in proxy.seen
    assert b"transfer" not in proxy.seen
    assert b"removable" not in proxy.seen


def enrolment_line(joined, proxy):
    line = Line(joined[0].member.url, proxy=proxy.url)
    try:
        line.ask("GET", "/health", {}, b"", 100)
    finally:
        line.close()


def test_joining_through_a_proxy_that_opens_tls_keeps_the_secret(collector, tmp_path, capsys, monkeypatch):
    corporate = Corporate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(corporate.file))
    made = collector.token(capsys)
    proxy = Proxy(corporate)
    try:
        enrolment.enrol(made, tmp_path / "fleet", name(), "", "0.1", proxy=proxy.url)
    finally:
        proxy.close()
    from base64 import b64encode

    assert load_identity(tmp_path / "fleet") is not None
    assert b64encode(made.secret) not in proxy.seen
    assert made.secret not in proxy.seen


@pytest.mark.parametrize("member", ["device", "group"])
def test_who_opens_tls_on_the_way_does_not_choose_the_group(collector, tmp_path, capsys, monkeypatch, member):
    ask = enrolment._first

    def changed(*arguments):
        answer = ask(*arguments)
        return answer._replace(body=msgspec.json.encode({**msgspec.json.decode(answer.body), member: "libre"}))

    monkeypatch.setattr(enrolment, "_first", changed)
    with pytest.raises(TransportError) as caught:
        enrolment.enrol(collector.token(capsys, "--group", "cardio"), tmp_path / "fleet", name(), "", "0.1")
    assert kind(caught) == "refused"
    assert load_identity(tmp_path / "fleet") is None


def test_a_laptop_that_lost_its_collector_file_is_not_enrolled(joined):
    (joined[0].folder / COLLECTOR).unlink()
    assert load_identity(joined[0].folder) is None
    assert sync.main(["--log", str(joined[1]), "--fleet", str(joined[0].folder)]) == 78


def test_the_key_is_taken_from_systemds_credentials(joined, tmp_path, monkeypatch):
    folder = joined[0].folder
    (tmp_path / "credentials").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    (tmp_path / "credentials" / NAME).write_text("none")  # as the unit has it where nothing is sealed: the file counts
    assert visit(joined) == 0
    os.replace(folder / "device.key", tmp_path / "credentials" / NAME)
    assert visit(joined) == 0


@pytest.mark.system
@pytest.mark.skipif(os.getuid() != 0 or shutil.which("systemd-creds") is None, reason="needs root and systemd-creds")
def test_a_key_is_sealed_to_this_laptop_and_nowhere_in_clear(collector, tmp_path, capsys, monkeypatch):
    """As the sync service will open it: by systemd-creds, under the name that the unit asks for."""
    folder = tmp_path / "fleet"
    enrolment.enrol(collector.token(capsys), folder, name(), "", "0.1", seal=True)
    sealed = folder / CREDENTIAL
    assert not (folder / "device.key").exists()
    assert sealed.stat().st_mode & 0o777 == 0o600
    assert not any(b"PRIVATE KEY" in path.read_bytes() for path in folder.iterdir())
    assert key_sealing.opens(sealed.read_bytes())
    (tmp_path / "credentials").mkdir()
    opened = tmp_path / "credentials" / NAME
    subprocess.run(
        ["systemd-creds", "decrypt", f"--name={NAME}", str(sealed), str(opened)], check=True, capture_output=True
    )
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    log = AuditLog.open(tmp_path / "audit")
    log.start(version="0")
    log.close()
    assert sync.run(tmp_path / "audit", load_identity(folder), folder / sync.STATE, {}) == 0
    stolen = bytearray(sealed.read_bytes())
    stolen[len(stolen) // 2] ^= 1
    assert not key_sealing.opens(bytes(stolen))
    # enrolled again without systemd: one key, not two
    enrolment.enrol(collector.token(capsys), folder, name(), "", "0.1")
    assert (folder / "device.key").exists()
    assert not sealed.exists()


def test_sealing_is_for_a_unit_that_opens_it(tmp_path):
    data = Path("/var/lib/serment/fleet")
    assert not key_sealing.is_given_by_unit(data, tmp_path)  # systemd does not run
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert not key_sealing.is_given_by_unit(data, tmp_path)  # its unit is not installed
    unit = tmp_path / "usr/lib/systemd/system/serment-sync.service"
    unit.parent.mkdir(parents=True)
    unit.write_bytes((Path(__file__).parents[3] / "systemd/serment-sync.service").read_bytes())
    assert key_sealing.is_given_by_unit(data, tmp_path)
    assert not key_sealing.is_given_by_unit(tmp_path / "data/fleet", tmp_path)  # another agent's folder
    unit.write_text(unit.read_text().replace("LoadCredentialEncrypted", "# LoadCredentialEncrypted"))
    assert not key_sealing.is_given_by_unit(data, tmp_path)  # of an older package
