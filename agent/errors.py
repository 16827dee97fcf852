"""Every error that Serment raises on purpose.

::

    SermentError
    ├── UsageError            the command line is not understood                        exit 64
    ├── UntrustedInputError   a document, a name or a message broke a rule of its kind
    ├── ConfigError           agent.toml cannot be used
    ├── PolicyError           a policy cannot be used: file, line, rule, expected, found
    ├── AuditError            the audit log cannot be used
    │   └── TamperError       ... because somebody changed it: first bad record, kind of tampering
    ├── SealError             a sealed file cannot be made or opened
    ├── ChangedError          a file is no longer the one that was judged
    ├── HostError             the machine lacks something: kernel feature, right, space, device
    └── TransportError        the collector cannot be reached, or refuses

A message is a catalogue key (English) with named fields, so that the edge can show it in the reader's language:
``raise ConfigError(N_("unknown key «{key}»"), hint=N_("remove it"), key=key)``. ``str(error)`` is the English text.
Messages carry no document text and no document name.
"""

from __future__ import annotations

from collections.abc import Callable


def N_(message: str) -> str:  # noqa: N802 - the conventional name that message extraction looks for
    """Mark a message for the catalogue without translating it here."""
    return message


LABELLED = N_("{name}: {text}")
"""How a label stands before a text; French puts a no-break space before the colon."""

_WORDED = frozenset(("why", "expected", "problem"))
"""Fields that may hold a text of the catalogue themselves: what the system answered, what was expected."""


class SermentError(Exception):
    """Something went wrong that a person may read about; ``hint`` says what to do, ``where`` says what it concerns."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str = "", where: str = "", **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        self.fields = fields

    def render(self, translate: Callable[[str], str]) -> str:
        """One or two lines: ``where: what happened`` and ``hint: what to do``, in the language of ``translate``."""
        text, hint = self.said(translate)
        if hint:
            text += "\n" + translate(LABELLED).format(name=translate(N_("hint")), text=hint)
        return text

    def said(self, translate: Callable[[str], str]) -> tuple[str, str]:
        """What ``render`` joins: what happened, with where, and what to do (empty when there is nothing to do)."""
        fields = {
            key: translate(value) if key in _WORDED and isinstance(value, str) and value else value
            for key, value in self.fields.items()
        }
        text = translate(self.message).format(**fields)
        if self.where:
            text = translate(LABELLED).format(name=self.where, text=text)
        return text, translate(self.hint).format(**fields) if self.hint else ""

    def __str__(self) -> str:
        return self.render(lambda message: message)


def unforeseen(error: BaseException) -> SermentError:
    """An error of ours: where it happened and what sort it is; its text might hold a piece of a document."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}" if trace is not None else ""
    return SermentError(
        N_("an error of ours: {type} at {at}"), hint=N_("please report this line; it names no document"),
        type=type(error).__name__, at=at,
    )  # fmt: skip


class UsageError(SermentError):
    exit_code = 64


class UntrustedInputError(SermentError):
    exit_code = 65


class ConfigError(SermentError):
    exit_code = 78


class PolicyError(SermentError):
    """``fields`` hold at least file, line (1-based, 0 when unknown), rule (its id or ""), expected and found."""

    exit_code = 65


class AuditError(SermentError):
    exit_code = 2


class TamperError(AuditError):
    """``fields`` hold index (of the first bad record) and kind (what sort of tampering fits)."""

    exit_code = 1


class SealError(SermentError):
    exit_code = 65


class ChangedError(SermentError):
    exit_code = 75


class HostError(SermentError):
    exit_code = 69


class TransportError(SermentError):
    exit_code = 75
