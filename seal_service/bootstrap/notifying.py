"""通知: whom the settings name, and by what each is told."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seal_service.config import Settings
from seal_service.domain.errors import InvalidInput
from seal_service.domain.notification import Channel, Target
from seal_service.notification.mail import Mail, MailServer
from seal_service.notification.webhook import Webhook, checked_address
from seal_service.ports.notification import NotificationSender
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.notify import Notify

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class Notifying:
    """What acts write into, and what delivers it."""

    notify: Notify
    senders: dict[Channel, NotificationSender]
    close: Callable[[], None]


def notifying(settings: Settings, clock: Clock, entropy: Entropy) -> Notifying:
    """By the settings; InvalidInput naming what is missing or would be sent unprotected."""
    targets: list[Target] = []
    senders: dict[Channel, NotificationSender] = {}
    close: Callable[[], None] = _nothing
    if settings.notify_webhook_url is not None:
        if settings.notify_webhook_secret is None:
            raise InvalidInput(
                "SEAL_NOTIFY_WEBHOOK_URL needs SEAL_NOTIFY_WEBHOOK_SECRET", field="notify_webhook_secret"
            )
        targets.append(Target(channel=Channel.WEBHOOK, address=checked_address(settings.notify_webhook_url)))
        tls = None if settings.notify_trust is None else _context(settings.notify_trust)
        secret = settings.notify_webhook_secret.get_secret_value()
        webhook = Webhook(secret, clock, settings.network_timeout_seconds, tls)
        senders[Channel.WEBHOOK], close = webhook, webhook.close
    if settings.notify_mail_to:
        senders[Channel.MAIL] = Mail(_mail_server(settings))
        targets += [Target(channel=Channel.MAIL, address=one) for one in settings.notify_mail_to]
    return Notifying(notify=Notify(tuple(targets), entropy), senders=senders, close=close)


def _mail_server(settings: Settings) -> MailServer:
    if settings.smtp_host is None or settings.smtp_from is None:
        missing = "smtp_host" if settings.smtp_host is None else "smtp_from"
        raise InvalidInput(f"SEAL_NOTIFY_MAIL_TO needs SEAL_{missing.upper()}", field=missing)
    if settings.smtp_protection == "none" and settings.smtp_host not in _THIS_MACHINE:
        raise InvalidInput("Mail leaves this machine by TLS alone: starttls or tls", field="smtp_protection")
    password = settings.smtp_password
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        protection=settings.smtp_protection,
        tls=_context(settings.notify_trust),
        sender=settings.smtp_from,
        user=settings.smtp_user,
        password=None if password is None else password.get_secret_value,
        timeout_seconds=settings.network_timeout_seconds,
    )


def _context(trust: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if trust is None else str(trust))
    except OSError as error:
        raise InvalidInput(f"{trust} holds no certificates to trust: {error}", field="notify_trust") from error


def _nothing() -> None: ...
