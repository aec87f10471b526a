"""保管: the use cases of article 20: uses in two steps, seals on media."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from seal_service.bootstrap.guarded import Guarded
from seal_service.bootstrap.rooms import Rooms
from seal_service.config import Settings
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.medium import Medium
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.seal import Seal
from seal_service.domain.use import SealUse
from seal_service.pki.activated_keys import KeyProcessClient, SealKeyActivation
from seal_service.ports.crypto import CertificateAuthority
from seal_service.ports.documents import TwoStepSealer
from seal_service.ports.system import BlobStore, Measurements
from seal_service.usecases.activate_seal import (
    ActivateSeal,
    ActivateSealUseCase,
    ActivationState,
    EndActivationUseCase,
    ReadActivationUseCase,
    TakeIntoCustody,
    TakeIntoCustodyUseCase,
    WhichActivation,
)
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.complete_prepared_use import CompletePreparedUse, CompletePreparedUseUseCase
from seal_service.usecases.convey_seal import (
    ConveyedSeal,
    ConveySeal,
    ConveySealUseCase,
    ListConveyances,
    ListConveyancesUseCase,
    WithdrawConveyance,
    WithdrawConveyanceUseCase,
)
from seal_service.usecases.issue_receipt import IssueReceipt
from seal_service.usecases.make_on_medium import (
    MakeOnMedium,
    MakeOnMediumUseCase,
    RenewOnMedium,
    RenewOnMediumUseCase,
)
from seal_service.usecases.prepare_use import PrepareUse, PrepareUseUseCase
from seal_service.usecases.read_prepared_use import (
    CancelPreparedUseUseCase,
    ReadPreparedUse,
    ReadPreparedUseUseCase,
)
from seal_service.usecases.record_medium import (
    HandOverMedium,
    HandOverMediumUseCase,
    ReadMedia,
    ReadMediaUseCase,
    ReturnMedium,
    ReturnMediumUseCase,
)


@dataclass(frozen=True, kw_only=True)
class Custodial:
    """The use cases around where seals' keys are kept."""

    prepare_use: Guarded[PrepareUse, tuple[SealUse, PreparedUse]]
    read_prepared_use: Guarded[ReadPreparedUse, tuple[SealUse, PreparedUse]]
    complete_prepared_use: Guarded[CompletePreparedUse, AppliedSeal]
    cancel_prepared_use: Guarded[ReadPreparedUse, None]
    make_on_medium: Guarded[MakeOnMedium, Seal]
    renew_on_medium: Guarded[RenewOnMedium, Seal]
    hand_over_medium: Guarded[HandOverMedium, Medium]
    return_medium: Guarded[ReturnMedium, Medium]
    read_media: Guarded[ReadMedia, tuple[Medium, ...]]
    take_into_custody: Guarded[TakeIntoCustody, ActivationState]
    activate_seal: Guarded[ActivateSeal, ActivationState]
    end_activation: Guarded[WhichActivation, None]
    read_activation: Guarded[WhichActivation, ActivationState]
    convey_seal: Guarded[ConveySeal, ConveyedSeal]
    withdraw_conveyance: Guarded[WithdrawConveyance, None]
    list_conveyances: Guarded[ListConveyances, tuple[Conveyance, ...]]


def custodial(
    settings: Settings,
    rooms: Rooms,
    authority: CertificateAuthority,
    sealer: TwoStepSealer,
    blobs: BlobStore,
    measurements: Measurements,
    process: KeyProcessClient,
    receipts: IssueReceipt,
    halted: Callable[[], str | None],
    guarded: Callable[[Any], Guarded[Any, Any]],
) -> Custodial:
    """Over an instance's rooms."""
    records, log, clock, entropy = rooms.records, rooms.log, rooms.clock, rooms.entropy
    reservation = timedelta(seconds=settings.reservation_seconds)
    hold = timedelta(hours=settings.document_hold_hours)
    keys = SealKeyActivation(rooms.files, rooms.seal_tokens, process)
    outside = settings.certificate_source != "internal"
    return Custodial(
        prepare_use=guarded(
            PrepareUseUseCase(records, log, sealer, blobs, clock, entropy, measurements, reservation, halted)
        ),
        read_prepared_use=guarded(ReadPreparedUseUseCase(records)),
        complete_prepared_use=guarded(
            CompletePreparedUseUseCase(
                records, log, sealer, blobs, clock, measurements, settings.documents, hold, receipts, halted
            )
        ),
        cancel_prepared_use=guarded(CancelPreparedUseUseCase(records, log, blobs, clock)),
        make_on_medium=guarded(MakeOnMediumUseCase(records, log, authority, clock, entropy, outside)),
        renew_on_medium=guarded(RenewOnMediumUseCase(records, log, authority, clock, entropy, outside)),
        hand_over_medium=guarded(HandOverMediumUseCase(records, log, clock, entropy)),
        return_medium=guarded(ReturnMediumUseCase(records, log, clock, entropy)),
        read_media=guarded(ReadMediaUseCase(records)),
        take_into_custody=guarded(TakeIntoCustodyUseCase(records, log, keys, clock)),
        activate_seal=guarded(ActivateSealUseCase(records, log, keys, clock)),
        end_activation=guarded(EndActivationUseCase(records, log, keys, clock)),
        read_activation=guarded(ReadActivationUseCase(records, keys)),
        convey_seal=guarded(ConveySealUseCase(records, log, blobs, clock, entropy)),
        withdraw_conveyance=guarded(WithdrawConveyanceUseCase(records, log, clock)),
        list_conveyances=guarded(ListConveyancesUseCase(records)),
    )
