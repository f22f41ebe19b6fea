"""What is the same on every cloud: the bundle's files in their bucket, and an output that the job may write."""

import logging
import time
from collections.abc import Iterator

from fruits_pipeline.errors import DatasetError, InputError, SettingsError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.layout import LEASE
from fruits_pipeline.state.plan import load_plan
from fruits_pipeline.state.record import load_record
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.storage.lease_note import FREE, owner_of
from fruits_pipeline.storage.lease_taking import LeaseTiming
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.preflight.finding import Finding, fault, fault_of, ok

log = logging.getLogger(__name__)


def package(job: SubmittedJob, storage: StorageSettings) -> Iterator[Finding]:
    """Whether the bundle's files are where the job fetches them."""
    for address in (job.script, *(archive.rpartition("#")[0] for archive in job.archives)):
        folder, _, name = address.rpartition("/")
        if open_store(folder, storage).stat(name) is None:
            told = f"expected {address}, found none"
            yield fault("package", told, "upload it once more by fruits-pipeline bundle --upload")
            return
    yield ok("package", f"for {job.release.release}, at {job.script.rpartition('/')[0]}")


def output(job: SubmittedJob, command: RunCommand | ScoreCommand) -> Iterator[Finding]:
    """Whether the output is free or may be resumed: nothing of others, no job at work, the same settings."""
    store = open_store(job.output_uri, command.storage)
    refused = False
    for finding in _refusals(store, command):
        refused = True
        yield finding
    if content := _held(store):
        told = f"expected nobody at work on {store.root}, found another job: {owner_of(content)}"
        yield fault("output", told, "wait for it, stop it, or take another --output-uri")
    elif not refused:
        yield ok("output", f"{store.root} is free, or resumed")


def _refusals(store: Store, command: RunCommand | ScoreCommand) -> Iterator[Finding]:
    """What the job itself would end with 2, 3 or 5 for, before any work."""
    try:
        load_record(store)
    except DatasetError as error:
        yield fault_of("output", error)
    try:
        load_plan(store)
        if isinstance(command, RunCommand):
            from fruits_pipeline.refusals import check

            check(command, store, Rooms(store, overwrite=command.output.overwrite))
    except (DatasetError, InputError, SettingsError) as error:
        yield fault_of("output", error)


def _held(store: Store) -> bytes:
    """The lease of a job that is alive, which renews it; empty where there is none, or none alive."""
    before = _lease(store)
    if before == FREE:
        return FREE
    log.info("output=%s has the lock of %s; seeing whether it is renewed", store.root, owner_of(before))
    time.sleep(LeaseTiming().heartbeat_s + LeaseTiming().request_s)
    after = _lease(store)
    return FREE if after == before else after


def _lease(store: Store) -> bytes:
    return store.read(LEASE) if store.stat(LEASE) is not None else FREE
