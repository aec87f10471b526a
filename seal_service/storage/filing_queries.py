"""备案列表, straight from SQL, paged by keyset, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from seal_service.domain.filing import Filing, FilingState
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.filing import FilingFilter
from seal_service.storage.cursor import decode_cursor, encode_cursor
from seal_service.storage.engine import Database
from seal_service.storage.mapping import filing_of
from seal_service.storage.refusals import database_failures
from seal_service.storage.repositories.filings import NEXT_OF_SEALS
from seal_service.storage.tables import EPOCH, FilingRow

_ORDER = "filing.id"


@dataclass(frozen=True, slots=True)
class SqlFilingQueries:
    """Lists of filings: ids begin with the time, so they are the order."""

    database: Database

    def filings(self, page: PageRequest, chosen: FilingFilter) -> Page[Filing]:
        """Filings, newest first; InvalidCursor."""
        row = FilingRow
        wanted = select(row).order_by(row.id.desc()).limit(page.limit + 1)
        if chosen.state is not None:
            wanted = wanted.where(row.state == chosen.state.value)
        if chosen.state is FilingState.REFUSED:  # few, and each is its seal's next
            wanted = wanted.where(row.id.in_(NEXT_OF_SEALS))
        if chosen.seal_code is not None:
            wanted = wanted.where(row.seal_code == chosen.seal_code)
        if chosen.area_code is not None:
            wanted = wanted.where(row.area_code == chosen.area_code)
        if page.cursor is not None:
            wanted = wanted.where(row.id < decode_cursor(_ORDER, page.cursor)[1])
        with database_failures(), self.database.reader.begin() as connection:
            found = [filing_of(one) for one in connection.execute(wanted)]
        kept = tuple(found[: page.limit])
        more = len(found) > page.limit
        return Page(items=kept, next_cursor=encode_cursor(_ORDER, EPOCH, kept[-1].id) if more else None)
