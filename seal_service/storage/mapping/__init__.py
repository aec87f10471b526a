"""Between domain and rows, by hand: `*_values` gives the columns of a thing, `*_of` the thing of a row."""

from seal_service.storage.mapping.authority import authority_of, authority_values, certificate_of, certificate_values
from seal_service.storage.mapping.filing import filing_of, filing_values
from seal_service.storage.mapping.log import log_row_of, log_values
from seal_service.storage.mapping.registers import (
    account_of,
    account_values,
    application_of,
    application_values,
    unit_of,
    unit_values,
)
from seal_service.storage.mapping.seals import credential_values, seal_of, seal_values
from seal_service.storage.mapping.uses import grant_of, grant_values, use_of, use_values
from seal_service.storage.mapping.values import Values

__all__ = [
    "Values",
    "account_of",
    "account_values",
    "application_of",
    "application_values",
    "authority_of",
    "authority_values",
    "certificate_of",
    "certificate_values",
    "credential_values",
    "filing_of",
    "filing_values",
    "grant_of",
    "grant_values",
    "log_row_of",
    "log_values",
    "seal_of",
    "seal_values",
    "unit_of",
    "unit_values",
    "use_of",
    "use_values",
]
