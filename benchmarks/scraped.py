"""Where the time of uses went, from what the service tells of itself in Prometheus' text format."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

PART_OF_RESERVE = "authorize"
_STEPS = "seal_use_step_seconds"
_REQUESTS = "seal_http_request_seconds"


@dataclass(frozen=True, slots=True)
class Scraped:
    """Sums since the service started."""

    steps: dict[str, float]
    """Seconds by step of a use."""
    uses: float
    """Uses that ended completed."""
    requests: float
    """Seconds of the HTTP requests that applied a seal."""

    def since(self, earlier: Scraped) -> Scraped:
        """The sums between two scrapes."""
        steps = {step: seconds - earlier.steps.get(step, 0.0) for step, seconds in self.steps.items()}
        return Scraped(steps, self.uses - earlier.uses, self.requests - earlier.requests)

    def milliseconds(self) -> dict[str, float]:
        """Of one use, by step; `reserve` includes `authorize`."""
        return {step: seconds / self.uses * 1000 for step, seconds in self.steps.items()}

    @property
    def in_steps(self) -> float:
        """Seconds of all steps, none counted twice."""
        return sum(seconds for step, seconds in self.steps.items() if step != PART_OF_RESERVE)


def scraped(text: str) -> Scraped:
    """What a text tells."""
    steps: dict[str, float] = {}
    uses = requests = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{_STEPS}_sum":
                steps[sample.labels["step"]] = sample.value
            elif sample.name == "seal_uses_total" and sample.labels["result"] == "completed":
                uses += sample.value
            elif sample.name == f"{_REQUESTS}_sum" and _applies(sample.labels):
                requests += sample.value
    return Scraped(steps, uses, requests)


def _applies(labels: dict[str, str]) -> bool:
    return labels["method"] == "POST" and labels["route"].endswith("/uses")
