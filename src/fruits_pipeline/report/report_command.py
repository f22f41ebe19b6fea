"""The command ``report``: the page of a finished output, written again; no Spark."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from fruits_pipeline.report.browser import open_page
from fruits_pipeline.report.facts import Classified, Reported
from fruits_pipeline.report.load import Results, load_results
from fruits_pipeline.report.verdict import refuse
from fruits_pipeline.report.write_report import write_report
from fruits_pipeline.settings.commands import ReportCommand
from fruits_pipeline.settings.report import FailOn
from fruits_pipeline.state.layout import REPORT, RUN_RECORD
from fruits_pipeline.state.lease import leased
from fruits_pipeline.state.plan import load_plan
from fruits_pipeline.state.record import load_record
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store


@dataclass(frozen=True)
class Written:
    """The page that was written.

    Attributes:
        address: Where it lies.
        reported: What it came to.
    """

    address: str
    reported: Reported

    @property
    def text(self) -> str:
        """Address, size and verdicts, one fact a line."""
        return "\n".join(f"{name:<12}{value}" for name, value in self._facts())

    def refuse(self, fail_on: tuple[FailOn, ...]) -> None:
        """Raises where a verdict of ``--fail-on`` is not ok.

        Raises:
            InputError: Then.
        """
        refuse(self.reported.verdicts, fail_on)

    def _facts(self) -> Iterator[tuple[str, str]]:
        found = self.reported
        missing = f", {found.missing} could not be read again" if found.missing else ""
        yield "report", uri.as_spelled(self.address)
        yield "size", f"{found.bytes / 1e6:.2f} MB, {found.pictures} pictures{missing}"
        for verdict in found.verdicts:
            yield verdict.state, f"{verdict.name}: {verdict.sentence}"


def report_output(command: ReportCommand) -> Written:
    """Writes the page of the output of ``command``, and its verdicts into ``run.json``; opens it where that is asked.

    Raises:
        DatasetError: When the output, or the one that it is compared with, is not finished, or another job writes it.
    """
    store = open_store(command.output.output_uri, command.storage)
    load_plan(store)  # so that an output of another version is told as such before all else
    Rooms(store, overwrite=False).finished("classify", Classified)  # so that of a misspelt address nothing is made
    other = _other(command)
    with leased(store):
        record = load_record(store) or {}
        reported = write_report(store, record, command.report, command.storage, other)
        verdicts: list[JsonValue] = [verdict.model_dump(mode="json") for verdict in reported.verdicts]
        if record:
            content = json.dumps(record | {"verdicts": verdicts}, indent=1, ensure_ascii=False)
            store.write(RUN_RECORD, content.encode())
    address = uri.join(store.root, REPORT)
    if command.report.open:
        open_page(address)
    return Written(address, reported)


def _other(command: ReportCommand) -> Results | None:
    if command.page.compare is None:
        return None
    store = open_store(command.page.compare, command.storage)
    return load_results(store, load_record(store) or {}, command.storage)
