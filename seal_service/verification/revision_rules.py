"""允许的追加: pyHanko's rules for incremental updates, with what they lack for files of common programs."""

from __future__ import annotations

from collections.abc import Iterable

from pyhanko.pdf_utils.generic import IndirectObject
from pyhanko.pdf_utils.misc import IndirectObjectExpected
from pyhanko.pdf_utils.reader import HistoricalResolver
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    CatalogModificationRule,
    DiffResult,
    FieldComparisonContext,
    FieldComparisonSpec,
    FormUpdate,
    FormUpdatingRule,
    GenericFieldModificationRule,
    MetadataUpdateRule,
    ModificationLevel,
    ReferenceUpdate,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
    WhitelistRule,
)
from pyhanko.sign.diff_analysis.constants import ROOT_EXEMPT_STRICT_COMPARISON
from pyhanko.sign.fields import MDPPerm

from seal_service.verification.structure_tree import StructureTreeRule


class MetadataRule(WhitelistRule):
    """Asks that metadata be XMP only of a revision that writes them; some programs' are not (ISO 32000-1, 14.3.2)."""

    def apply(self, old: HistoricalResolver, new: HistoricalResolver) -> Iterable[ReferenceUpdate]:
        """What pyHanko's rule permits; nothing where the catalog names the same stream and it was not written."""
        before, after = (one.root.raw_get("/Metadata") if "/Metadata" in one.root else None for one in (old, new))
        same = isinstance(after, IndirectObject) and after == before and after.reference
        if same and same not in new.explicit_refs_in_revision():
            return ()
        return _XMP.apply(old, new)


_XMP = MetadataUpdateRule()


class FieldRule(GenericFieldModificationRule):
    """Compares fields whose /AP has states written as direct dictionaries too (ISO 32000-1, 12.5.5)."""

    def check_form_field(
        self, fq_name: str, spec: FieldComparisonSpec, context: FieldComparisonContext
    ) -> Iterable[tuple[ModificationLevel, FormUpdate]]:
        """What pyHanko's rule permits; where an appearance is no reference, no stream may be replaced in its place."""
        try:
            yield from super().check_form_field(fq_name, spec, context)
        except IndirectObjectExpected:
            yield from _NOTHING_IN_PLACE.check_form_field(fq_name, spec, context)


_NOTHING_IN_PLACE = GenericFieldModificationRule(allow_in_place_appearance_stream_changes=False)
_OWN = (CatalogModificationRule, MetadataUpdateRule)
_POLICY = StandardDiffPolicy(
    global_rules=[
        CatalogModificationRule(ignored_keys=ROOT_EXEMPT_STRICT_COMPARISON | {"/StructTreeRoot"}),
        MetadataRule().as_qualified(ModificationLevel.LTA_UPDATES),
        StructureTreeRule().as_qualified(ModificationLevel.LTA_UPDATES),
        *(one for one in DEFAULT_DIFF_POLICY.global_rules if not isinstance(getattr(one, "rule", one), _OWN)),
    ],
    form_rule=FormUpdatingRule(
        field_rules=[
            SigFieldCreationRule(allow_new_visible_after_certify=True),  # a further seal, where DocMDP permits signing
            SigFieldModificationRule(),
            FieldRule(),
        ]
    ),
    reject_object_freeing=False,
)


def compare_revisions(old: HistoricalResolver, new: HistoricalResolver, certified: bool) -> DiffResult:
    """How far a revision goes beyond the one before; SuspiciousModification when no rule permits it.

    Freeing is refused for objects that existed; many programs write free entries for numbers never used. So are objects
    that the revision before refers to without having them: what it showed as nothing would become something.
    """
    old._load_reverse_xref_cache()  # which the rules need anyway
    written = new.explicit_refs_in_revision()
    filled = [one for one in written if old.is_ref_unassignable(one) and old._get_usages_of_ref(one)]
    if filled:
        raise SuspiciousModification(f"{len(filled)} objects were added that the document already referred to")
    freed = [one for one in new.refs_freed_in_revision() if not old.is_ref_unassignable(one)]
    if freed:
        raise SuspiciousModification(f"{len(freed)} objects were removed")
    return _POLICY.apply(old, new, doc_mdp=MDPPerm.FILL_FORMS if certified else None)
