"""允许的追加: pyHanko's rules for incremental updates, with what they lack for files of common programs."""

from __future__ import annotations

from pyhanko.pdf_utils.reader import HistoricalResolver
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    CatalogModificationRule,
    DiffResult,
    FormUpdatingRule,
    GenericFieldModificationRule,
    ModificationLevel,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
)
from pyhanko.sign.diff_analysis.constants import ROOT_EXEMPT_STRICT_COMPARISON
from pyhanko.sign.fields import MDPPerm

from seal_service.verification.structure_tree import StructureTreeRule

_POLICY = StandardDiffPolicy(
    global_rules=[
        CatalogModificationRule(ignored_keys=ROOT_EXEMPT_STRICT_COMPARISON | {"/StructTreeRoot"}),
        StructureTreeRule().as_qualified(ModificationLevel.LTA_UPDATES),
        *(one for one in DEFAULT_DIFF_POLICY.global_rules if not isinstance(one, CatalogModificationRule)),
    ],
    form_rule=FormUpdatingRule(
        field_rules=[
            SigFieldCreationRule(allow_new_visible_after_certify=True),  # a further seal, where DocMDP permits signing
            SigFieldModificationRule(),
            GenericFieldModificationRule(),
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
