"""签章人核对: whom a system names as 签章人 is a registered person of the seal's unit, under the registered name."""

from __future__ import annotations

import hmac

from seal_service.domain.errors import OperatorNotRegistered
from seal_service.domain.use import Operator
from seal_service.ports.records import SigningLog, Transaction
from seal_service.usecases.unit_people import name_reference


def require_registered(transaction: Transaction, log: SigningLog, unit_id: str, operator: Operator | None) -> None:
    """Raise OperatorNotRegistered unless nobody is named, or a person whom the unit registered and did not remove.

    Asked after everything else allows the use: a system without a grant does not learn who works at a unit. Name and id
    are compared by their pseudonyms, so the register is not opened for a use; what of the two was wrong is not told.
    """
    if operator is None:
        return
    person = transaction.people.find(unit_id, log.operator_reference(operator.id))
    named = name_reference(log, operator.id, operator.name)
    if person is not None and person.removed_at is None and hmac.compare_digest(person.name_reference, named):
        return
    raise OperatorNotRegistered(
        [("operator_not_registered", "the 签章人 is no registered person (人员) of the seal's unit under that name")]
    )
