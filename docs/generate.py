"""`python docs/generate.py [--check]`: write the generated blocks of docs/ and the README, or name those that drifted.

A page is written by hand; a block between `<!-- generated: NAME -->` and `<!-- end: NAME -->` comes from the code.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from pydantic_core import PydanticUndefined
from typer.main import get_command

from seal_service.__main__ import seal_command
from seal_service.api.app import describe
from seal_service.api.problems import OF_ERRORS, OF_THE_DOOR, OF_THE_PAGES
from seal_service.cli.failures import exit_code
from seal_service.config import Settings
from seal_service.domain import verdict
from seal_service.domain.access import INCOMPATIBLE_ROLES, PERMISSIONS_OF, Permission, Role
from seal_service.domain.authority import AUTHORITY_RULES
from seal_service.domain.errors import SealServiceError
from seal_service.domain.events import TERMINAL_KINDS, EventKind
from seal_service.domain.impression import SEAL_TYPE_NAMES, SealType, largest_mm
from seal_service.domain.invariants import Invariant
from seal_service.domain.lifecycle import TRANSITIONS, Action
from seal_service.domain.operation import Condition, UseStep
from seal_service.domain.organization import UnitType
from seal_service.domain.readiness import KINDS
from seal_service.domain.seal import SealState
from seal_service.log.appendix_a import FIELDS, LOG_TYPES, PERSONAL_FIELDS
from seal_service.observability.metrics import PrometheusMeasurements

DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "benchmarks" / "results.json"
HELP_COLUMNS = 100
_BLOCK = re.compile(r"<!-- generated: (?P<name>[a-z-]+) -->\n.*?<!-- end: (?P=name) -->", re.DOTALL)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """Text as code."""
    return f"`{text}`"


def first_line(thing: object) -> str:
    """The first line of a docstring."""
    return (thing.__doc__ or "").strip().split("\n", 1)[0]


def lifecycle_transitions() -> str:
    """The table of transitions: a state a row, an act a column."""
    rows = []
    for state in SealState:
        after = (TRANSITIONS.get((state, action)) for action in Action)
        rows.append([code(state.value), *(code(one.value) if one else "refused" for one in after)])
    return table(["state \\ act", *(code(action.value) for action in Action)], rows)


def error_tree(
    kind: type[SealServiceError] = SealServiceError, depth: int = 0
) -> Iterator[tuple[int, type[SealServiceError]]]:
    """Every class of the tree, each below its parent, in the order in which they are written."""
    yield depth, kind
    for one in kind.__subclasses__():
        if one.__module__.startswith("seal_service.domain.errors."):
            yield from error_tree(one, depth + 1)


def errors() -> str:
    """Every error: class, sentence, HTTP status, type of the problem, titles, exit code of the command line."""
    rows = []
    for depth, kind in error_tree():
        row = OF_ERRORS[kind]
        urn = code(f"urn:seal:problem:{kind.code().replace('_', '-')}")
        exits = str(exit_code(kind.__new__(kind)))
        name = "&nbsp;" * 4 * depth + code(kind.__name__)
        rows.append([name, first_line(kind), str(row.status), urn, f"{row.zh}<br>{row.en}", exits])
    return table(["class", "what it says", "HTTP", "`type` of the problem", "`title`, `title_en`", "exit code"], rows)


def authority_roles() -> str:
    """The service's own certified keys: a role a row."""
    rows = []
    for role, rule in AUTHORITY_RULES.items():
        issuer = "itself, later ones also by the root before" if rule.issuer is None else code(rule.issuer.value)
        with_it = ", ".join(code(one.value) for one in rule.renewed_with) or "—"
        each = "every generation of its issuer" if rule.for_each_issuer else "the instance"
        rows.append(
            [code(role.value), rule.name, f"{rule.years} years", issuer, f"{rule.overlap.days} days", with_it, each]
        )
    head = ["role", "name", "lifetime", "certified by", "rotate in its last", "rotated with it", "one for"]
    return table(head, rows)


def door_refusals() -> str:
    """What HTTP refuses before a use case is asked."""
    rows = [
        [str(row.status), code(f"urn:seal:problem:{name}"), f"{row.zh}<br>{row.en}"]
        for name, row in (OF_THE_DOOR | OF_THE_PAGES).items()
    ]
    return table(["HTTP", "`type` of the problem", "`title`, `title_en`"], rows)


