"""证书路径: from a certificate of an outside authority to a trust anchor, valid at a moment (RFC 5280, 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from asn1crypto import x509
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathBuildingError, PathValidationError, ValidationError
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy, RevocationCheckingRule
from pyhanko_certvalidator.validate import async_validate_path

from seal_service.formats.bounded_paths import BoundedRegistry

_LATER = RevocationCheckingRule.NO_CHECK
_REVOCATION_APART = CertRevTrustPolicy(
    RevocationCheckingPolicy(ee_certificate_rule=_LATER, intermediate_ca_cert_rule=_LATER), retroactive_revinfo=True
)
_MOST_PATHS = 8


class NoPath(Exception):
    """No path from the certificate to a trust anchor holds; the message says why."""


def path_to_anchor(
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    between: Sequence[x509.Certificate],
    at: datetime,
) -> list[x509.Certificate]:
    """The certificates from the issuer to the anchor of the first path that holds at a moment; NoPath.

    Names, lengths, policies, signatures and algorithms are checked as verification will check them; revocation is not.
    """
    if not anchors:
        raise NoPath("no trust anchor for signatures is set")
    context = ValidationContext(
        trust_roots=list(anchors),
        certificate_registry=BoundedRegistry.build(between),
        moment=at,
        allow_fetching=False,
        revinfo_policy=_REVOCATION_APART,
    )
    search = _search(context, certificate)
    try:
        search.send(None)
    except StopIteration as end:
        found: list[x509.Certificate] = end.value
        return found
    search.close()
    raise NoPath("the search for a path did not end")  # nothing is fetched, so it never waits


async def _search(context: ValidationContext, certificate: x509.Certificate) -> list[x509.Certificate]:
    reason = "no path leads to a trust anchor for signatures"
    paths = context.path_builder.async_build_paths_lazy(certificate)
    tried = 0
    try:
        async for path in paths:
            tried += 1
            try:
                await async_validate_path(context, path)
            except (PathValidationError, ValidationError) as error:
                reason = str(error)
            else:
                found = list(path.iter_certs(include_root=True))
                if len(found) < 2:
                    raise NoPath("it is itself what chains end at, and no authority's certificate stands above it")
                return found[-2::-1]
            if tried == _MOST_PATHS:
                break
    except PathBuildingError as error:
        reason = reason if tried else str(error)
    finally:
        await paths.cancel()
    raise NoPath(reason)
