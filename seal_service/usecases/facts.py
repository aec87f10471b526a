"""What log entries say of a seal and its unit: one form for every event (standards: Appendix A)."""

from __future__ import annotations

import hashlib

from seal_service.domain.access import Caller, Role
from seal_service.domain.errors import SealNotFound
from seal_service.domain.events import Scalar
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Credential, Custody, Seal
from seal_service.ports.records import Transaction


def seal_facts(seal: Seal, unit: Unit) -> dict[str, Scalar]:
    """印章、单位 and the certificate in use."""
    facts: dict[str, Scalar] = {
        "seal_name": seal.name,
        "seal_type": seal.seal_type.value,
        "unit_credit_code": unit.credit_code,
        "unit_name": unit.name,
        "area_code": unit.area_code,
        "version": seal.version,
        "impression_digest": seal.impression.digest,
    }
    credential = seal.signing_credential()
    return facts | (credential_facts(credential) if credential else {})


def credential_facts(credential: Credential) -> dict[str, Scalar]:
    """证书序列号, its digest and 介质类型."""
    return {
        "certificate_serial": credential.serial,
        "certificate_sha256": hashlib.sha256(credential.certificate).hexdigest(),
        "medium_type": "01" if credential.custody is Custody.SERVER else "02",
        "suite": credential.suite.value,
    }


def may_see(caller: Caller, seal: Seal) -> bool:
    """Whether a caller's unit is the seal's, or its role stands above units."""
    return bool(caller.roles & {Role.SEAL_MAKER, Role.AUDITOR}) or caller.unit_id == seal.unit_id


def lock_own_seal(transaction: Transaction, caller: Caller, code: str) -> Seal:
    """The seal, locked, if the caller's unit holds it or its role stands above units; else SealNotFound."""
    seal = transaction.seals.lock(code)
    if not may_see(caller, seal):
        raise SealNotFound
    return seal
