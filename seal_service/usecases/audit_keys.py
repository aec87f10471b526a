"""日志密钥更替 in an audit: what the entries `log.open` say of the trees and keys before them."""

from __future__ import annotations

from collections.abc import Sequence

from seal_service.domain.errors import LogDamaged
from seal_service.domain.invariants import Finding, Invariant
from seal_service.formats.log_keys import log_key_periods, unclosed
from seal_service.ports.log_checking import SignedRoot
from seal_service.ports.records import Records


def key_changes(records: Records) -> tuple[Sequence[SignedRoot], Sequence[Finding]]:
    """The roots that they name, to be compared with the tree, and those that follow no `log.close`."""
    with records.read() as transaction:
        canons = transaction.log.changes_of_key()
        try:
            periods = log_key_periods(canons)
        except LogDamaged as error:
            return (), (Finding(invariant=Invariant.CHECKPOINT, subject="log.open", detail=error.message),)
        above = {one.opened_by: one.above for one in periods}
        found = []
        for opened, closed in unclosed(canons):
            place = None if closed is None else transaction.tree.index_of(closed)
            if place is None or place >= above[opened]:
                detail = "no log.close is under the last checkpoint of the key before it"
                found.append(Finding(invariant=Invariant.CHECKPOINT, subject=opened, detail=detail))
    roots = [
        SignedRoot(one.above, one.previous_root, f"log.open of {one.reference}")
        for one in periods
        if one.previous_root is not None and one.above
    ]
    return roots, found
