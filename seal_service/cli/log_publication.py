"""seal log init, key, publish, resume: 日志公布, what makes the log one that anyone can check."""

from __future__ import annotations

from typing import Annotated

import typer

from seal_service.cli.options import AsJson, Yes, example, unless_confirmed
from seal_service.cli.output import print_fields
from seal_service.cli.session import instance
from seal_service.domain.access import Caller, Role
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKey
from seal_service.usecases.resume_log import ResumeLog
from seal_service.usecases.sequence_log import SequenceLog

MACHINE = Caller(account_id=None, name="seal log", roles=frozenset({Role.SYSTEM_OPERATOR}))
"""Whoever can read the instance's files and its master key."""

KEY_EXAMPLE = example("seal log key > log.vkey", "seal log key --json")
INIT_EXAMPLE = example("seal log init", "seal log init --guard-lost --yes")
PUBLISH_EXAMPLE = example("seal log publish", "seal log publish --json")
RESUME_EXAMPLE = example("seal log resume witness.audit.example/w1 --yes")


def key(as_json: AsJson = False) -> None:
    """日志公钥: name+id+key, by which everybody checks the log's checkpoints, receipts and proofs."""
    with instance() as service:
        found = service.transparency.read_key(MACHINE, ReadLogKey())
    if as_json:
        print_fields({"verifier_key": found}, as_json=True)
    else:
        print(found)


def init(
    guard_lost: Annotated[
        bool, typer.Option("--guard-lost", help="The guard of a published log is gone for good: begin a new one.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """日志启用: make the log's key if there is none and its guard (SEAL_LOG_GUARD), and publish for the first time.

    Run on the machine. With --guard-lost, compare the published checkpoint with what witnesses and auditors have first.
    """
    if guard_lost:
        unless_confirmed(yes, "begin a new guard with the last checkpoint that is here, whatever the lost one held")
    with instance() as service:
        made = service.transparency.initialise(MACHINE, InitialiseLog(guard_lost=guard_lost))
        while service.transparency.sequence(MACHINE, SequenceLog()).placed:
            pass
        done = service.transparency.publish(MACHINE, PublishCheckpoint())
    fields = {"verifier_key": made.verifier_key, "key_made": made.key_made, "published": done.size}
    print_fields(fields, as_json=as_json)


def publish(as_json: AsJson = False) -> None:
    """日志公布 now: give the entries that wait their places, and publish a checkpoint. `seal serve` does it itself."""
    with instance() as service:
        while service.transparency.sequence(MACHINE, SequenceLog()).placed:
            pass
        done = service.transparency.publish(MACHINE, PublishCheckpoint())
    fields = {"published": done.size, "waiting": done.waiting, "cosigned": done.cosigned, "begun": done.begun}
    print_fields(fields, as_json=as_json)
    if done.waiting:
        raise typer.Exit(1)


def resume(
    witness: Annotated[str, typer.Argument(metavar="WITNESS", help="Its name, as in SEAL_LOG_WITNESSES.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """日志恢复公布: ask a witness again that knew another tree, which halted the log; only its cosignature lifts that.

    Run on the machine, when it is cleared up with whoever runs the witness. The log has an entry of it. 1 while it is
    halted for another reason.
    """
    unless_confirmed(yes, f"ask {witness} again, and seal and publish again if it cosigns")
    with instance() as service:
        done = service.transparency.resume(MACHINE, ResumeLog(witness=witness))
    fields = {"witness": done.witness, "cosigned": done.size, "halted": done.halted}
    print_fields(fields, as_json=as_json)
    if done.halted is not None:
        raise typer.Exit(1)
