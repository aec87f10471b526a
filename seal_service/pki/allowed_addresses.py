"""允许的地址: whether an address lies under one that the instance's operator allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seal_service.domain.errors import InvalidInput

_ADDRESS = re.compile(
    r"https?://[A-Za-z0-9.\-:\[\]]+(/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*)?(\?[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*)?"
)
"""Plain http(s): no user, no fragment, no backslash, nothing that two parsers may read in two ways."""
_ESCAPED_STRUCTURE = re.compile(r"%(2e|2f|5c|25|00)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    def lies_under(self, allowed: Address) -> bool:
        """Whether scheme, host and port are those allowed, and the path is the one allowed or below it."""
        if (self.scheme, self.host, self.port) != (allowed.scheme, allowed.host, allowed.port):
            return False
        folder = allowed.path if allowed.path.endswith("/") else f"{allowed.path}/"
        return self.path == allowed.path or self.path.startswith(folder)


def parse_address(text: str) -> Address:
    """The parts of an address; InvalidInput for everything that is not plainly http or https."""
    if len(text) > 2048 or not _ADDRESS.fullmatch(text):
        raise InvalidInput("The address is not a plain http or https URL")
    import httpx  # here, so that a verification without addresses does not wait for it

    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise InvalidInput("The address is not a valid URL") from error
    raw_path = text.split("://", 1)[1].partition("/")[2].partition("?")[0]
    port = _DEFAULT_PORTS[url.scheme] if url.port is None else url.port
    leads_elsewhere = _ESCAPED_STRUCTURE.search(raw_path) or {".", ".."} & set(raw_path.split("/"))
    if not url.host or not 0 < port < 65536 or leads_elsewhere:
        raise InvalidInput("The address has no host or port, or its path leads elsewhere than it says")
    return Address(url.scheme, url.host.lower(), port, f"/{raw_path}")
