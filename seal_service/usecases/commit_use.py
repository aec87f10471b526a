"""提交: what is known of a use after a commit that may not have told."""

from __future__ import annotations

from seal_service.domain.errors import OutcomeUnknown, Unavailable
from seal_service.domain.use import SealUse
from seal_service.ports.records import Records, Transaction


def committed(transaction: Transaction) -> bool:
    """Commit; False when the database did not say whether it did."""
    try:
        transaction.commit()
    except OutcomeUnknown:
        return False
    return True


def reread_use(records: Records, use: SealUse) -> SealUse | None:
    """The use as it was written, when a commit did not tell; OutcomeUnknown as long as nothing can be told.

    The seal's lock waits for a commit that the server may still be at work on.
    """
    try:
        with records.write() as transaction:
            transaction.seals.lock(use.seal_code)
            written = transaction.uses.find(use.id)
        records.confirm()
    except Unavailable as error:
        raise OutcomeUnknown(use_id=use.id) from error
    return written
