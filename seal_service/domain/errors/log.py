"""The signing log as a tree that others check."""

from __future__ import annotations

from seal_service.domain.errors.availability import IntegrityFailed, Unavailable
from seal_service.domain.errors.conflict import Conflict
from seal_service.domain.errors.input import InvalidInput
from seal_service.domain.errors.missing import NotFound


class NoteRefused(InvalidInput):
    """This is no signed note, checkpoint or proof of a log that is known here, or one of its signatures is wrong."""


class LogDamaged(IntegrityFailed):
    """The signing log's tree does not hold: `seal log fsck` tells what is wrong."""


class LogIncomplete(LogDamaged):
    """A file of the published log is missing: put back SEAL_LOG_DIRECTORY."""


class LogHalted(Unavailable):
    """The signing log is behind its guard or a witness: nothing is sealed until `seal log fsck` has told why."""


class EntryNotPublished(Conflict):
    """The entry has no place under a published checkpoint yet; ask again in a second."""


class LogNotPublished(NotFound):
    """The log has published no checkpoint, or none that reaches so far (`seal log init`, `seal log publish`)."""


class LogFileNotFound(NotFound):
    """The published log has no such tile; a partial tile gives way to its full one: ask for that."""
