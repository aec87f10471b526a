"""seal init, reconcile: what an operator does on the machine."""

from __future__ import annotations

from seal_service.cli.options import AsJson, example
from seal_service.cli.output import print_fields, print_json, working
from seal_service.cli.session import session
from seal_service.usecases.reconcile import Reconcile

INIT_EXAMPLE = example("SEAL_HOME=/srv/seal seal init")
RECONCILE_EXAMPLE = example("seal reconcile")


def init(as_json: AsJson = False) -> None:
    """初始化: make an instance in SEAL_HOME, with keys, database, authority and the people whom it begins with.

    On an instance that is there already, it makes the security administrators that are missing of two.
    """
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    with working("初始化 making keys and certificates …"):
        made = bootstrap.initialise(settings)
    fields = {
        "home": str(settings.home.resolve()),
        "keys": str(settings.key_directory.resolve()),
        **({"token": settings.pkcs11_token} if settings.key_store == "pkcs11" else {}),
    }
    people = [one for one in (made.operator, *made.security_administrators) if one is not None]
    rows = [
        {"role": one.role.value, "name": one.name, "client_id": one.account_id, "client_secret": one.secret}
        for one in people
    ]
    if as_json:
        print_json({**fields, "accounts": rows})
        return
    print_fields(fields, as_json=False)
    for row in rows:
        print()
        print_fields(row, as_json=False)
    print(
        "\nThese secrets are shown this once and kept nowhere: hand each to another person. Back up the key directory."
    )
    print("Next: one security administrator says `seal login` and `seal accounts create` for the making office, the")
    print("other `seal control confirm`; `seal serve` to serve.")


def reconcile(as_json: AsJson = False) -> None:
    """对账: close uses that were left open and remove documents whose time has passed. `seal serve` does it itself."""
    with session() as at, working("对账 reconciling …"):
        done = at.service.reconcile(at.caller, Reconcile())
    print_fields({"abandoned": done.abandoned, "documents_removed": done.documents_removed}, as_json=as_json)
