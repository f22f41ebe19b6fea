"""The command ``verify``: an output re-checked against its plan and its markers; nothing is written, no Spark."""

import logging
from dataclasses import dataclass

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.settings.commands import VerifyCommand
from fruits_pipeline.state.counts import added
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.verify.check_files import check_files, listed_lengths, whole_files
from fruits_pipeline.verify.check_manifests import check_manifests
from fruits_pipeline.verify.check_rooms import check_packs, check_rows, check_samples, check_sources
from fruits_pipeline.verify.check_waves import check_counts, check_images, check_plan
from fruits_pipeline.verify.contents import Contents
from fruits_pipeline.verify.findings import Findings
from fruits_pipeline.verify.output_state import OutputState, load_state

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What the checks of one output came to.

    Attributes:
        state: Plan and markers of the output.
        findings: All that is not as it should be.
        bytes_read: Bytes of the files that were read.
    """

    state: OutputState
    findings: Findings
    bytes_read: int

    @property
    def text(self) -> str:
        """One line for each finding that is named, and a summary line."""
        return "\n".join([*self.findings.lines, self._summary])

    def refuse_faults(self) -> None:
        """Raises where the output is not whole.

        Raises:
            DatasetError: Then, with the number of faults and what to do.
        """
        if faults := self.findings.faults:
            raise DatasetError(
                f"expected a whole output under {self.state.store.root}, found {faults} "
                f"fault{'s' * (faults > 1)}, named above; {self.findings.advice}"
            )

    @property
    def _summary(self) -> str:
        state = self.state
        finished = state.finished_packs if state.is_only_a_pack else state.finished
        counts = added(
            state.waves[wave.wave].counts if wave.wave in state.finished else wave.counts for wave in state.planned
        )
        parts = [
            f"{len(finished)} of {len(state.planned)} batches done",
            f"{counts.images} images",
            "found {found} = read {read} + rejected {rejected} + skipped {skipped} + pending {pending}".format_map(
                counts.model_dump()
            ),
            f"{len(state.files)} files checked",
            f"{self.bytes_read} bytes read",
        ]
        return f"{'not whole' if self.findings.faults else 'whole'}: {', '.join(parts)}"


def verify_output(command: VerifyCommand) -> Verdict:
    """Checks the output of ``command``, with ``--deep`` every byte of it.

    The driver holds one marker for each wave, one file and the paths of one wave at a time.

    Raises:
        DatasetError: When there is no output, another version made it, or a marker is damaged.
        StorageError: When the output cannot be read.
    """
    store = open_store(command.output.output_uri, command.storage)
    state = load_state(store)
    contents = Contents(store, deep=command.verify.deep)
    findings = Findings()
    lengths = listed_lengths(store)
    whole = whole_files(state, lengths)
    findings.add(check_plan(state))
    findings.add(check_counts(state))
    findings.add(check_files(state, lengths))
    log.info("listed files=%d named=%d", len(lengths), len(state.files))
    findings.add(check_manifests(contents, [wave for wave in state.planned if wave.manifest in whole]))
    log.info("checked manifests=%d", len(state.planned))
    findings.add(check_packs(state))
    findings.add(check_sources(state, command.storage))
    if command.verify.deep:
        findings.add(check_images(contents, state, whole))
        log.info("checked images of batches=%d", len(state.finished))
        findings.add(check_rows(contents, state, whole))
    else:
        findings.add(check_samples(contents, whole))
    return Verdict(state, findings, contents.bytes_read)
