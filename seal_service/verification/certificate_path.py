"""证书链: a path from a certificate to a trust anchor, valid at a moment (RFC 5280, 6), revocation apart."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from asn1crypto import x509
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    NotYetValidError,
    PathBuildingError,
    PathValidationError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy, RevocationCheckingRule
from pyhanko_certvalidator.validate import async_validate_path

from seal_service.formats.bounded_paths import BoundedRegistry
from seal_service.verification.findings import Trust

_Result = TypeVar("_Result")

NO_REVOCATION = CertRevTrustPolicy(
    RevocationCheckingPolicy(
        ee_certificate_rule=RevocationCheckingRule.NO_CHECK,
        intermediate_ca_cert_rule=RevocationCheckingRule.NO_CHECK,
    ),
    retroactive_revinfo=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFinding:
    """What became of the search for a path, with the path itself when there is one."""

    trust: Trust
    reason: str
    path: ValidationPath | None = None


def without_waiting(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine that never waits: certvalidator is asynchronous only for fetching, which is never allowed."""
    try:
        work.send(None)
    except StopIteration as end:
        result: _Result = end.value
        return result
    work.close()
    raise ValueError("certificate validation wanted to wait for something")


def context(
    anchors: Sequence[x509.Certificate], others: Sequence[x509.Certificate], at: datetime, **evidence: Any
) -> ValidationContext:
    """A validation context at a moment that fetches nothing."""
    return ValidationContext(
        trust_roots=list(anchors),
        certificate_registry=BoundedRegistry.build(others),
        moment=at,
        allow_fetching=False,
        revinfo_policy=NO_REVOCATION,
        **evidence,
    )


def find_path(
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    others: Sequence[x509.Certificate],
    at: datetime,
    most: int,
) -> PathFinding:
    """The first path that holds at a moment; else why the last one tried does not."""
    if not anchors:
        return PathFinding(trust=Trust.NO_PATH, reason="no trust anchors are set")
    ctx = context(anchors, others, at)
    return without_waiting(_find_path(ctx, certificate, most))


async def _find_path(ctx: ValidationContext, certificate: x509.Certificate, most: int) -> PathFinding:
    finding = PathFinding(trust=Trust.NO_PATH, reason="no path leads to a trust anchor")
    paths = ctx.path_builder.async_build_paths_lazy(certificate)
    tried = 0
    try:
        async for path in paths:
            finding = await _try(ctx, path)
            tried += 1
            if finding.trust is Trust.TRUSTED or tried == most:
                return finding
    except PathBuildingError as error:
        return finding if tried else PathFinding(trust=Trust.NO_PATH, reason=str(error))
    finally:
        await paths.cancel()
    return finding


async def _try(ctx: ValidationContext, path: ValidationPath) -> PathFinding:
    try:
        await async_validate_path(ctx, path)
    except ExpiredError as error:
        return PathFinding(trust=Trust.EXPIRED, reason=str(error), path=path)
    except NotYetValidError as error:
        return PathFinding(trust=Trust.NOT_YET_VALID, reason=str(error), path=path)
    except DisallowedAlgorithmError as error:
        return PathFinding(trust=Trust.WEAK_ALGORITHM, reason=str(error), path=path)
    except PathValidationError as error:
        return PathFinding(trust=Trust.CONSTRAINTS, reason=str(error), path=path)
    except ValidationError as error:
        return PathFinding(trust=Trust.FAILED, reason=str(error), path=path)
    return PathFinding(trust=Trust.TRUSTED, reason="", path=path)