def settings() -> str:
    """Every setting: variable, default, meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        shown = "none" if field.default in (None, PydanticUndefined) else _setting(field.default)
        rows.append([code(f"SEAL_{name.upper()}"), shown, field.description or ""])
    return table(["variable", "default", "meaning"], rows)


def _setting(value: Any) -> str:
    if isinstance(value, Enum):
        return code(value.value)
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, (tuple, frozenset, dict)):
        return "empty" if not value else code(sorted(value, key=str))
    return code(value)


def command_help() -> str:
    """The help of every command, as `--help` prints it on a wide terminal."""
    return "\n\n".join(_helped(get_command(seal_command()), "seal", None, 2))


def _helped(command: Any, name: str, parent: Any, level: int) -> Iterator[str]:
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=HELP_COLUMNS, max_content_width=HELP_COLUMNS
    )
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield f"{'#' * level} `{context.command_path}`\n\n```text\n{text}\n```"
    for sub_name, sub_command in getattr(command, "commands", {}).items():
        yield from _helped(sub_command, sub_name, context, level + 1)


def permissions() -> str:
    """Which role holds which permission."""
    rows = []
    for permission in Permission:
        public = permission is Permission.PUBLIC
        marks = ("✓" if public or permission in PERMISSIONS_OF[role] else "" for role in Role)
        rows.append([code(permission.value), *marks, "✓" if public else ""])
    return table(["permission", *(code(role.value) for role in Role), "no account"], rows)


def incompatible_roles() -> str:
    """Roles that one account never holds together."""
    pairs = sorted(sorted(role.value for role in pair) for pair in INCOMPATIBLE_ROLES)
    return "\n".join(f"- `{first}` and `{second}`" for first, second in pairs)


def event_kinds() -> str:
    """Kinds of log entries with the province's code for each."""
    rows = [
        [code(kind.value), code(LOG_TYPES[kind]) if kind in LOG_TYPES else "", "yes" if kind in TERMINAL_KINDS else ""]
        for kind in EventKind
    ]
    return table(["`kind`", "`logType`", "ends an intent"], rows)


def appendix_a_fields() -> str:
    """Our facts and the names under which they stand in `a`."""
    rows = [[code(ours), code(theirs)] for ours, (theirs, _) in FIELDS.items()]
    return table(["our fact", "field of `a`"], rows)


def personal_fields() -> str:
    """Personal facts, which an entry holds only as commitments."""
    return table(["in `private`", "filed as"], [[code(ours), code(theirs)] for ours, theirs in PERSONAL_FIELDS.items()])


def verdict_words() -> str:
    """The words of a report."""
    kinds: tuple[type[Enum], ...] = (
        verdict.Indication, verdict.SubIndication, verdict.Coverage, verdict.Modifications, verdict.Outcome,
    )  # fmt: skip
    names = ("`indication`", "`sub_indication`", "`coverage`", "`modifications`", "`outcome` of a check")
    words = (", ".join(code(one.value) for one in kind) for kind in kinds)
    return table(["field", "values"], list(zip(names, words, strict=True)))


def endpoints() -> str:
    """Every operation of the HTTP interface, with who may call it."""
    rows = []
    for path, operations in sorted(describe().openapi()["paths"].items()):
        for method, operation in operations.items():
            roles = ", ".join(code(role) for role in operation["x-roles"])
            rows.append([code(f"{method.upper()} {path}"), operation.get("summary", ""), roles or "anyone"])
    return table(["operation", "what it does", "roles"], rows)


def invariants() -> str:
    """Every invariant that a check asks for."""
    return table(["invariant", "what is always true"], [[code(one.value), one.sentence] for one in Invariant])


