"""印章的生命周期 after it was made: changes, invalidation, media, status list, notifications, expiry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from seal_service.bootstrap.guarded import Answer, Command, Guarded, UseCase
from seal_service.bootstrap.notifying import Notifying
from seal_service.bootstrap.rooms import Rooms
from seal_service.config import Settings
from seal_service.domain.application import Application
from seal_service.domain.errors import InvalidInput
from seal_service.domain.expiry import Expiring, ExpiringKind
from seal_service.domain.notification import Notification
from seal_service.domain.organization import Unit
from seal_service.domain.paging import Page
from seal_service.domain.seal import Seal
from seal_service.formats.der import known_certificate
from seal_service.pki.status_publisher import StatusPublisher
from seal_service.pki.trust import certificates_of_file
from seal_service.ports.crypto import CertificateAuthority
from seal_service.ports.documents import ImpressionReader
from seal_service.ports.expiring import ExpiringSource
from seal_service.ports.system import BlobStore
from seal_service.storage.expiring import SqlExpiring
from seal_service.usecases.apply_for_change import ApplyForChange, ApplyForChangeUseCase
from seal_service.usecases.change_seal import ChangeSeal, ChangeSealUseCase
from seal_service.usecases.deliver_notifications import (
    Delivered,
    DeliverNotifications,
    DeliverNotificationsUseCase,
    ListNotifications,
    ListNotificationsUseCase,
    RetryNotification,
    RetryNotificationUseCase,
)
from seal_service.usecases.invalidate_seal import InvalidateSeal, InvalidateSealUseCase
from seal_service.usecases.list_expiring import (
    ListExpiring,
    ListExpiringUseCase,
    TellExpiring,
    TellExpiringUseCase,
)
from seal_service.usecases.publish_status_list import (
    FetchStatusList,
    FetchStatusListUseCase,
    PublishedStatusList,
)
from seal_service.usecases.receive_medium import DestroyMedium, ReceiveMediumUseCase, ReturnMedium
from seal_service.usecases.rename_unit import RenameUnit, RenameUnitUseCase


class Guarding(Protocol):
    """Puts a use case behind its permission."""

    def __call__(self, use_case: UseCase[Command, Answer], /) -> Guarded[Command, Answer]:
        """Guarded."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """The use cases of a seal's life, each behind its permission."""

    apply_for_change: Guarded[ApplyForChange, Application]
    change_seal: Guarded[ChangeSeal, Seal]
    rename_unit: Guarded[RenameUnit, Unit]
    invalidate_seal: Guarded[InvalidateSeal, Seal]
    receive_medium: Guarded[ReturnMedium | DestroyMedium, Seal]
    fetch_status_list: Guarded[FetchStatusList, PublishedStatusList]
    list_notifications: Guarded[ListNotifications, Page[Notification]]
    retry_notification: Guarded[RetryNotification, Notification]
    deliver_notifications: Guarded[DeliverNotifications, Delivered]
    list_expiring: Guarded[ListExpiring, Page[Expiring]]
    tell_expiring: Guarded[TellExpiring, int]


def life_of_seals(
    settings: Settings,
    rooms: Rooms,
    authority: CertificateAuthority,
    blobs: BlobStore,
    impressions: ImpressionReader,
    told: Notifying,
    guarded: Guarding,
) -> Life:
    """All of them."""
    records, log, clock, entropy = rooms.records, rooms.log, rooms.clock, rooms.entropy
    internal = settings.certificate_source == "internal"
    expiring = (
        records,
        SqlExpiring(rooms.database),
        _files(settings),
        clock,
        timedelta(days=settings.trust_days),
        timedelta(hours=settings.crl_hours),
    )
    return Life(
        apply_for_change=guarded(ApplyForChangeUseCase(records, log, blobs, impressions, clock, entropy)),
        change_seal=guarded(
            ChangeSealUseCase(records, log, rooms.keys, authority, clock, entropy, internal, told.notify)
        ),
        rename_unit=guarded(RenameUnitUseCase(records, log, clock)),
        invalidate_seal=guarded(InvalidateSealUseCase(records, log, authority, clock, told.notify)),
        receive_medium=guarded(ReceiveMediumUseCase(records, log, clock, entropy)),
        fetch_status_list=guarded(
            FetchStatusListUseCase(
                records,
                StatusPublisher(records, rooms.keys, clock),
                clock,
                settings.public_url,
                timedelta(hours=settings.status_list_hours),
            )
        ),
        list_notifications=guarded(ListNotificationsUseCase(records)),
        retry_notification=guarded(RetryNotificationUseCase(records, log, clock)),
        deliver_notifications=guarded(DeliverNotificationsUseCase(records, log, told.senders, clock, entropy)),
        list_expiring=guarded(ListExpiringUseCase(*expiring)),
        tell_expiring=guarded(TellExpiringUseCase(*expiring, told.notify)),
    )


def _files(settings: Settings) -> tuple[ExpiringSource, ...]:
    """Certificates in files that the settings name: anchors, and the one with which we identify ourselves."""

    def source(kind: ExpiringKind, setting: str) -> Callable[[], list[Expiring]]:
        given = getattr(settings, setting)
        paths = () if given is None else given if isinstance(given, tuple) else (given,)

        def read() -> list[Expiring]:
            found: list[Expiring] = []
            for path in paths:
                try:
                    certificates = certificates_of_file(path)
                except InvalidInput:  # which `seal check-config` tells
                    continue
                for position, one in enumerate(certificates):
                    certificate = known_certificate(one)
                    found.append(
                        Expiring(
                            kind=kind,
                            id=f"{path.name} {position + 1}",
                            ends_at=certificate.not_valid_after,
                            name=str(certificate.subject.human_friendly)[:200],
                            what_to_do=f"put a new one into the file of SEAL_{setting.upper()}",
                        )
                    )
            return found

        return read

    return (
        source(ExpiringKind.TRUST_ANCHOR, "trust_anchors"),
        source(ExpiringKind.TRUST_ANCHOR, "timestamp_anchors"),
        source(ExpiringKind.CREDENTIAL, "est_client_certificate"),
    )
