"""备案报文: the one place where our records get the province's task codes, field names, formats and signing order.

The official 系统接口规范 is not public. Names, order and codes follow a provincial client that is (its catalogue ids
and the tasks 207, 108 and 209) and our record of 附录A; what neither tells is marked so below. Once the real text is
at hand, it is put in here, and nothing else changes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from seal_service.domain.errors import FilingRefused, InvalidInput
from seal_service.domain.events import EventKind
from seal_service.domain.filing import FilingTask
from seal_service.domain.local_time import local_time
from seal_service.domain.organization import UnitType
from seal_service.domain.seal import Credential
from seal_service.formats import canonical
from seal_service.ports.filing import FiledSource

# How the registry is reached.
CATALOGUE = "/resource/rest/v1/shared/{}/1"
AUTHENTICATION = CATALOGUE.format("IK1008")  # 身份认证: a random number, to be signed with what follows
TRANSFER = CATALOGUE.format("IK1009")  # 数据传输
STATUS_QUERY = CATALOGUE.format("IK1012")  # 状态查询 without login
STATUS_METHOD = "DB.seal.status.query"
STATUS_VERSION = "1.0"
SUCCESS = "0"
ALREADY_THERE = frozenset({"20001"})
"""Codes by which a serial is refused because it was taken before. Not told by the public sources: ours until then."""
VALID = "0"
"""sealStatus: 0 有效, 1 无效."""
PART_SEPARATOR = "||"
SEPARATOR = "|"

LONGEST_VALUE = 8192

LEGAL_TYPES: Mapping[UnitType, str] = {
    UnitType.PROVINCIAL_GOVERNMENT: "1",
    UnitType.CITY_GOVERNMENT: "1",
    UnitType.TOWNSHIP_GOVERNMENT: "1",
    UnitType.DEPARTMENT: "1",
    UnitType.INTERNAL_BODY: "1",
    UnitType.PUBLIC_INSTITUTION: "2",
    UnitType.SOCIAL_ORGANIZATION: "3",
    UnitType.ENTERPRISE: "4",
    UnitType.OTHER: "9",
}
"""法人类型: 1 机关, 2 事业单位, 3 社会团体, 4 企业, 9 其他. The codes are not told by the public sources."""

INVALID_TYPES: Mapping[EventKind, str] = {
    EventKind.SEAL_INVALIDATED: "0",
    EventKind.SEAL_CANCELLED: "1",
    EventKind.SEAL_SUSPENDED: "2",
}
"""invalidType: 0 吊销, 1 撤销, 2 挂失."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a field takes its value from."""

    source: FiledSource
    leaf: Mapping[str, object]
    system_id: str

    def of_record(self, name: str) -> str:
        """A field of the entry's Appendix-A record, or empty."""
        record = self.leaf.get("a")
        value = record.get(name) if isinstance(record, dict) else None
        return ";".join(str(one) for one in value) if isinstance(value, list) else "" if value is None else str(value)

    def of_facts(self, name: str) -> str:
        """A further fact of the entry, or empty."""
        facts = self.leaf.get("facts")
        value = facts.get(name) if isinstance(facts, dict) else None
        return "" if value is None else str(value)

    def credential(self) -> Credential:
        """The credential that the entry names, else the seal's first: what came later has its own filing."""
        seal, serial = self.source.seal, self.of_record("certSn")
        found = next((one for one in seal.credentials if one.serial == serial), None)
        found = found or next(iter(seal.credentials), None)
        if found is None:
            raise FilingRefused(f"The seal {seal.code} has no certificate yet")
        return found


