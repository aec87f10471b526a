"""证书注册 (EST, RFC 7030, with the clarifications of RFC 8951): an outside authority that certifies over HTTPS."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from seal_service.domain.errors import AuthorityUnavailable, CertificatePending, InvalidInput
from seal_service.formats.received import LARGEST_ANSWER, certificates_only, decoded
from seal_service.pki.allowed_addresses import parse_address
from seal_service.pki.bounded_http import BoundedHttp, HttpAnswer, HttpFailed
from seal_service.ports.system import Clock

_REQUEST, _ANSWER = "application/pkcs10", "application/pkcs7-mime"
_LONGEST_WAIT_SECONDS = 7 * 24 * 3600
_REFUSED_CREDENTIALS = (401, 403)


class EstServer:
    """The operations cacerts, simpleenroll and simplereenroll of one server. Safe for threads.

    The server is judged by `roots` (PEM file) alone, its answers by whoever checks certificates: that they came over
    this connection makes nothing trusted.
    """

    def __init__(
        self,
        url: str,
        roots: Path,
        clock: Clock,
        timeout_seconds: float,
        *,
        user: str | None = None,
        password: str | None = None,
        client_certificate: Path | None = None,
    ) -> None:
        """InvalidInput, naming the setting, for an address or a file that cannot be used."""
        self._url = _checked_url(url)
        self._clock = clock
        self._headers = {"Connection": "close"}  # requests are rare, and a kept connection may be gone by the next
        if user is not None:
            self._headers["Authorization"] = _basic(user, password or "")
        # A body in Base64 has four characters for three bytes, and white space.
        self._http = BoundedHttp(timeout_seconds, LARGEST_ANSWER * 3 // 2, _context(roots, client_certificate))

    def authorities(self) -> Sequence[bytes]:
        """The authority's own certificates (4.1), DER: help for building chains. Raises AuthorityUnavailable."""
        answer = self._exchange("GET", "cacerts", {"Accept": _ANSWER})
        if answer.status != 200:
            raise _refusal(answer)
        return _certificates(answer)

    def enrol(self, request: bytes, *, renewal: bool) -> Sequence[bytes]:
        """The certificate for a request (4.2), then the authority's own, DER.

        Raises CertificatePending with `retry_after_seconds` (4.2.3), AuthorityUnavailable.
        """
        headers = {"Content-Type": _REQUEST, "Content-Transfer-Encoding": "base64", "Accept": _ANSWER}
        operation = "simplereenroll" if renewal else "simpleenroll"
        authorities = self.authorities()  # first: if it failed afterwards, a certificate would be issued in vain
        answer = self._exchange("POST", operation, headers, base64.encodebytes(request))
        if answer.status == 202:
            seconds = _retry_after(answer.headers.get("retry-after", ""), self._clock.now())
            raise CertificatePending(retry_after_seconds=seconds)
        if answer.status != 200:
            raise _refusal(answer)
        issued = _certificates(answer)
        return [*issued, *(one for one in authorities if one not in issued)]

    def close(self) -> None:
        """Close the connections that are kept."""
        self._http.close()

    def _exchange(
        self, method: str, operation: str, headers: dict[str, str], content: bytes | None = None
    ) -> HttpAnswer:
        try:
            return self._http.exchange(method, f"{self._url}/{operation}", headers | self._headers, content)
        except HttpFailed as error:
            raise AuthorityUnavailable(f"The EST server does not answer to {operation}: {error}") from error


def _checked_url(url: str) -> str:
    try:
        address = parse_address(url)
    except InvalidInput as error:
        raise InvalidInput(f"SEAL_EST_URL: {error.message}", field="est_url") from error
    if address.scheme != "https" or "?" in url:
        raise InvalidInput("SEAL_EST_URL is an https address without a query (RFC 7030, 3.3)", field="est_url")
    return url.rstrip("/")


def _context(roots: Path, client_certificate: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(roots)
    except OSError as error:  # ssl.SSLError is one
        told = f"SEAL_EST_TRUST: {roots} cannot be read as PEM certificates: {error.strerror or error}"
        raise InvalidInput(told, field="est_trust") from error
    if client_certificate is not None:
        try:
            context.load_cert_chain(client_certificate, password=_no_password)
        except (OSError, ValueError) as error:
            told = f"SEAL_EST_CLIENT_CERTIFICATE: {client_certificate} is no PEM file of a certificate and its key"
            raise InvalidInput(told, field="est_client_certificate") from error
    return context


def _no_password() -> str:
    """OpenSSL would ask on the terminal for an encrypted key's password."""
    return ""


def _basic(user: str, password: str) -> str:
    if ":" in user:
        raise InvalidInput("SEAL_EST_USER has no colon (RFC 7617, 2)", field="est_user")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _certificates(answer: HttpAnswer) -> list[bytes]:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _ANSWER:
        raise AuthorityUnavailable(f"The EST server answered {media_type or 'no stated type'}, not {_ANSWER}")
    try:
        found = certificates_only(decoded(answer.body))
    except InvalidInput as error:
        raise AuthorityUnavailable(f"The EST server's answer cannot be read: {error.message}") from error
    if not found:
        raise AuthorityUnavailable("The EST server's answer holds no certificate")
    return found


def _refusal(answer: HttpAnswer) -> AuthorityUnavailable:
    if answer.status in _REFUSED_CREDENTIALS:
        return AuthorityUnavailable(
            f"The EST server refused our credentials (HTTP {answer.status}): see SEAL_EST_USER, SEAL_EST_PASSWORD, "
            "SEAL_EST_CLIENT_CERTIFICATE"
        )
    return AuthorityUnavailable(f"The EST server refused the request (HTTP {answer.status}){_told(answer)}")


def _told(answer: HttpAnswer) -> str:
    """The reason that a server gives as plain text (RFC 7030, 4.2.3), bounded and without what a terminal obeys."""
    if not answer.headers.get("content-type", "").lower().startswith("text/plain"):
        return ""
    text = " ".join(answer.body[:400].decode("utf-8", "replace").split())
    shown = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)[:200]
    return f": {shown}" if shown else ""


def _retry_after(value: str, now: datetime) -> int:
    """Seconds until the next try (RFC 9110, 10.2.3); 0 for what cannot be read."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return min(int(value), _LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0, int((moment - now).total_seconds())), _LONGEST_WAIT_SECONDS)
