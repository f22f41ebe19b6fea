"""Fixtures of the page layer: a headless Chromium, and pages of outputs with any number of labels."""

import shutil
from dataclasses import dataclass, field

import pytest

from fruits_pipeline.report.write_report import write_report
from fruits_pipeline.settings.report import ReportSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.record import load_record
from page_outputs import page_output

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Opened:
    """A page in the browser, with what it did since it was opened."""

    page: object
    told: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, or a skip that says why; as root it runs without its sandbox."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        started = tool.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Writes the page of an output of so many labels, once; gives its file."""
    files = {}

    def write(labels):
        if labels not in files:
            folder = tmp_path_factory.mktemp("pages") / str(labels)
            store = page_output(folder, labels)
            write_report(store, load_record(store) or {}, ReportSettings(), StorageSettings())
            files[labels] = folder / "report.html"
        return files[labels]

    return write


@pytest.fixture
def opened(browser, written):
    """Opens the page of so many labels: every console line, error, dialog and request is noted, and none answered."""
    contexts = []

    def see(labels, width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        seen = Opened(context.new_page())
        address = written(labels).as_uri()
        seen.page.on("console", lambda line: seen.told.append(f"{line.type}: {line.text}"))
        seen.page.on("pageerror", lambda error: seen.told.append(str(error)))
        seen.page.on("dialog", lambda dialog: (seen.told.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.goto(address)
        seen.asked[:] = [url for url in seen.asked if url != address and not url.startswith("data:")]
        return seen

    yield see
    for context in contexts:
        context.close()
