"""签章回执: what the log's key promises of a use that was completed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import SealServiceError
from seal_service.domain.receipt import receipt_of
from seal_service.domain.use import SealUse
from seal_service.formats.receipt import SignedReceipt, receipt_text
from seal_service.ports.records import Records
from seal_service.ports.transparency import NoteSigner
from seal_service.usecases.read_use import ReadUse, visible_use

_log = logging.getLogger(__name__)


class LogBeginning:
    """When the log's first checkpoint was signed: from then on it promises times. Safe for threads."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._at: datetime | None = None

    def __call__(self) -> datetime | None:
        """None before; once it has one, that is the first for good."""
        if self._at is None:
            with self._records.read() as transaction:
                self._at = transaction.tree.first_checkpoint_at()
        return self._at


@dataclass(frozen=True, slots=True)
class IssueReceipt:
    """签章回执 of a use, the same however often it is asked for, as long as `merge` and the log's key are."""

    origin: str
    signer: NoteSigner
    beginning: Callable[[], datetime | None]
    merge: timedelta
    """Within this time an entry is under a published checkpoint."""

    def __call__(self, use: SealUse) -> SignedReceipt | None:
        """The receipt; None unless the use was completed, and while the log's key or its files do not answer.

        The seal is on the document and in the log by now: whatever is wrong with the key or the files takes nothing of
        that back, and the receipt can be had later.
        """
        try:
            began = self.beginning()
            in_time = began is not None and use.ended_at is not None and began <= use.ended_at
            receipt = receipt_of(use, self.origin, self.merge if in_time else None)  # none promised what came before
            if receipt is None:
                return None
            return SignedReceipt(receipt=receipt, content=self.signer.sign(receipt_text(receipt)))
        except (SealServiceError, OSError) as error:
            _log.error("no receipt of use %s: %s", use.id, error)
            return None


@dataclass(frozen=True)
class ReadReceiptUseCase:
    """签章回执 of a use, for whoever may see it. Raises UseNotFound."""

    permission: ClassVar[Permission] = Permission.READ_USES
    records: Records
    issue: IssueReceipt

    def __call__(self, caller: Caller, command: ReadUse) -> tuple[SealUse, SignedReceipt | None]:
        """The use and its receipt."""
        with self.records.read() as transaction:
            use = visible_use(transaction, caller, command)
        self.records.confirm()
        return use, self.issue(use)
