"""What hospitals collect events with, for tests: rsyslog from Debian with TLS, the real one; and an HTTPS server of the
tests' own that answers as Splunk's HEC and Elasticsearch's _bulk say they do (neither can run here).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """An authority and a server's certificate for 127.0.0.1: paths of the authority, the certificate, its key."""
    now = dt.datetime.now(dt.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("authority", "127.0.0.1")]

    def build(subject: int, key: int, *extensions: tuple[x509.ExtensionType, bool]) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            names[0], names[subject], keys[key].public_key(), x509.random_serial_number(),
            now - dt.timedelta(hours=1), now + dt.timedelta(days=2),
        )  # fmt: skip
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(keys[0], hashes.SHA256())

    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    identifier = x509.SubjectKeyIdentifier.from_public_key(keys[0].public_key())
    authority = build(0, 0, (x509.BasicConstraints(True, 0), True), (usage, True), (identifier, False))
    names_ = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key())
    server = build(1, 1, (x509.BasicConstraints(False, None), True), (names_, False), (by, False))
    paths = folder / "authority.pem", folder / "server.pem", folder / "server.key"
    for path, certificate in zip(paths, (authority, server)):
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[2].write_bytes(
        keys[1].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class Rsyslog:
    """rsyslogd with TLS (gtls), octet-counted messages, one line of JSON each into a file. Needs no root."""

    def __init__(self, folder: Path, certificates: tuple[Path, Path, Path]) -> None:
        self.folder, self.port, self.out = folder, free_port(), folder / "received"
        ca, certificate, key = certificates
        (folder / "rsyslog.conf").write_text(
            f"""
global(workDirectory="{folder}" maxMessageSize="64k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{certificate}"
  defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="whole" type="list") {{ property(name="rawmsg") constant(value="\\n") }}
input(type="imtcp" port="{self.port}" ruleset="keep")
ruleset(name="keep") {{ action(type="omfile" file="{self.out}" template="whole" asyncWriting="off") }}
"""
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @staticmethod
    def available() -> bool:
        return shutil.which("rsyslogd", path="/usr/sbin:/usr/bin") is not None and any(
            Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so")
        )

    def start(self) -> None:
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            ["/usr/sbin/rsyslogd", "-n", "-f", str(self.folder / "rsyslog.conf"), "-i", str(self.folder / "pid")],
            stdout=log, stderr=log,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def lines(self) -> list[str]:
        """What it has written, after it has ended: everything that it has taken is there then."""
        self.stop()
        return self.out.read_text().splitlines() if self.out.exists() else []


class Receiver:
    """An HTTPS server: /services/collector/event and /ack (HEC), /INDEX/_bulk (Elasticsearch), anything else NDJSON.

    ``batches`` holds what came, events of each request. ``before`` is called with them before the answer and may give
    (status, JSON, headers) instead of it. ``acks``: HEC acknowledges, at the second question.
    """

    def __init__(self, certificates: tuple[Path, Path, Path]) -> None:
        self.batches: list[list[dict]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.before = lambda _events: None
        self.acks, self.asked, self.known = False, 0, set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates[1], certificates[2])
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def events(self) -> list[dict]:
        return [event for batch in self.batches for event in batch]

    def _answer(self, path: str, data: bytes) -> tuple[int, object, dict[str, str]]:
        if "/ack" in path:
            self.asked += 1
            numbers = json.loads(data)["acks"]
            return 200, {"acks": {str(number): self.asked >= 2 for number in numbers}}, {}
        lines = [json.loads(line) for line in data.decode().splitlines() if line]
        bulk = path.partition("?")[0].endswith("/_bulk")
        events = lines[1::2] if bulk else lines
        if (other := self.before(events)) is not None:
            return other
        self.batches.append(events)
        if bulk:
            return 200, self._bulk([line["create"]["_id"] for line in lines[::2]], events), {}
        return 200, {"text": "Success", "code": 0} | ({"ackId": len(self.batches)} if self.acks else {}), {}

    def _bulk(self, ids: list[str], events: list[dict]) -> object:
        items = []
        for name, event in zip(ids, events):
            status = 409 if name in self.known else 400 if event["event"]["sequence"] in self.unmapped else 201
            self.known.add(name)
            error = {"error": {"type": "document_parsing_exception"}} if status == 400 else {}
            items.append({"create": {"_id": name, "status": status} | error})
        return {"errors": True, "items": items}

    unmapped: frozenset[int] = frozenset()

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["content-length"]))
                receiver.paths.append(self.path)
                receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
                status, value, headers = receiver._answer(self.path, data)
                body = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                for name, each in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, each)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
