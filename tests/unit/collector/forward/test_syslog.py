"""Syslog over TLS, to the rsyslog that Debian ships."""

import json
import re
import select
import socket
import ssl
import threading

import pytest

from collector.forward import forwarder, targets


def test_rsyslog_takes_every_message(light_store, fill, rsyslog, target):
    entered = target(light_store, "syslog", rsyslog.port)
    fill(light_store, 1100)
    while forwarder.forward_once(light_store, entered.id):
        pass
    state = targets.figures(light_store.engine)[0]
    assert (state["behind"], state["problem"]) == (0, "")
    lines = rsyslog.lines()
    found = [re.fullmatch(r'<(\d+)>1 (\S+) (\S+) serment - transfer \[SEKOIA@53288 intake_key="(\S+)"\] (.*)', line)
             for line in lines]  # fmt: skip
    assert len(lines) == 1100 and all(found)
    assert found[0].groups()[:4] == ("108", "2026-11-21T19:35:04.000Z", "dev_one", "a-secret-for-tests")
    assert [json.loads(each[5])["metadata"]["sequence"] for each in found] == list(range(1100))


def test_rsyslog_that_ends_and_comes_back_misses_nothing(light_store, fill, rsyslog, target):
    entered = target(light_store, "syslog", rsyslog.port, form="cef")
    fill(light_store, 1200)
    assert forwarder.forward_once(light_store, entered.id)
    rsyslog.stop()
    assert not forwarder.forward_once(light_store, entered.id)
    state = targets.figures(light_store.engine)[0]
    assert (state["behind"], state["failures"]) == (700, 1)
    rsyslog.start()
    waiting = targets.find(light_store.engine, "siem")
    with light_store.engine.begin() as connection:
        targets.moved(connection, waiting, (waiting.number, waiting.skip), 0, 0)
    while forwarder.forward_once(light_store, entered.id):
        pass
    numbers = [int(re.search(r"cn1=(\d+)", line)[1]) for line in rsyslog.lines()]
    assert numbers == list(range(1200))


@pytest.mark.parametrize("count", [3, 500])  # what fits into the buffers on the way, and what does not
def test_a_receiver_that_closes_unread_has_not_taken_it(light_store, fill, certificates, target, count):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates[1], certificates[2])
    listening = socket.create_server(("127.0.0.1", 0))

    def unread():
        plain, _ = listening.accept()
        secure = context.wrap_socket(plain, server_side=True)
        select.select([secure], [], [], 30)  # it has come, and nobody reads it
        secure.close()

    thread = threading.Thread(target=unread)
    thread.start()
    entered = target(light_store, "syslog", listening.getsockname()[1])
    fill(light_store, count)
    assert not forwarder.forward_once(light_store, entered.id)
    thread.join()
    listening.close()
    state = targets.figures(light_store.engine)[0]
    assert (state["behind"], state["sent"], state["failures"]) == (count, 0, 1)