Value = Callable[[Facts], str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: its name there, where its value comes from, whether it must have one."""

    name: str
    value: Value
    required: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """报文格式: the fields of a task, and in which order they are signed."""

    fields: tuple[Field, ...]
    signed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """备案报文: what is sent, before it is signed."""

    task: str
    serial: str
    """流水号: under it the province knows a message that comes again."""
    fields: Mapping[str, str]
    signed: tuple[str, ...]

    @property
    def signing_text(self) -> str:
        """The values in signing order, joined by `|`, which no value contains."""
        return SEPARATOR.join(self.fields[name] for name in self.signed)


def _record(name: str, *, required: bool = False) -> Field:
    return Field(name, lambda facts: facts.of_record(name), required)


def _private(name: str, ours: str) -> Field:
    return Field(name, lambda facts: facts.source.private.get(ours, ""), required=False)


def _entry_time(facts: Facts) -> str:
    return local_time(facts.source.entry.at)


def _effect_time(facts: Facts) -> str:
    """From when it holds: what was made against the rules is invalid from a moment of its own."""
    since = facts.of_facts("invalid_from")
    return local_time(datetime.fromisoformat(since)) if since else _entry_time(facts)


def _nothing(_: Facts) -> str:
    return ""


_SYSTEM = Field("provincePubSysId", lambda facts: facts.system_id, required=False)
_CODE = Field("sealCode", lambda facts: facts.source.seal.code)
_NAME = Field("sealName", lambda facts: facts.of_record("sealName") or facts.source.seal.name)
_VALID_UNTIL = Field("validEndTime", lambda facts: local_time(facts.credential().not_after))
_CERTIFICATE = Field("signCert", lambda facts: base64.b64encode(facts.credential().certificate).decode())
_SEAL_SIGNATURE = Field("signature", _nothing, required=False)
"""印章签名值: the maker's signature in the seal data of GB/T 38540, which this service does not make yet."""

PUBLICATION = Form(
    fields=(
        _SYSTEM,
        _CODE,
        _NAME,
        Field("useUnitCode", lambda facts: facts.source.unit.credit_code),
        Field("sealZone", lambda facts: facts.source.unit.area_code),
        Field("validStartTime", lambda facts: local_time(facts.credential().not_before)),
        _VALID_UNTIL,
        Field("parentSealCode", _nothing, required=False),
        Field("createTime", lambda facts: local_time(facts.source.seal.made_at)),
        Field("creater", lambda facts: facts.of_record("appName") or facts.system_id),
        Field("legalType", lambda facts: LEGAL_TYPES[facts.source.unit.unit_type]),
        _SEAL_SIGNATURE,
        Field("certStartTime", lambda facts: local_time(facts.credential().not_before)),
        Field("certEndTime", lambda facts: local_time(facts.credential().not_after)),
        _CERTIFICATE,
        Field("requestParam", lambda facts: facts.source.filing.entry_id.replace("-", "")),
    ),
    # The client that is public signs sealCode in two places, the second probably a slip for sealZone; what a province
    # accepted is followed, not what was probably meant.
    signed=(
        "sealCode", "parentSealCode", "sealName", "validStartTime", "validEndTime", "creater", "sealCode",
        "useUnitCode", "legalType", "signature", "createTime", "provincePubSysId", "certStartTime", "certEndTime",
        "signCert", "requestParam",
    ),
)  # fmt: skip
"""207 印章发布."""

RENEWAL = Form(
    fields=(_SYSTEM, _CODE, _NAME, _VALID_UNTIL, _SEAL_SIGNATURE, _CERTIFICATE),
    signed=("provincePubSysId", "sealCode", "sealName", "validEndTime", "signature", "signCert"),
)
"""108 印章延期. Its signing order is not told by the public sources: that of the fields."""

REVOCATION = Form(
    fields=(
        _SYSTEM,
        _CODE,
        _NAME,
        Field("cancelReason", lambda facts: facts.of_record("reason")),
        Field("cancelDescribe", lambda facts: facts.of_facts("document_number") or facts.of_record("reason")),
        Field("applyDate", _entry_time),
        _SEAL_SIGNATURE,
        Field("invalidType", lambda facts: INVALID_TYPES[facts.source.entry.kind]),
        Field("invalidEffectTime", _effect_time),
    ),
    signed=(
        "provincePubSysId", "sealCode", "sealName", "cancelReason", "cancelDescribe", "applyDate", "signature",
        "invalidType", "invalidEffectTime",
    ),
)  # fmt: skip
"""209 吊销、撤销、挂失, with the seal's code, without which a name alone would have to do. Order as for 108."""

_RECORD_FIELDS = (
    _record("logId", required=True),
    _record("logType", required=True),
    _record("sealCode", required=True),
    _record("sealName", required=True),
    _record("sealType", required=True),
    _record("useUnitCode", required=True),
    _record("useUnitName", required=True),
    _record("sealZone", required=True),
    _record("certSn"),
    _private("operatorId", "operator_id"),
    _private("operatorName", "operator_name"),
    _private("operatorDept", "operator_department"),
    _record("appId"),
    _record("appName"),
    _record("sceneCode"),
    _private("bizNo", "case_number"),
    _record("approvalId"),
    _private("docName", "document_name"),
    _record("docHash"),
    _record("signedDocHash"),
    _record("docFormat"),
    _record("signTime", required=True),
    _record("signAlg"),
    _record("signValue"),
    _record("positions"),
    _record("mediumType"),
    _private("clientIp", "client_address"),
    _record("result", required=True),
    _record("reason"),
    _SYSTEM,
)
RECORD = Form(fields=_RECORD_FIELDS, signed=tuple(one.name for one in _RECORD_FIELDS))
"""日志备案: 附录A in its order; what an act does not have is empty."""

FORMS: Mapping[FilingTask, Form] = {
    FilingTask.PUBLICATION: PUBLICATION,
    FilingTask.RENEWAL: RENEWAL,
    FilingTask.REVOCATION: REVOCATION,
    FilingTask.RECORD: RECORD,
}
TASK_CODES: Mapping[FilingTask, str] = {
    FilingTask.PUBLICATION: "207",
    FilingTask.RENEWAL: "108",
    FilingTask.REVOCATION: "209",
    FilingTask.RECORD: "LOG",  # the code of 日志备案 is not told by the public sources
}


def message_of(source: FiledSource, system_id: str) -> Message:
    """The message of a filing; FilingRefused naming the field that is missing."""
    filing = source.filing
    try:
        leaf = canonical.decode(source.entry.canon)
    except InvalidInput as error:
        raise FilingRefused(f"Entry {filing.entry_id} cannot be read") from error
    facts, form = Facts(source, leaf, system_id), FORMS[filing.task]
    values = {one.name: clean(one.value(facts)) for one in form.fields}
    for one in form.fields:
        if one.required and not values[one.name]:
            raise FilingRefused(f"Filing {filing.id} has no {one.name}")
        if len(values[one.name]) > LONGEST_VALUE:
            raise FilingRefused(f"{one.name} of filing {filing.id} is longer than {LONGEST_VALUE} characters")
    serial = filing.entry_id.replace("-", "")
    return Message(task=TASK_CODES[filing.task], serial=serial, fields=values, signed=form.signed)


def clean(value: str) -> str:
    """A value without what separates values: one signed text must not be read as two sets of values."""
    shown = "".join(" " if ord(one) < 0x20 or ord(one) == 0x7F else one for one in value)
    return shown.replace(SEPARATOR, "｜").encode("utf-8", "replace").decode()


def transfer_text(system_id: str, random: str, message: Message, task_signature: str) -> str:
    """What signValue signs: who sends, the random number of this exchange, and the task's own signature.

    The public sources say no more than that fields in a fixed order are signed.
    """
    return SEPARATOR.join((system_id, random, message.task, message.serial, task_signature))


def utc_stamp(moment: datetime) -> str:
    """The `timestamp` of a query: milliseconds since 1970."""
    return str(int(moment.astimezone(UTC).timestamp() * 1000))
