"""表单: what a form brings, once it is certain that our own page in this very browser sent it (CSRF)."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from seal_service.api.problems import DoorRefusal
from seal_service.domain.errors import InvalidInput

LARGEST_FORM = 16 * 1024
MOST_FIELDS = 20
TOKEN_FIELD = "form_token"  # noqa: S105 - a name
_PURPOSE = b"seal-service form"
_FORM = "application/x-www-form-urlencoded"
_PORTS = {"http": 80, "https": 443}
_OUTSIDE_FORM = "The form does not come from a page of this service in this browser: open the page again"


def form_token(secret: str) -> str:
    """What every form holds: nobody makes it who does not know what the browser's cookie holds."""
    return hmac.digest(secret.encode(), _PURPOSE, "sha256").hex()


def require_own_origin(request: Request) -> None:
    """Raise DoorRefusal (form-refused) when the browser says that another site's page sent this.

    By `Origin` and `Sec-Fetch-Site`, where the browser sends them; the form's token is asked for in any case.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is not None and not _is_own(request, origin):
        raise DoorRefusal("form-refused", _OUTSIDE_FORM)
    if site not in (None, "same-origin", "none"):
        raise DoorRefusal("form-refused", _OUTSIDE_FORM)


def _is_own(request: Request, origin: str) -> bool:
    """Of the pages' address where that is set, else of the host that was asked."""
    pages_url = request.app.state.service.pages_url
    asked = f"{origin.partition(':')[0]}://{request.headers.get('host', '')}"
    try:
        return _origin(origin) == _origin(asked if pages_url is None else pages_url)
    except ValueError:
        return False


def _origin(address: str) -> tuple[str, str, int]:
    """Scheme, host and port, however they are written: browsers tell neither capitals nor the scheme's own port."""
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("no address of pages")
    return parts.scheme, parts.hostname, _PORTS[parts.scheme] if parts.port is None else parts.port


async def read_form(request: Request, secret: str | None) -> dict[str, str]:
    """The form's fields; DoorRefusal for what is no form, or does not hold the token of the browser's secret."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise DoorRefusal("unsupported-media-type", f"A form is {_FORM}")
    try:
        text = (await request.body()).decode("ascii")
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError as error:
        raise DoorRefusal("malformed-request", "The form cannot be read") from error
    given = fields.pop(TOKEN_FIELD, "")
    if secret is None or not hmac.compare_digest(form_token(secret).encode(), given.encode("utf-8", "replace")):
        raise DoorRefusal("form-refused", _OUTSIDE_FORM)
    return fields


def text(request: Request, name: str, most: int) -> str:
    """A field of a form, one line of 1 to `most` characters; InvalidInput."""
    value: str = request.state.form.get(name, "")
    if not 1 <= len(value) <= most or any(ord(one) < 0x20 or ord(one) == 0x7F for one in value):
        raise InvalidInput(f"{name} is one line of 1 to {most} characters", field=name)
    return value


def is_ticked(request: Request, name: str) -> bool:
    """Whether a box was ticked."""
    return bool(request.state.form.get(name) == "yes")
