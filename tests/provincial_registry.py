"""A provincial registry on a real socket: it speaks the interface by its own tables, and can be as bad as real ones.

Field names and signing orders stand here a second time, as the public client has them, so that our mapping is not
compared with itself.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

SYSTEM_ID = "示例市统一电子印章系统"
SIGNED = {
    "207": "sealCode|parentSealCode|sealName|validStartTime|validEndTime|creater|sealCode|useUnitCode|legalType|"
    "signature|createTime|provincePubSysId|certStartTime|certEndTime|signCert|requestParam",
    "108": "provincePubSysId|sealCode|sealName|validEndTime|signature|signCert",
    "209": "provincePubSysId|sealCode|sealName|cancelReason|cancelDescribe|applyDate|signature|invalidType|"
    "invalidEffectTime",
    "LOG": "logId|logType|sealCode|sealName|sealType|useUnitCode|useUnitName|sealZone|certSn|operatorId|operatorName|"
    "operatorDept|appId|appName|sceneCode|bizNo|approvalId|docName|docHash|signedDocHash|docFormat|signTime|signAlg|"
    "signValue|positions|mediumType|clientIp|result|reason|provincePubSysId",
}


@dataclass(frozen=True)
class Taken:
    """A message that the registry has."""

    task: str
    serial: str
    fields: dict[str, str]


@dataclass
class ProvincialRegistry:
    """What the registry has and how it behaves; `url` is where it is reached."""

    public_key_info: bytes = b""
    down: bool = False
    """HTTP 503 to everything."""
    misbehaviour: list[str] = field(default_factory=list)
    """For the next transfers, one each: drop, store and drop, refuse, garbage, error page, no code, fine."""
    refused_seals: set[str] = field(default_factory=set)
    slow_seconds: float = 0.0
    taken: list[Taken] = field(default_factory=list)
    arrivals: list[str] = field(default_factory=list)
    """Task and serial of every transfer that was well signed, those that came again among them."""
    known: set[tuple[str, str]] = field(default_factory=set)
    """Task and serial of what was taken."""
    faults: list[str] = field(default_factory=list)
    """What was wrong with what was sent."""
    randoms: set[str] = field(default_factory=set)
    asked_for: list[str] = field(default_factory=list)
    """Seal codes whose status was asked for."""
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def lose_everything(self) -> None:
        """As a registry that was restored from an old copy."""
        self.taken.clear()
        self.known.clear()

    def of_seal(self, seal_code: str) -> list[tuple[str, str]]:
        """Task and serial of what is here of a seal, in the order in which it first came."""
        return [(one.task, one.serial) for one in self.taken if one.fields["sealCode"] == seal_code]

    def status_of(self, seal_code: str) -> str | None:
        """0 有效, 1 无效, by what was filed last."""
        last = [one for one in self.taken if one.fields["sealCode"] == seal_code and one.task != "LOG"]
        return ("1" if last[-1].task == "209" else "0") if last else None

    def authenticate(self, body: dict[str, Any]) -> dict[str, Any]:
        """IK1008."""
        if body.get("data") != SYSTEM_ID:
            return {"code": "40001", "msg": "系统未登记"}
        random = secrets.token_hex(16)
        with self.lock:
            self.randoms.add(random)
        return {"code": "0", "data": random}

    def transfer(self, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """IK1009: how to answer, and what."""
        with self.lock:
            how = self.misbehaviour.pop(0) if self.misbehaviour else "fine"
            if how in ("drop", "garbage", "error page", "no code"):
                return how, {}
            try:
                message = self._checked(body["data"])
            except (KeyError, ValueError, InvalidSignature) as error:
                self.faults.append(f"{type(error).__name__}: {error}")
                return "fine", {"code": "50001", "msg": "验签失败"}
            if how == "refuse" or message.fields["sealCode"] in self.refused_seals:
                return "fine", {"code": "30007", "msg": "印章上级编码|不存在"}
            self.arrivals.append(f"{message.task} {message.serial}")
            if (message.task, message.serial) in self.known:
                return how, {"code": "20001", "msg": "流水号已存在"}
            self.known.add((message.task, message.serial))
            self.taken.append(message)
            return how, {"code": "0", "data": f"省备{len(self.taken):06d}"}

    def _checked(self, data: str) -> Taken:
        system_id, random, rest = data.split("||", 2)
        text, sign_value = rest.rsplit("||", 1)
        if system_id != SYSTEM_ID or random not in self.randoms:
            raise ValueError("unknown system, or a random number that was not given out or was used before")
        self.randoms.discard(random)
        task = json.loads(text)
        fields = json.loads(task["taskData"])
        signed = "|".join(fields[name] for name in SIGNED[task["taskCode"]].split("|"))
        if signed.count("|") != SIGNED[task["taskCode"]].count("|"):
            raise ValueError("a value holds the separator")
        self._verify(signed, task["taskSignature"])
        told = "|".join((system_id, random, task["taskCode"], task["taskSerial"], task["taskSignature"]))
        self._verify(told, sign_value)
        return Taken(task=task["taskCode"], serial=task["taskSerial"], fields=fields)

    def _verify(self, text: str, signature: str) -> None:
        key = load_der_public_key(self.public_key_info)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(base64.b64decode(signature), text.encode(), ec.ECDSA(hashes.SHA256()))

    def status(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """IK1012."""
        code, name, time_ = query["sealCode"][0], query["sealName"][0], query["queryTime"][0]
        plain = "".join(f"{one}{query[one][0]}" for one in sorted(query) if one != "sign")
        digest = hashes.Hash(hashes.SM3())
        digest.update(plain.encode())
        if digest.finalize().hex() != query["sign"][0] or query["method"] != ["DB.seal.status.query"]:
            self.faults.append("a status query that is not signed as it should be")
        self.asked_for.append(code)
        status = self.status_of(code)
        if status is None:
            return {"code": "30001", "msg": "印章不存在"}
        return {"code": "0", "data": {"sealName": name, "queryTime": time_, "sealStatus": status}}


@contextmanager
def provincial_registry() -> Iterator[ProvincialRegistry]:
    """The registry, served until the block ends."""
    registry = ProvincialRegistry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = (
            True  # head and body are two writes: else the second waits 40 ms for an acknowledgement
        )

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(registry.slow_seconds)
            if registry.down:
                return self._answer(503, b"Service Unavailable", "text/plain")
            how, answer = "fine", dict[str, Any]()
            if self.path.endswith("/IK1008/1"):
                answer = registry.authenticate(json.loads(content))
            elif self.path.endswith("/IK1009/1"):
                how, answer = registry.transfer(json.loads(content))
            else:
                answer = registry.status(parse_qs(content.decode(), keep_blank_values=True))
            if how in ("drop", "store and drop"):
                self.close_connection = True
                self.connection.close()
                return None
            if how == "garbage":
                return self._answer(200, b"\xff\x00{" * 10, "application/json")
            if how == "error page":
                return self._answer(200, "<html>系统维护</html>".encode(), "text/html")
            return self._answer(200, json.dumps(answer, ensure_ascii=False).encode(), "application/json")

        def _answer(self, status: int, body: bytes, media_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, ValueError, OSError):
                """The client went away, or this side closed the connection on purpose."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def shutdown_request(self, request: Any) -> None:
            try:
                super().shutdown_request(request)
            except OSError:
                """Closed on purpose."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    registry.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
