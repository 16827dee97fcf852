#!/usr/bin/python3
"""Guest side of the test laptop: runs what the host asks over a virtio-serial port.

Usage: agent.py PORT-NAME.  One frame is two big-endian u32 lengths, a JSON
header and raw bytes.  A request has an "id" and an "op"; its reply has the
same "id".  A request "hello" is answered by SYNC and its nonce, out of frame,
so that a host which connects in the middle of an old reply finds its place.
Output goes to memfds, not pipes or files: a daemon left behind by a command
does not hold the reply back, and no watched filesystem is touched.
"""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time

HEAD = struct.Struct(">II")
SYNC = b"\n--laptop-sync--"
MAX_HEADER = 1 << 20
CHUNK = 1 << 16


class Agent:
    def __init__(self, port):
        path = "/dev/virtio-ports/" + port
        while True:
            try:
                self.fd = os.open(path, os.O_RDWR)
                break
            except OSError:
                time.sleep(0.1)
        self.out = threading.Lock()
        self.jobs = {}

    def write(self, data):
        view = memoryview(data)
        with self.out:
            while view:
                try:
                    view = view[os.write(self.fd, view[:CHUNK]) :]
                except OSError:  # nobody listens at the other end
                    return

    def reply(self, ident, blob=b"", **fields):
        head = json.dumps({"id": ident, **fields}).encode()
        self.write(HEAD.pack(len(head), len(blob)) + head + blob)

    def read(self, size):
        data = bytearray()
        while len(data) < size:
            part = os.read(self.fd, min(size - len(data), CHUNK))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def serve(self):
        while True:
            try:
                head_size, blob_size = HEAD.unpack(self.read(HEAD.size))
                if head_size > MAX_HEADER:  # out of step: wait for a new host
                    while os.read(self.fd, CHUNK):
                        pass
                    continue
                request = json.loads(self.read(head_size))
                blob = self.read(blob_size)
            except EOFError:  # no host connected
                time.sleep(0.1)
                continue
            except OSError:
                time.sleep(0.1)
                continue
            threading.Thread(target=self.handle, args=(request, blob), daemon=True).start()

    def handle(self, request, blob):
        try:
            getattr(self, "op_" + request["op"])(request, blob)
        except Exception as error:  # the host raises it
            self.reply(request["id"], error=f"{type(error).__name__}: {error}")

    def op_hello(self, request, blob):
        self.write(SYNC + request["nonce"].encode())

    def op_exec(self, request, blob):
        files = [os.memfd_create(name) for name in ("in", "out", "err")]
        try:
            os.write(files[0], blob) if blob else None
            os.lseek(files[0], 0, os.SEEK_SET)
            process = subprocess.Popen(
                request["argv"],
                stdin=files[0],
                stdout=files[1],
                stderr=files[2],
                cwd=request.get("cwd") or os.environ.get("HOME") or "/",
                env={**os.environ, **request.get("env", {})},
                start_new_session=True,
            )
            self.jobs[request["id"]] = process
            timed_out = False
            try:
                process.wait(request.get("timeout"))
            except subprocess.TimeoutExpired:
                timed_out = True
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            finally:
                del self.jobs[request["id"]]
            out, err = (os.pread(fd, os.fstat(fd).st_size, 0) for fd in files[1:])
        finally:
            for fd in files:
                os.close(fd)
        self.reply(request["id"], out + err, rc=process.returncode, out=len(out), timed_out=timed_out)

    def op_kill(self, request, blob):
        process = self.jobs.get(request["job"])
        if process:
            os.killpg(process.pid, request["signal"])
        self.reply(request["id"], found=process is not None)

    def op_put(self, request, blob):
        flags = os.O_WRONLY | os.O_CREAT | (0 if request["offset"] else os.O_TRUNC)
        fd = os.open(request["path"], flags, 0o600)
        try:
            os.fchmod(fd, request["mode"])
            os.lseek(fd, request["offset"], os.SEEK_SET)
            view = memoryview(blob)
            while view:
                view = view[os.write(fd, view) :]
        finally:
            os.close(fd)
        self.reply(request["id"])

    def op_get(self, request, blob):
        with open(request["path"], "rb") as file:
            file.seek(request["offset"])
            self.reply(request["id"], file.read(request["size"]))


if __name__ == "__main__":
    if "XDG_RUNTIME_DIR" in os.environ:
        os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", "unix:path=" + os.environ["XDG_RUNTIME_DIR"] + "/bus")
    Agent(sys.argv[1]).serve()
