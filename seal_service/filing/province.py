"""省级电子印章系统 over HTTP: a random number (IK1008), the signed message (IK1009), a seal's status (IK1012)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives.hashes import SM3, Hash

from seal_service.domain.errors import FilingRefused, RegistryUnavailable
from seal_service.domain.local_time import local_time
from seal_service.filing import messages
from seal_service.filing.messages import Message
from seal_service.filing.signing import ReportSigner
from seal_service.ports.filing import FiledSource, Receipt
from seal_service.ports.system import Clock

Post = Callable[[str, bytes, str], tuple[int, bytes]]
"""Address, body and its media type → status and body; RegistryUnavailable without an answer."""

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_LONGEST_TOLD = 200


@dataclass(frozen=True)
class HttpProvincialRegistry:
    """The port ProvincialRegistry. What is no answer in the interface's form counts as none: it is sent again."""

    address: str
    """Its beginning, without path: `https://registry.example`."""
    system_id: str
    """idA: under which the province knows this system."""
    post: Post
    signer: ReportSigner
    clock: Clock

    @property
    def name(self) -> str:
        """Host of the registry."""
        return urlsplit(self.address).hostname or self.address

    def file(self, source: FiledSource) -> Receipt:
        """Two exchanges: the random number makes a signature good for one transfer only."""
        message = messages.message_of(source, self.system_id)
        body = {"data": self.system_id}
        random = _text(self._answered(messages.AUTHENTICATION, _as_json(body), _JSON).get("data"))
        if not random or len(random) > _LONGEST_TOLD or messages.SEPARATOR in random:
            raise RegistryUnavailable("The registry's random number is none")
        answer = self._answer(messages.TRANSFER, _as_json({"data": self._transfer(message, random)}), _JSON)
        code, told = _text(answer.get("code")), _text(answer.get("data")) or _text(answer.get("msg"))
        if code == messages.SUCCESS or code in messages.ALREADY_THERE:
            return Receipt(text=told or f"code {code}", already_there=code in messages.ALREADY_THERE)
        if not code:
            raise RegistryUnavailable("The registry's answer has no code")
        raise FilingRefused(f"Code {code}: {_text(answer.get('msg')) or 'no reason told'}")

    def is_valid(self, seal_code: str, seal_name: str) -> bool | None:
        """状态查询; what is answered with another code than success is a seal that the province does not know."""
        now = self.clock.now()
        query = {
            "method": messages.STATUS_METHOD,
            "appKey": self.system_id,
            "timestamp": messages.utc_stamp(now),
            "version": messages.STATUS_VERSION,
            "sealCode": seal_code,
            "sealName": seal_name,
            "queryTime": local_time(now),
        }
        query["sign"] = _sm3("".join(f"{name}{query[name]}" for name in sorted(query)))
        answer = self._answer(messages.STATUS_QUERY, urlencode(query).encode(), _FORM)
        if _text(answer.get("code")) != messages.SUCCESS:
            return None
        data = answer.get("data")
        status = _text(data.get("sealStatus")) if isinstance(data, dict) else ""
        if not status:
            raise RegistryUnavailable("The registry's answer has no status")
        return status == messages.VALID

    def _transfer(self, message: Message, random: str) -> str:
        signature = self.signer.sign(message.signing_text)
        task = {
            "taskCode": message.task,
            "taskData": json.dumps(dict(message.fields), ensure_ascii=False, separators=(",", ":")),
            "taskSignature": signature,
            # Beyond what the public sources show: what makes a repeated message known, and which algorithm this is.
            "taskSerial": message.serial,
            "signAlgorithm": self.signer.algorithm,
        }
        sign_value = self.signer.sign(messages.transfer_text(self.system_id, random, message, signature))
        told = json.dumps(task, ensure_ascii=False, separators=(",", ":"))
        return messages.PART_SEPARATOR.join((self.system_id, random, told, sign_value))

    def _answered(self, path: str, body: bytes, media_type: str) -> dict[str, object]:
        answer = self._answer(path, body, media_type)
        code = _text(answer.get("code"))
        if code != messages.SUCCESS:
            raise RegistryUnavailable(f"The registry does not let us in: code {code}: {_text(answer.get('msg'))}")
        return answer

    def _answer(self, path: str, body: bytes, media_type: str) -> dict[str, object]:
        status, content = self.post(self.address + path, body, media_type)
        if status != 200:
            raise RegistryUnavailable(f"The registry answered HTTP status {status}")
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise RegistryUnavailable("The registry's answer is no JSON") from error
        if not isinstance(answer, dict):
            raise RegistryUnavailable("The registry's answer is no object")
        return answer


def _as_json(body: dict[str, str]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _text(value: object) -> str:
    """A text of theirs, bounded and without what would disturb a log line."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return messages.clean(str(value)[:_LONGEST_TOLD]).strip()


def _sm3(text: str) -> str:
    digest = Hash(SM3())
    digest.update(text.encode())
    return digest.finalize().hex()
