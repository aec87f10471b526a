"""seal keys rotate master|tokens, seal keys new master: the keys that protect other keys."""

from __future__ import annotations

from dataclasses import asdict

from seal_service.cli.options import AsJson, Yes, example, unless_confirmed
from seal_service.cli.output import print_fields, print_json, working
from seal_service.cli.session import session
from seal_service.ports.crypto import MasterKeyPlan, MasterKeyRotated
from seal_service.usecases.rotate_master_key import PlanMasterKeyRotation, RotateMasterKey
from seal_service.usecases.rotate_token_key import RotateTokenKey

ROTATE_MASTER_EXAMPLE = example("seal keys rotate master", "seal keys rotate master --yes")
ROTATE_TOKENS_EXAMPLE = example("seal keys rotate tokens --yes")
NEW_MASTER_EXAMPLE = example("seal keys new master")


def rotate_master(yes: Yes = False, as_json: AsJson = False) -> None:
    """主密钥轮换: a new master key wraps every key; kept documents get a new data key. Sealing goes on meanwhile.

    It may be interrupted at any moment: give it again and it finishes. If SEAL_MASTER_KEY gives the key, set it to
    `new,old` and restart every process first.
    """
    with session() as at:
        plan = at.service.plan_master_key_rotation(at.caller, PlanMasterKeyRotation())
        if not yes:
            print_fields(_fields(plan), as_json=as_json)
        unless_confirmed(yes, _effect(plan))
        with working("主密钥轮换 wrapping keys, encrypting kept documents …"):
            done = at.service.rotate_master_key(at.caller, RotateMasterKey())
    print_fields(_fields(done), as_json=as_json)
    if not as_json:
        print(f"\n{_next(done)}")


def rotate_tokens(yes: Yes = False, as_json: AsJson = False) -> None:
    """令牌密钥轮换: a new key signs access tokens. Those that are out stay good; after a second time none does."""
    with session() as at:
        unless_confirmed(yes, "sign access tokens by a new key, and accept none by the key before the present one")
        at.service.rotate_token_key(at.caller, RotateTokenKey())
    if as_json:
        print_json({"rotated": "token_key"})


def new_master() -> None:
    """Print a fresh random master key for SEAL_MASTER_KEY, and change nothing.

    The only command that prints a key: let no log keep it. For an instance with the file `master.key` it is not needed:
    `seal keys rotate master` makes a key itself.
    """
    from seal_service import bootstrap

    print(bootstrap.fresh_master_key())


def _fields(told: MasterKeyPlan | MasterKeyRotated) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(told).items()}


def _effect(plan: MasterKeyPlan) -> str:
    if plan.from_environment and not plan.others:
        return (
            "refuse, as SEAL_MASTER_KEY names one key: make another with `seal keys new master`, set SEAL_MASTER_KEY "
            "to `new,old` and restart every process first"
        )
    wrap = f"wrap {plan.key_files} private keys and the keyring under"
    kept = f"encrypt {plan.kept_files} kept files under a new data key"
    if plan.others:
        retired = ", ".join(plan.others)
        return f"finish a rotation: {wrap} {plan.active}, {kept}, and retire {retired}"
    return f"make a new master key, {wrap} it, {kept}, and retire {plan.active}"


def _next(done: MasterKeyRotated) -> str:
    if done.from_environment:
        return (
            f"Everything opens with {done.active} alone. Now leave only that key in SEAL_MASTER_KEY, restart every "
            "process, and back up the key directory."
        )
    return (
        f"Everything opens with {done.active} alone. Back up the key directory and, apart from it, `master.key`: what "
        "was backed up before opens with the old master key only."
    )
