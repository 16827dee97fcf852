"""Receivers, and a laptop whose records are stored."""

import pytest

from collector.forward import targets
from tests.siem import Receiver, Rsyslog, make_certificates
from tests.unit.collector.laptops import Laptop
from tests.unit.collector.taking import Taking

TRANSFER = {
    "channel": "removable", "service": "usb", "arrival": "new", "judgement": "medical", "kind": "clinical-note",
    "confidence": 930, "identified": True, "patients": 1, "size": 184213, "ext": "pdf", "decision": "block",
    "wanted": "block", "rule": "usb-01", "policy": "chu-exemple/base", "release": "0123456789ab", "mode": "enforce",
    "file": "5d1f" * 8, "volume": "ab" * 16, "user": "9fa0c3d277e1", "engine": "e1", "evidence": {"nir": 2, "person": 1},
    "device": {"bus": "usb", "vendor_id": "0951", "product_id": "1666", "vendor": "Kingston", "product": "DT",
               "serial": "c2" * 8}, "act": True,
}  # fmt: skip


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def receiver(certificates):
    receiver = Receiver(certificates)
    yield receiver
    receiver.close()


@pytest.fixture
def rsyslog(tmp_path_factory, certificates):
    if not Rsyslog.available():
        pytest.skip("rsyslog with TLS is not installed (rsyslog, rsyslog-gnutls)")
    running = Rsyslog(tmp_path_factory.mktemp("rsyslog"), certificates)
    yield running
    running.stop()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text("a-secret-for-tests\n")
    return str(path)


@pytest.fixture
def target(certificates, secret):
    """Enter a target of a store; gives its row."""

    def add(store, kind, port, *, history=True, form="", ca=certificates[0], **more):
        scheme = "tls" if kind == "syslog" else "https"
        settings = targets.check(
            kind, f"{scheme}://127.0.0.1:{port}", form, ca_file=str(ca), secret_file=secret, **more
        )
        targets.add(store.engine, "siem", settings, "test", history=history)
        return targets.find(store.engine, "siem")

    return add


@pytest.fixture
def fill():
    """Store ``count`` transfers of a laptop, in requests of 100."""

    def fill(store, count, device="dev_one", **fields):
        laptop, taking = Laptop(device), Taking(store)
        for _ in range(count):
            laptop.add(**TRANSFER | fields)
        for first in range(0, count, 100):
            assert not taking.send(laptop.batch(first, first + 100)).why
        taking.close()
        return laptop

    return fill
