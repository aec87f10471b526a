"""seal doctor: everything that the service stands on, and what mends what is not well."""

from __future__ import annotations

import sys

import typer

from seal_service.cli.options import AsJson, example
from seal_service.cli.output import cell, print_fields, print_json, print_rows
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import IntegrityFailed, Unavailable
from seal_service.domain.readiness import Dependency
from seal_service.formats import representation
from seal_service.usecases.check_readiness import CheckReadiness

EXAMPLE = example("seal doctor", "seal doctor --json | jq '.dependencies[] | select(.ready | not)'")
_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def doctor(as_json: AsJson = False) -> None:
    """就绪检查: everything the service stands on, with what mends it; 1 when something is not ready."""
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    found, facts = _dependencies(), bootstrap.facts_of(settings)
    ready = all(one.ready for one in found)
    if as_json:
        rows = [representation.dependency(one) for one in found]
        print_json({"ready": ready, "dependencies": rows, "facts": facts})
    else:
        print_rows([_row(one) for one in found], ("name", "state", "age", "detail"))
        for one in found:
            if one.mend is not None:
                print(f"{one.name}: {one.mend}")
        print()
        print_fields({name: _words(value) for name, value in facts.items()}, as_json=False)
        print("ready" if ready else "NOT READY", file=sys.stderr)
    if not ready:
        raise typer.Exit(1)


def _dependencies() -> tuple[Dependency, ...]:
    """Everything that is told of a service; what keeps it from being built is all there is to tell otherwise."""
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    try:
        if not bootstrap.is_initialised(settings):
            return (_missing(f"nothing in {settings.home.resolve()}: run `seal init`"),)
        service = bootstrap.build(settings)
    except (Unavailable, IntegrityFailed) as error:
        return (_missing(error.message),)
    try:
        return service.check_readiness(PUBLIC_CALLER, CheckReadiness())
    finally:
        service.close()


def _missing(detail: str) -> Dependency:
    return Dependency(name="instance", ready=False, detail=detail)


def _row(one: Dependency) -> dict[str, object]:
    state = "NOT READY" if not one.ready else "warning" if one.warning else "ready"
    return {"name": one.name, "state": state, "age": _age(one.age_seconds), "detail": one.detail}


def _age(seconds: int | None) -> str | None:
    """An age in its largest whole unit."""
    if seconds is None:
        return None
    return next((f"{seconds // size} {unit}" for unit, size in _UNITS if seconds >= size), f"{seconds} s")


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{number} {name}" for name, number in value.items())
    return cell(value)
