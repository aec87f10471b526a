"""通知 by e-mail: SMTP with STARTTLS or TLS (RFC 5321, RFC 3207, RFC 8314)."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

from seal_service.domain.errors import DeliveryFailed
from seal_service.domain.notification import Notification

Protection = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where and as whom mail is handed in."""

    host: str
    port: int
    protection: Protection
    tls: ssl.SSLContext
    sender: str
    user: str | None
    password: Callable[[], str] | None
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Mail:
    """NotificationSender by SMTP. Safe for threads: one connection a message."""

    server: MailServer

    def send(self, notification: Notification) -> None:
        """Hand it in; DeliveryFailed, also when a server that should does not offer TLS."""
        try:
            message = _message(self.server.sender, notification)
            with self._connected() as connection:
                if self.server.protection == "starttls":
                    connection.starttls(context=self.server.tls)
                if self.server.user is not None and self.server.password is not None:
                    connection.login(self.server.user, self.server.password())
                connection.send_message(message)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryFailed(f"{type(error).__name__}: {error}"[:300]) from error

    def _connected(self) -> smtplib.SMTP:
        server = self.server
        if server.protection == "tls":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_seconds, context=server.tls)
        return smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)


def _message(sender: str, notification: Notification) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = sender, notification.target
    message["Subject"] = f"电子印章通知 {notification.subject}"
    message["Message-ID"] = f"<{notification.id}@seal-service.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    fields = json.loads(notification.payload)
    lines = [f"{name}: {value}" for name, value in sorted(fields.items()) if value is not None]
    message.set_content("电子印章服务通知 / notification of the electronic seal service\n\n" + "\n".join(lines) + "\n")
    return message
