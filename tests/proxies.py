"""Proxies as hospitals have them: one that lets TLS through (CONNECT), one that opens it and signs anew by its own CA."""

import datetime as dt
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Corporate:
    """A CA whose certificate lies in ``file``, and a server certificate by it for ``host``."""

    def __init__(self, folder, host="127.0.0.1"):
        key, self.file, self.server = generate_private_key(SECP256R1()), folder / "corporate.pem", folder / "proxy.pem"
        ca = self._sign(key.public_key(), "Corporate", key, "Corporate", ca=True)
        self.file.write_bytes(ca.public_bytes(Encoding.PEM))
        import ipaddress

        mine = generate_private_key(SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        made = self._sign(mine.public_key(), "proxy", key, "Corporate", ca=False, names=names)
        pem = mine.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
        self.server.write_bytes(pem)

    def _sign(self, public, name, key, issuer, *, ca, names=None):
        def called(text):
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(called(name))
            .issuer_name(called(issuer))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=10))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(key, hashes.SHA256())


class Proxy:
    """Serves until ``close``. ``corporate``: opens TLS by it. ``seen`` is every byte that it could read, ``tunnels`` how
    many it made, ``asked`` the first lines and headers that it was sent.
    """

    def __init__(self, corporate=None):
        self.corporate, self.seen, self.tunnels, self.asked = corporate, bytearray(), 0, []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._safely, args=(client,), daemon=True).start()

    def _safely(self, client):
        try:
            self._connect(client)
        except OSError:
            pass
        finally:
            client.close()

    def _connect(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return
            head += piece
        self.asked.append(head.decode("latin-1"))
        method, target, _ = self.asked[-1].split(" ", 2)
        if method != "CONNECT":
            client.sendall(b"HTTP/1.1 405 no\r\n\r\n")
            return
        host, _, port = target.rpartition(":")
        upstream = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 go on\r\n\r\n")
        self.tunnels += 1
        if self.corporate is not None:
            ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ours.load_cert_chain(self.corporate.server)
            theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            theirs.check_hostname, theirs.verify_mode = False, ssl.CERT_NONE
            client, upstream = ours.wrap_socket(client, server_side=True), theirs.wrap_socket(upstream)
        self._pump(client, upstream)

    def _pump(self, client, upstream):
        back = threading.Thread(target=self._copy, args=(upstream, client), daemon=True)
        back.start()
        self._copy(client, upstream)
        back.join(10)

    def _copy(self, source, target):
        try:
            while data := source.recv(65536):
                self.seen += data
                target.sendall(data)
        except (OSError, ValueError):
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)  # ends the waiting in accept
        self._listening.close()
        self._thread.join(5)
