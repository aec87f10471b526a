"""算法要求: which signature algorithms are still accepted, and which never prove anything (ETSI TS 119 312)."""

from __future__ import annotations

from typing import Any

from pyhanko.sign.validation.utils import DEFAULT_ALGORITHM_USAGE_POLICY

from seal_service.domain.verdict import Check, Outcome
from seal_service.verification.findings import check

_BROKEN = frozenset({"md2", "md4", "md5"})
_WEAK = frozenset({"sha1"})
_LEAST_RSA_BITS = 2048
_BROKEN_RSA_BITS = 1024
_LEAST_EC_BITS = 224


def judge_algorithms(signer_info: Any, public_key: Any) -> tuple[Outcome, bool, Check]:
    """Whether digest, signature algorithm and key are accepted, and whether they are sound whatever the date."""
    digest = signer_info["digest_algorithm"]["algorithm"].native
    signature = signer_info["signature_algorithm"]
    try:
        hashes = {digest, signature.hash_algo}
    except ValueError:
        hashes = {digest}
    kind, bits = public_key.algorithm, public_key.bit_size
    described = f"{signature['algorithm'].native}, {digest}, {kind} {bits}"
    matching = DEFAULT_ALGORITHM_USAGE_POLICY.digest_combination_allowed(
        signature_algo=signature, message_digest_algo=signer_info["digest_algorithm"], moment=None
    )
    if len(hashes) > 1 and not matching:
        return (
            Outcome.FAIL,
            False,
            check("algorithm", Outcome.FAIL, "算法互相矛盾", f"contradicting digests: {described}"),
        )
    is_rsa = kind in ("rsa", "rsassa_pss")
    if hashes & _BROKEN or (is_rsa and bits < _BROKEN_RSA_BITS):
        return Outcome.FAIL, False, check("algorithm", Outcome.FAIL, "算法已被破解", f"broken: {described}")
    short = bits < (_LEAST_RSA_BITS if is_rsa or kind == "dsa" else _LEAST_EC_BITS)
    if hashes & _WEAK or short:
        return Outcome.FAIL, True, check("algorithm", Outcome.FAIL, "算法强度不足", f"no longer accepted: {described}")
    return Outcome.PASS, True, check("algorithm", Outcome.PASS, "算法符合要求", described)
