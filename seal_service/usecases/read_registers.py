"""查询: units, accounts, applications, seals and grants, each within what the caller may see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import UNIT_STAFF, Account, Caller, Permission, Role
from seal_service.domain.application import Application, ApplicationState
from seal_service.domain.errors import AccountNotFound, ApplicationNotFound, GrantNotFound, SealNotFound
from seal_service.domain.grant import Grant
from seal_service.domain.organization import Unit
from seal_service.domain.paging import Page, PageRequest
from seal_service.domain.seal import Seal, SealState
from seal_service.ports.reading import Queries, SealFilter
from seal_service.ports.records import Records
from seal_service.ports.system import BlobStore, Clock
from seal_service.usecases.facts import may_see

ABOVE_UNITS = frozenset({Role.SEAL_MAKER, Role.AUDITOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadById:
    """One thing by its id or code."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUnits:
    """单位列表."""

    area_code: str | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAccounts:
    """账户列表."""

    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApplications:
    """申请列表."""

    state: ApplicationState | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSeals:
    """印章列表."""

    state: SealState | None = None
    unit_id: str | None = None
    expiring_within_days: int | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListGrants:
    """授权列表."""

    seal_code: str | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True)
class ListUnitsUseCase:
    """单位列表."""

    permission: ClassVar[Permission] = Permission.READ_UNITS
    queries: Queries

    def __call__(self, _caller: Caller, command: ListUnits) -> Page[Unit]:
        """A page of units."""
        return self.queries.units(command.page, area_code=command.area_code)


@dataclass(frozen=True)
class ReadUnitUseCase:
    """单位. Raises UnitNotFound."""

    permission: ClassVar[Permission] = Permission.READ_UNITS
    records: Records

    def __call__(self, _caller: Caller, command: ReadById) -> Unit:
        """The unit."""
        with self.records.read() as transaction:
            return transaction.units.get(command.id)


@dataclass(frozen=True)
class ListAccountsUseCase:
    """账户列表."""

    permission: ClassVar[Permission] = Permission.MANAGE_ACCOUNTS
    queries: Queries

    def __call__(self, _caller: Caller, command: ListAccounts) -> Page[Account]:
        """A page of accounts."""
        return self.queries.accounts(command.page)


@dataclass(frozen=True)
class ReadAccountUseCase:
    """账户. Raises AccountNotFound."""

    permission: ClassVar[Permission] = Permission.MANAGE_ACCOUNTS
    records: Records

    def __call__(self, _caller: Caller, command: ReadById) -> Account:
        """The account."""
        with self.records.read() as transaction:
            account = transaction.accounts.find(command.id)
        if account is None:
            raise AccountNotFound
        return account


@dataclass(frozen=True)
class ListApplicationsUseCase:
    """申请列表: all for the making office and auditors, its own channel's for a unit (article 13)."""

    permission: ClassVar[Permission] = Permission.READ_APPLICATIONS
    queries: Queries

    def __call__(self, caller: Caller, command: ListApplications) -> Page[Application]:
        """A page of applications."""
        units = None if caller.roles & ABOVE_UNITS else self.queries.units_of_channel(caller.unit_id or "")
        return self.queries.applications(command.page, state=command.state, unit_ids=units)


@dataclass(frozen=True)
class ReadApplicationUseCase:
    """申请. Raises ApplicationNotFound."""

    permission: ClassVar[Permission] = Permission.READ_APPLICATIONS
    records: Records
    queries: Queries

    def __call__(self, caller: Caller, command: ReadById) -> Application:
        """The application."""
        with self.records.read() as transaction:
            application = transaction.applications.lock(command.id)
        if caller.roles & ABOVE_UNITS or application.unit_id in self.queries.units_of_channel(caller.unit_id or ""):
            return application
        raise ApplicationNotFound


@dataclass(frozen=True)
class ListSealsUseCase:
    """印章列表: all for the making office and auditors, its own for a unit or its systems."""

    permission: ClassVar[Permission] = Permission.READ_SEALS
    queries: Queries
    clock: Clock

    def __call__(self, caller: Caller, command: ListSeals) -> Page[Seal]:
        """A page of seals."""
        now = self.clock.now()
        chosen = SealFilter(now=now, state=command.state, unit_id=command.unit_id)
        if command.expiring_within_days is not None:
            chosen = replace(chosen, expiring_before=now + timedelta(days=command.expiring_within_days))
        if not caller.roles & ABOVE_UNITS:
            if command.unit_id not in (None, caller.unit_id):
                return Page(items=())
            chosen = replace(chosen, unit_id=caller.unit_id or "")
        return self.queries.seals(command.page, chosen)


@dataclass(frozen=True)
class ReadSealUseCase:
    """印章. Raises SealNotFound."""

    permission: ClassVar[Permission] = Permission.READ_SEALS
    records: Records
    queries: Queries

    def __call__(self, caller: Caller, command: ReadById) -> Seal:
        """The seal; a business system may also read a seal that it was granted."""
        with self.records.read() as transaction:
            seal = transaction.seals.find(command.id)
        if seal is None:
            raise SealNotFound
        if may_see(caller, seal) or self._granted(caller, seal):
            return seal
        raise SealNotFound

    def _granted(self, caller: Caller, seal: Seal) -> bool:
        if Role.BUSINESS_SYSTEM not in caller.roles:
            return False
        page = self.queries.grants(PageRequest(limit=1), seal_code=seal.code, grantee_id=caller.account_id)
        return bool(page.items)


@dataclass(frozen=True)
class ReadImpressionUseCase:
    """印模 of a seal, PNG: for its unit, the making office and auditors. Raises SealNotFound."""

    permission: ClassVar[Permission] = Permission.READ_SEALS
    records: Records
    blobs: BlobStore

    def __call__(self, caller: Caller, command: ReadById) -> bytes:
        """The picture, PNG."""
        with self.records.read() as transaction:
            seal = transaction.seals.find(command.id)
        entitled = seal is not None and may_see(caller, seal) and bool(caller.roles - {Role.BUSINESS_SYSTEM})
        picture = self.blobs.get(seal.impression.digest) if seal is not None and entitled else None
        if picture is None:
            raise SealNotFound
        return picture


@dataclass(frozen=True)
class ListGrantsUseCase:
    """授权列表: an auditor's all, a unit's its seals', a system's its own."""

    permission: ClassVar[Permission] = Permission.READ_GRANTS
    queries: Queries

    def __call__(self, caller: Caller, command: ListGrants) -> Page[Grant]:
        """A page of grants."""
        if Role.AUDITOR in caller.roles:
            return self.queries.grants(command.page, seal_code=command.seal_code)
        if caller.roles & UNIT_STAFF:
            return self.queries.grants(command.page, seal_code=command.seal_code, unit_id=caller.unit_id or "")
        return self.queries.grants(command.page, seal_code=command.seal_code, grantee_id=caller.identity)


@dataclass(frozen=True)
class ReadGrantUseCase:
    """授权. Raises GrantNotFound."""

    permission: ClassVar[Permission] = Permission.READ_GRANTS
    records: Records

    def __call__(self, caller: Caller, command: ReadById) -> Grant:
        """The grant."""
        with self.records.read() as transaction:
            grant = transaction.grants.lock(command.id)
            seal = transaction.seals.lock(grant.seal_code)
        own = caller.account_id == grant.grantee_id or (
            bool(caller.roles & UNIT_STAFF) and caller.unit_id == seal.unit_id
        )
        if own or Role.AUDITOR in caller.roles:
            return grant
        raise GrantNotFound
