"""seal init, doctor, reconcile: what an operator does on the machine."""

from __future__ import annotations

import typer

from seal_service.cli.options import AsJson, example
from seal_service.cli.output import print_fields, print_json, print_rows, working
from seal_service.cli.session import session
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import InstanceNotReady
from seal_service.domain.readiness import Dependency
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.reconcile import Reconcile

INIT_EXAMPLE = example("SEAL_HOME=/srv/seal seal init")
DOCTOR_EXAMPLE = example("seal doctor")
RECONCILE_EXAMPLE = example("seal reconcile")


def init(as_json: AsJson = False) -> None:
    """初始化: make an instance in SEAL_HOME, with keys, database, authority and first operator."""
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    with working("初始化 making keys and certificates …"):
        made = bootstrap.initialise(settings)
    fields = {
        "home": str(settings.home.resolve()),
        "keys": str(settings.key_directory.resolve()),
        "client_id": made.account_id,
        "client_secret": made.secret,
    }
    print_fields(fields, as_json=as_json)
    if not as_json:
        print("\nThe first operator's secret is shown this once and kept nowhere. Back up the key directory.")
        print("Next: `seal login`, then `seal accounts create` for the making office; `seal serve` to serve.")


def doctor(as_json: AsJson = False) -> None:
    """就绪检查: everything the service stands on; 1 when something is not ready."""
    found = _dependencies()
    rows = [{"name": one.name, "ready": one.ready, "detail": one.detail} for one in found]
    ready = all(one.ready for one in found)
    if as_json:
        print_json({"ready": ready, "dependencies": rows})
    else:
        print_rows(rows, ("name", "ready", "detail"))
    if not ready:
        raise typer.Exit(1)


def _dependencies() -> tuple[Dependency, ...]:
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    if not bootstrap.is_initialised(settings):
        told = f"nothing in {settings.home.resolve()}: run `seal init`"
        return (Dependency(name="instance", ready=False, detail=told),)
    try:
        service = bootstrap.build(settings)
    except InstanceNotReady as error:
        return (Dependency(name="instance", ready=False, detail=error.message),)
    try:
        return service.check_readiness(PUBLIC_CALLER, CheckReadiness())
    finally:
        service.close()


def reconcile(as_json: AsJson = False) -> None:
    """对账: close uses that were left open and remove documents whose time has passed. `seal serve` does it itself."""
    with session() as at, working("对账 reconciling …"):
        done = at.service.reconcile(at.caller, Reconcile())
    print_fields({"abandoned": done.abandoned, "documents_removed": done.documents_removed}, as_json=as_json)
