"""seal log init, key, rotate-key, publish, resume: 日志公布, what makes the log one that anyone can check."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from seal_service.cli.options import AsJson, Yes, example, unless_confirmed
from seal_service.cli.output import print_fields, print_json, print_rows
from seal_service.cli.session import instance
from seal_service.domain.access import Caller, Role
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKey, ReadLogKeys
from seal_service.usecases.resume_log import ResumeLog
from seal_service.usecases.rotate_log_key import PrepareLogKey, RotateLogKey
from seal_service.usecases.sequence_log import SequenceLog

MACHINE = Caller(account_id=None, name="seal log", roles=frozenset({Role.SYSTEM_OPERATOR}))
"""Whoever can read the instance's files and its master key."""
_PAUSE_SECONDS = 0.2

KEY_EXAMPLE = example("seal log key > log.vkey", "seal log key --all --json")
ROTATE_EXAMPLE = example(
    "seal log rotate-key --prepare",
    "seal log rotate-key --yes",
    'seal log rotate-key --key-lost "$(cat log.vkey)" --yes',
)
INIT_EXAMPLE = example("seal log init", "seal log init --guard-lost --yes")
PUBLISH_EXAMPLE = example("seal log publish", "seal log publish --json")
RESUME_EXAMPLE = example("seal log resume witness.audit.example/w1 --yes")


def key(
    every: Annotated[
        bool, typer.Option("--all", help="Every key that the log had, the first one first, with what it signed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """日志公钥: name+id+key, by which everybody checks the log's checkpoints, receipts and proofs.

    With --all, each is told with the size of the tree above which it signs, up to that of the next key.
    """
    if every:
        with instance() as service:
            keys = service.transparency.read_keys(MACHINE, ReadLogKeys())
        if as_json:
            print_json({"keys": [asdict(one) for one in keys]})
        else:
            print_rows(map(asdict, keys), ("key_reference", "above", "verifier_key"))
        return
    with instance() as service:
        found = service.transparency.read_key(MACHINE, ReadLogKey())
    if as_json:
        print_fields({"verifier_key": found}, as_json=True)
    else:
        print(found)


def rotate_key(
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only make the next key and print it, for witnesses to be told of it.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also when it was rotated less than an hour ago.")] = False,
    key_lost: Annotated[
        str | None,
        typer.Option(
            "--key-lost", metavar="VKEY", help="The log's key, which this is, is gone for good, in every backup too."
        ),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """日志密钥轮换: end the log's key, and have another one sign its checkpoints and receipts; the tree goes on.

    Run on the machine. It may be broken off and repeated. Whoever trusts the key before finds the next one in the entry
    `log.close`, under the last checkpoint that it signed; witnesses are told the next key before this (--prepare).
    Whoever checks a log whose key is lost (--key-lost) has to be told the next one.
    """
    if prepare:
        with instance() as service:
            made = service.transparency.prepare_key(MACHINE, PrepareLogKey())
        print_fields({"next_key": made}, as_json=as_json)
        return
    unless_confirmed(yes, "end the log's key and have another one sign its checkpoints and receipts from now on")
    with instance() as service:
        command = RotateLogKey(pause=partial(time.sleep, _PAUSE_SECONDS), again=again, lost_key=key_lost)
        done = service.transparency.rotate_key(MACHINE, command)
    fields = {
        "verifier_key": done.verifier_key,
        "key_reference": done.key_reference,
        "previous_key": done.previous_key,
        "previous_size": done.last.size,
        "previous_root": done.last.root.hex(),
        "published": done.size,
    }
    print_fields(fields, as_json=as_json)
    if done.size <= done.last.size:
        print("The key is changed; nothing is published under it yet: `seal doctor` tells why.", file=sys.stderr)
        raise typer.Exit(1)


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
        if made.verifier_key is None:
            print_fields({"verifier_key": None, "key_made": False, "published": made.size}, as_json=as_json)
            print("The guard is made; the log's key is not here: `seal log rotate-key --key-lost`.", file=sys.stderr)
            raise typer.Exit(1)
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
