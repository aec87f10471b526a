"""用语: what the pages call things, in Chinese; English stands beside it in the templates."""

from __future__ import annotations

from datetime import datetime

from seal_service.domain.access import Role
from seal_service.domain.local_time import local_time
from seal_service.domain.seal import SealState
from seal_service.domain.second_factor import FactorKind

STATES = {
    SealState.MADE: ("已制作，未启用", "made"),
    SealState.ACTIVE: ("正常使用", "active"),
    SealState.SUSPENDED: ("已挂失，停用", "suspended"),
    SealState.CANCELLED: ("已注销", "cancelled"),
    SealState.EXPIRED: ("已到期", "expired"),
}
ROLES = {
    Role.SYSTEM_OPERATOR: "系统管理员",
    Role.SECURITY_ADMINISTRATOR: "安全管理员",
    Role.AUDITOR: "审计管理员",
    Role.SEAL_MAKER: "制发部门",
    Role.UNIT_ADMINISTRATOR: "使用单位管理员",
    Role.SEAL_KEEPER: "印章保管人",
    Role.APPLICANT: "用印申请人",
    Role.BUSINESS_SYSTEM: "业务系统",
}
FACTORS = {
    FactorKind.TOTP: ("动态口令", "one-time code"),
    FactorKind.CERTIFICATE: ("客户端证书", "client certificate"),
    FactorKind.UKEY: ("智能密码钥匙", "UKey"),
}
AGAINST_PASSWORD = {
    "present": "当前口令不正确",
    "repeated": "两次输入的新口令不一致",
    "length": "口令须为 12 至 128 个字符",
    "characters": "口令不得含控制字符",
    "name": "口令不得含账户名称",
    "common": "口令过于常见",
    "history": "不得使用最近五次用过的口令",
}
"""Why a password is refused (domain/password.py)."""
NOTICES = {
    "password": ("口令已修改，其他会话均已结束。", "Your password was changed; your other sessions have ended."),
    "factor": ("第二因素已登记，下次登录时使用。", "Your second factor is enrolled and will be asked for."),
    "out": ("已登出。", "You are signed out."),
}
"""What a page says that somebody was sent to after an act."""
NEXT = {
    "unauthenticated": "请核对账户、口令或验证码后重试。多次输错会暂时锁定；仍不能登录的，请联系安全管理员。",
    "permission-denied": "您的角色不能办理此事。请由本单位的印章保管人或管理员办理，或联系制发部门。",
    "seal-not-found": "请核对印章编码与印章名称。只能办理本单位的印章。",
    "invalid-seal-code": "印章编码为 14 位数字，请与文件上所载核对。",
    "transition-refused": "印章现在的状态不能办理此事，请返回查看印章状态。",
    "too-many-requests": "请稍候一分钟再试。",
    "form-refused": "请重新打开页面后再提交，不要使用其他网站给出的链接或表单。",
    "identity-provider-unavailable": "统一身份认证暂不可用。请稍后再试，或以账户和口令登录。",
    "identity-provider-not-set": "本服务未启用统一身份登录，请以账户和口令登录。",
    "content-too-large": "填写的内容过长，请缩短后再提交。",
    "internal-error": "请记下请求编号，联系服务管理员。",
    "no-such-address": "请核对地址，或返回首页。",
}
"""What to do about a refusal, by its problem type."""


def moment(at: datetime) -> str:
    """北京时间, to the second."""
    return local_time(at)


def roles(held: frozenset[Role]) -> str:
    """Their names."""
    return "、".join(ROLES[one] for one in sorted(held))
