"""不变量: what is always true of an instance. One list for tests, checks and the docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Invariant(StrEnum):
    """不变量, by name; the sentence says what is always true."""

    sentence: str

    def __new__(cls, name: str, sentence: str) -> Invariant:
        """A member with its sentence."""
        one = str.__new__(cls, name)
        one._value_ = name
        one.sentence = sentence
        return one

    SCHEMA = "schema", "The database has exactly this program's schema."
    DATABASE = "database", "The database finds nothing wrong in its own structures."
    REFERENCES = "references", "Every row that a row refers to is there."
    APPEND_ONLY = "append_only", "The log's tables refuse every change: each of their triggers is there and on."
    LEAF = "leaf", "The canonical bytes of every log entry have its leaf hash."
    PROJECTION = "projection", "The columns of every log entry say what its canonical bytes say."
    PERSONAL = "personal", "Personal fields that are kept open, and are what their entry commits to."
    COUNTER = "counter", "The entries of a seal are counted from 1 without gap."
    INTENT = "intent", "Every use has exactly one intent in the log, and every intent a use."
    TERMINAL = "terminal", "An intent ends at most once, and what ends it names its leaf hash."
    COMPLETED = "completed", "A use is completed exactly when the log says so, in the entry that the use names."
    RELEASED = "released", "A use that failed, was abandoned or is still reserved has given out no document."
    STATUS = "status", "The state of a seal is the one that the last change in the log gave it."
    GRANTED = "granted", "A grant counts the uses that it has, and a document of an approval is taken by its one use."
    PLACED = "placed", "Every entry has one place in the log's tree, or waits for one; places have no gap."
    TREE = "tree", "The head of the log's tree is that of all its places."
    PUBLISHED = "published", "Every published file of the log is there and says what the tree says."
    CHECKPOINT = "checkpoint", "Every checkpoint, the guard's too, is signed by the log's key over the tree's root."
    STATISTICS = "statistics", "Kept statistics are those of a recount of the tree."
    DOCUMENT = "document", "Every picture and held document is there and opens to what its digest says."
    KEY = "key", "Every key of a credential in force is in the key store."


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place where an invariant does not hold."""

    invariant: Invariant
    subject: str
    """Which entry, use, seal, document or key; empty for the whole."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: every breach is counted, the first of each invariant are kept."""

    checked: Mapping[str, int]
    """How many of what were looked at."""
    findings: tuple[Finding, ...] = ()
    counts: Mapping[Invariant, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether every invariant that was looked at holds."""
        return not self.counts
