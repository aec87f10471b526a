"""What the verifiers said, as lines to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.interop.judging import UNTOUCHED, Judgement

LOOK_AT_SOME = frozenset({"sigstore"})


def lines(judgements: Sequence[Judgement], size: int) -> Iterator[str]:
    """The table; how long the whole log took each; and each verifier's words."""
    logs = list(dict.fromkeys(one.log for one in judgements))
    verifiers = list(dict.fromkeys(one.verifier for one in judgements))
    cells = {(one.log, one.verifier): one for one in judgements}
    first = max(map(len, logs))
    yield "  ".join([" " * first, *(f"{name:<12}" for name in verifiers)])
    for log in logs:
        yield "  ".join([log.ljust(first), *(f"{_cell(cells[log, name]):<12}" for name in verifiers)])
    yield ""
    for name in verifiers:
        seconds = cells[UNTOUCHED, name].verdict.seconds
        rate = f" ({size / seconds:,.0f} entries/s)" if name not in LOOK_AT_SOME else ", of which it looks at some"
        yield f"{name}: {size:,} entries in {seconds:.2f} s{rate}"
    for log in logs:
        yield ""
        yield f"{log}:"
        for name in verifiers:
            yield f"  {name}: {_said(cells[log, name])}"


def _cell(one: Judgement) -> str:
    if not one.expected:
        return "GREEN !" if one.verdict.well else "RED !"
    if one.unseen is not None:
        return "cannot see"
    return "green" if one.verdict.well else "red"


def _said(one: Judgement) -> str:
    said = one.verdict.said if one.unseen is None else f"cannot see it: {one.unseen}. {one.verdict.said}"
    return said if one.expected else f"NOT AS EXPECTED: {said}"
