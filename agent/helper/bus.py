"""One D-Bus connection: calls, signals, and calls by others. The only module that knows the D-Bus library.

Single thread. Whoever waits polls ``fileno`` and then takes what has come with ``arrived``; what comes while a call
waits for its reply is kept for then. A bus that is gone raises BusError.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    MessageFlag,
    MessageType,
    new_error,
    new_method_call,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

CALL_S = 3.0  # a desktop that answers more slowly is not waited for
_KEPT = 1_000


class BusError(Exception):
    """The bus, or who was called on it, did not do it."""


@dataclass(frozen=True, slots=True)
class Came:
    """A signal or a call. ``sender`` is the unique name that the bus vouches for."""

    is_call: bool
    sender: str
    path: str
    interface: str
    member: str
    body: tuple[Any, ...]
    message: Message


class Bus:
    """``SESSION`` or ``SYSTEM``. Raises BusError when there is none."""

    def __init__(self, which: str = "SESSION") -> None:
        try:
            self._connection: DBusConnection = open_dbus_connection(which)
        except (OSError, KeyError, ValueError, TimeoutError) as error:
            raise BusError(str(error)) from error
        self._waiting: deque[Message] = deque(maxlen=_KEPT)

    def fileno(self) -> int:
        return int(self._connection.sock.fileno())

    def close(self) -> None:
        self._connection.close()

    @property
    def name(self) -> str:
        return str(self._connection.unique_name)

    def call(
        self, name: str, path: str, interface: str, member: str, signature: str = "", body: tuple[Any, ...] = (),
        *, start: bool = True, seconds: float = CALL_S, gives: str = "",
    ) -> tuple[Any, ...]:  # fmt: skip
        """The answer of ``member``. ``start``: begin the service if it does not run. ``gives``: the types it must have,
        for any program of the session may answer. Raises BusError.
        """
        address = DBusAddress(path, bus_name=name, interface=interface)
        message = new_method_call(address, member, signature or None, body)
        if not start:
            message.header.flags |= MessageFlag.no_auto_start
        reply = self._reply(message, seconds)
        if reply.header.message_type is MessageType.error:
            raise BusError(str(reply.header.fields.get(HeaderFields.error_name, "")))
        if gives and reply.header.fields.get(HeaderFields.signature, "") != gives:
            raise BusError("answered something else")
        return tuple(reply.body)

    def tell(self, name: str, path: str, interface: str, member: str, signature: str, body: tuple[Any, ...]) -> None:
        """Call without waiting for an answer, and without starting the service."""
        message = new_method_call(DBusAddress(path, bus_name=name, interface=interface), member, signature, body)
        message.header.flags |= MessageFlag.no_auto_start | MessageFlag.no_reply_expected
        self._send(message)

    def _reply(self, message: Message, seconds: float) -> Message:
        serial, deadline = next(self._connection.outgoing_serial), time.monotonic() + seconds
        try:
            self._connection.send(message, serial=serial)
            while True:
                came = self._connection.receive(timeout=max(0.0, deadline - time.monotonic()))
                if came.header.fields.get(HeaderFields.reply_serial, -1) == serial:
                    return came
                self._waiting.append(came)
        except (OSError, TimeoutError, ValueError) as error:
            raise BusError(type(error).__name__) from error

    def get(self, name: str, path: str, interface: str, prop: str) -> Any:
        """A property. Raises BusError."""
        answer = self.call(
            name, path, "org.freedesktop.DBus.Properties", "Get", "ss", (interface, prop), start=False, seconds=1.0,
            gives="v",
        )  # fmt: skip
        return answer[0][1]

    def owner(self, name: str) -> str:
        """The unique name behind a well-known one; empty when nobody has it."""
        try:
            message = message_bus.GetNameOwner(name)
            reply = self._reply(message, CALL_S)
        except BusError:
            return ""
        return "" if reply.header.message_type is MessageType.error else str(reply.body[0])

    def own(self, name: str) -> bool:
        """Take a well-known name; False: another has it."""
        reply = self._reply(message_bus.RequestName(name, 4), CALL_S)  # 4: do not queue
        return reply.header.message_type is not MessageType.error and reply.body[0] in {1, 4}

    def listen(self, sender: str, interface: str, member: str, path: str = "") -> None:
        """Have these signals sent here."""
        rule = MatchRule(
            type="signal", sender=sender or None, interface=interface, member=member, path=path or None
        )  # fmt: skip
        self._reply(message_bus.AddMatch(rule), CALL_S)

    def has_come(self) -> bool:
        """Whether there is something for ``arrived`` already: what came while a call waited for its reply was read, and
        the descriptor says nothing of it.
        """
        try:
            self._waiting.append(self._connection.receive(timeout=0))
        except (OSError, ValueError):  # nothing, or the bus is gone: ``arrived`` says so
            pass
        return bool(self._waiting)

    def arrived(self) -> Iterator[Came]:
        """All that has come and was not looked at; waits for nothing. Raises BusError when the bus is gone."""
        while True:
            while self._waiting:
                if (came := _came(self._waiting.popleft())) is not None:
                    yield came
            try:
                self._waiting.append(self._connection.receive(timeout=0))
            except TimeoutError:
                return
            except (OSError, ValueError) as error:
                raise BusError(type(error).__name__) from error

    def answer(self, came: Came, signature: str = "", body: tuple[Any, ...] = ()) -> None:
        """Answer a call of somebody else's."""
        self._send(new_method_return(came.message, signature or None, body))

    def refuse(self, came: Came, error: str = "org.freedesktop.DBus.Error.UnknownMethod") -> None:
        self._send(new_error(came.message, error))

    def signal(self, path: str, interface: str, member: str, signature: str = "", body: tuple[Any, ...] = ()) -> None:
        self._send(new_signal(DBusAddress(path, interface=interface), member, signature or None, body))

    def _send(self, message: Message) -> None:
        try:
            self._connection.send(message)
        except OSError as error:
            raise BusError(type(error).__name__) from error


def _came(message: Message) -> Came | None:
    """None for replies that nobody waits for any more."""
    header = message.header
    if header.message_type not in {MessageType.signal, MessageType.method_call}:
        return None
    if header.fields.get(HeaderFields.member) == "NameOwnerChanged" and not _from_bus(message):
        return None  # somebody else's word on who is there
    field: Callable[[HeaderFields], str] = lambda key: str(header.fields.get(key, ""))  # noqa: E731
    return Came(
        header.message_type is MessageType.method_call, field(HeaderFields.sender), field(HeaderFields.path),
        field(HeaderFields.interface), field(HeaderFields.member), tuple(message.body), message,
    )  # fmt: skip


def _from_bus(message: Message) -> bool:
    """Whether the bus itself says it; nobody else can have that name as sender."""
    return message.header.fields.get(HeaderFields.sender) == "org.freedesktop.DBus" and len(message.body) == 3