def metrics() -> str:
    """Every metric that /metrics tells, with its kind and labels, as one of each kind of measurement leaves it."""
    measured = PrometheusMeasurements("0")
    with measured.timed(UseStep.SEAL), measured.timestamping("embedded"):
        measured.use_ended("completed", "B-LT")
    measured.request_began()
    measured.request_ended("GET", "/healthz", 200, 0.0)
    measured.connection_pool("writer", 1)
    condition = Condition(
        ready={"schema": True}, certificate_seconds={"root": 0.0}, seals_expiring=0, filings_waiting=0, keys_activated=0
    )
    rows = []
    for family in text_string_to_metric_families(measured.text(lambda: condition).decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        if not name.endswith("_created"):
            rows.append([code(name), family.type, ", ".join(map(code, sorted(labels))), family.documentation])
    return table(["metric", "kind", "labels", "meaning"], rows)


def seal_sizes() -> str:
    """Largest seals, in millimetres, by type; by unit for the formal seals."""
    rows = [
        [code(one.value), name, f"{largest_mm(one, UnitType.DEPARTMENT):g}"] for one, name in SEAL_TYPE_NAMES.items()
    ]
    units = (UnitType.PROVINCIAL_GOVERNMENT, UnitType.CITY_GOVERNMENT, UnitType.TOWNSHIP_GOVERNMENT)
    formal = ", ".join(f"`{unit.value}` {largest_mm(SealType.LEGAL_NAME, unit):g} mm" for unit in units)
    return table(["type", "name", "largest, mm"], rows) + f"\n\nWhere no type of its own bounds it, of a {formal}."


def dependencies() -> str:
    """What the service stands on: when each is not ready, what its age tells, what mends it."""
    rows = [[code(kind.name), kind.not_ready, kind.age or "none", kind.mend] for kind in KINDS]
    return table(["dependency", "not ready when", "age", "what mends it"], rows)


def last_measurement(results: Path) -> dict[str, Any] | None:
    """The newest record of a whole measurement, with the parts that were measured anew since; None before the first."""
    records = json.loads(results.read_text(encoding="utf-8")) if results.exists() else []
    at = next((number for number in reversed(range(len(records))) if records[number]["whole"]), None)
    if at is None:
        return None
    whole = {**records[at], "anew": {}}
    for later in records[at + 1 :]:
        for part in later["parts"]:
            anew = [one for one in later["figures"] if one["part"] == part]
            place = next((n for n, one in enumerate(whole["figures"]) if one["part"] == part), len(whole["figures"]))
            kept = [one for one in whole["figures"] if one["part"] != part]
            whole["figures"] = [*kept[:place], *anew, *kept[place:]]
            whole["anew"][part] = later
    return whole


def measured_targets(results: Path = RESULTS) -> str:
    """What the last whole measurement says of each target."""
    last = last_measurement(results)
    if last is None:
        return "Nothing is recorded yet."
    rows = [
        [one["name"], f"{_number(one['value'])} {one['unit']}", one["target"], "" if one["met"] else "**missed**"]
        for one in last["figures"]
        if "target" in one
    ]
    return f"{_circumstances(last)}\n\n{table(['what', 'measured', 'target', ''], rows)}"


def measured_figures(results: Path = RESULTS) -> str:
    """Every figure of the last whole measurement."""
    last = last_measurement(results)
    if last is None:
        return "Nothing is recorded yet."
    rows = [[one["part"], one["name"], f"{_number(one['value'])} {one['unit']}"] for one in last["figures"]]
    return f"{_circumstances(last)}\n\n{table(['part', 'what', 'measured'], rows)}"


def _circumstances(record: dict[str, Any]) -> str:
    on = record["machine"]
    changed = ", with uncommitted changes" if record["dirty"] else ""
    commit = code((record["commit"] or "unknown")[:12])
    skipped = "".join(f" Not measured: {one}." for one in record["skipped"])
    anew = "".join(
        f" The part {code(part)} anew {one['date'][:10]} at commit {code((one['commit'] or 'unknown')[:12])}."
        for part, one in record["anew"].items()
    )
    return (
        f"Measured {record['date'][:10]} at commit {commit}{changed}, on {on['cores']} "
        f"cores of {on['cpu']}, {on['memory_gib']} GiB, {on['file_system']}, Python {on['python']}.{anew}{skipped}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{float(f'{value:.3g}'):g}"


BLOCKS: dict[str, Callable[[], str]] = {
    "appendix-a-fields": appendix_a_fields,
    "command-help": command_help,
    "dependencies": dependencies,
    "door-refusals": door_refusals,
    "endpoints": endpoints,
    "authority-roles": authority_roles,
    "errors": errors,
    "event-kinds": event_kinds,
    "incompatible-roles": incompatible_roles,
    "invariants": invariants,
    "measured-figures": measured_figures,
    "measured-targets": measured_targets,
    "metrics": metrics,
    "permissions": permissions,
    "personal-fields": personal_fields,
    "seal-sizes": seal_sizes,
    "settings": settings,
    "transitions": lifecycle_transitions,
    "verdict-words": verdict_words,
}


def generated(page: str) -> str:
    """The page with its blocks as the code has them now; KeyError for a block that is not known."""

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- generated: {name} -->\n{BLOCKS[name]()}\n<!-- end: {name} -->"

    return _BLOCK.sub(block, page)


def drifted() -> dict[Path, str]:
    """The pages that differ from the code, as they should be."""
    paths = [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]
    pages = {path: path.read_text(encoding="utf-8") for path in paths}
    named = {found["name"] for page in pages.values() for found in _BLOCK.finditer(page)}
    if missing := BLOCKS.keys() - named:
        raise LookupError(f"no page holds the generated blocks {', '.join(sorted(missing))}")
    wanted = {path: generated(page) for path, page in pages.items()}
    return {path: text for path, text in wanted.items() if text != pages[path]}


def main(arguments: list[str] | None = None) -> int:
    """Write or check; the process's exit code."""
    parser = argparse.ArgumentParser(prog="python docs/generate.py", description=first_line(sys.modules[__name__]))
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 naming what drifted")
    check = parser.parse_args(arguments).check
    pages = drifted()
    for path, text in pages.items():
        if check:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)} differs from the code: run python docs/generate.py\n")
        else:
            path.write_text(text, encoding="utf-8")
    return int(check and bool(pages))


if __name__ == "__main__":
    raise SystemExit(main())
