"""What /metrics answers, as numbers."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

Labels = dict[str, str]


class Scrape:
    """One answer, read with Prometheus' own parser."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        self.text = answer.text
        families = list(text_string_to_metric_families(answer.text))
        self.families = {one.name: one for one in families}
        assert len(self.families) == len(families), "a family is told twice"
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value for one in families for sample in one.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """A sample's value; 0 when there is none."""
        return self._values.get((name, frozenset(labels.items())), 0.0)

    def total(self, name: str, **labels: str) -> float:
        """The sum of all samples that have these labels among theirs."""
        wanted = set(labels.items())
        return sum(value for (sample, has), value in self._values.items() if sample == name and wanted <= has)
