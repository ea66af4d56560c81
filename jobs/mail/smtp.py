"""Hands mails to a mail server over SMTP. smtplib speaks; what every reply means for a mail is decided here.

The dot that ends a mail's text is sent by itself, after it was written down that it would be: so whoever comes after a
sender that was killed knows whether the server can have the mail.
"""

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.mail.message import Mail, printable
from jobs.mail.outcomes import Outcome, Verdict
from stockverify.mail_settings import Server

TIMEOUT_SECONDS = 30.0
REPLY_SECONDS = 120.0
"""What a server may take to reply to a whole mail: it looks for viruses first, and a reply that is not waited for
leaves a doubt. The lease of a mail must be longer."""
_PIECE = 2**16
_PERMANENT, _TOO_LARGE, _CLOSING, _LOGGED_IN, _GO_ON = range(500, 600), 552, 421, (235, 503), 334
_BROKE = "The connection broke before the mail was handed over"
_LINE_START = re.compile(rb"^\.", re.MULTILINE)


class _Told(Exception):
    """An attempt ended before the dot."""

    def __init__(self, verdict: Verdict, said: str) -> None:
        self.outcome = Outcome(verdict, said)


class Line:
    """A connection to a mail server, opened for the first mail and used for those that follow."""

    def __init__(self, server: Server, timeout: float = TIMEOUT_SECONDS, patience: float = REPLY_SECONDS) -> None:
        self._server, self._timeout, self._patience = server, timeout, patience
        self._smtp: smtplib.SMTP | None = None
        self.usable = True

    def deliver(self, mail: Mail, may_hand_over: Callable[[], bool], hold: Callable[[], bool]) -> Outcome:
        """One mail to one recipient in a transaction of its own. `usable` is false afterwards when the server could not
        be reached, or could not be talked to, so that there is no sense in trying the next mail at once."""
        try:
            with _as(Verdict.OUTAGE, "The mail server cannot be used"):
                smtp = self._ready()
            with _as(Verdict.OUTAGE, _BROKE):
                self._begin(smtp, mail)
            with _as(Verdict.LATER, _BROKE):
                self._text(smtp, mail, hold)
        except _Told as told:
            self._settle_down(told.outcome)
            return told.outcome
        if not may_hand_over():
            self._drop()
            return Outcome(Verdict.YIELDED, "")
        return self._end(smtp)

    def close(self) -> None:
        """Say goodbye, if there is somebody to say it to."""
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
        self._drop()

    def _ready(self) -> smtplib.SMTP:
        """The open connection, if it still is one, else a new one."""
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self._smtp.rset()[0] == 250:
                    return self._smtp
            self._drop()
        self.usable = False
        self._smtp = self._connected()
        self.usable = True
        return self._smtp

    def _connected(self) -> smtplib.SMTP:
        server, name = self._server, socket.gethostname().encode("ascii", "replace").decode()
        if server.security == "tls":
            context = _trusting(server.ca_file)
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, name, timeout=self._timeout, context=context
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, name, timeout=self._timeout)
        try:
            if server.security == "starttls":
                smtp.starttls(context=_trusting(server.ca_file))
            smtp.ehlo_or_helo_if_needed()
            if server.user:
                _log_in(smtp, server.user, server.password or "")
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _begin(self, smtp: smtplib.SMTP, mail: Mail) -> None:
        size = [f"size={len(mail.content)}"] if smtp.has_extn("size") else []
        code, reply = smtp.mail(mail.sender, size)
        if code == _TOO_LARGE:
            raise _Told(Verdict.REFUSED, _said(code, reply))
        if code != 250:  # the sender, or all mail, is not welcome: no fault of this recipient
            raise _Told(Verdict.OUTAGE, _said(code, reply))
        code, reply = smtp.rcpt(mail.recipient)
        if code not in (250, 251):
            raise _Told(_verdict(code), _said(code, reply))
        code, reply = smtp.docmd("DATA")
        if code != 354:
            raise _Told(_verdict(code), _said(code, reply))

    def _text(self, smtp: smtplib.SMTP, mail: Mail, hold: Callable[[], bool]) -> None:
        """In pieces: each has the whole time limit, and a slow line does not cost the lease."""
        text = _LINE_START.sub(b"..", mail.content)
        text += b"" if text.endswith(b"\r\n") else b"\r\n"
        for start in range(0, len(text), _PIECE):
            smtp.send(text[start : start + _PIECE])
            if not hold():
                self._drop()
                raise _Told(Verdict.YIELDED, "")

    def _end(self, smtp: smtplib.SMTP) -> Outcome:
        """From the dot on, nothing but a clear reply says what became of the mail."""
        try:
            _wait_at_most(smtp, self._patience)
            smtp.send(b".\r\n")
            code, reply = smtp.getreply()
            _wait_at_most(smtp, self._timeout)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return Outcome(Verdict.UNSURE, f"The connection broke after the whole text was sent ({_why(error)}).")
        outcome = Outcome(_end_verdict(code), _said(code, reply))
        self._settle_down(outcome)
        return outcome

    def _settle_down(self, outcome: Outcome) -> None:
        """A server that says 421 is about to close; a connection that broke is of no use either."""
        closed = self._smtp is not None and self._smtp.sock is None
        if closed or outcome.said.startswith(f"{_CLOSING} "):
            self.usable = False
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None


@contextmanager
def _as(verdict: Verdict, what: str) -> Iterator[None]:
    """Whatever breaks before the dot is trouble that may pass."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise _Told(verdict, _said(error.smtp_code, error.smtp_error)) from None
    except (smtplib.SMTPException, OSError) as error:
        raise _Told(verdict, f"{what} ({_why(error)}).") from None


def _log_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    """Once: smtplib would try one way after the other, and a wrong password would count for each. What the server says
    to a refused login is not passed on, since it may repeat what was sent."""
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        code, _ = smtp.docmd("AUTH", "PLAIN " + _base64(f"\0{user}\0{password}"))
    elif "LOGIN" in offered:
        code, _ = smtp.docmd("AUTH", "LOGIN")
        for each in (user, password):
            if code == _GO_ON:  # whoever does not ask for it, would take it for a command, and log it
                code, _ = smtp.docmd(_base64(each))
    else:
        raise _Told(Verdict.OUTAGE, "The mail server offers no login by PLAIN or LOGIN, which SMTP_USER needs.")
    if code not in _LOGGED_IN:
        raise _Told(Verdict.OUTAGE, f"The mail server refused the login of SMTP_USER ({code}).")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _wait_at_most(smtp: smtplib.SMTP, seconds: float) -> None:
    if smtp.sock is not None:
        smtp.sock.settimeout(seconds)


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates and names are always checked."""
    return ssl.create_default_context(cafile=ca_file)


def _verdict(code: int) -> Verdict:
    """Of a reply about this mail; one that closes the connection is about all."""
    if code == _CLOSING:
        return Verdict.OUTAGE
    return Verdict.REFUSED if code in _PERMANENT else Verdict.LATER


def _end_verdict(code: int) -> Verdict:
    """Of the reply to the whole text; nonsense leaves a doubt."""
    if code // 100 == 2:
        return Verdict.ACCEPTED
    return _verdict(code) if code // 100 in (4, 5) else Verdict.UNSURE


def _said(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {printable(' '.join(text.split()))}"[:500]


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
