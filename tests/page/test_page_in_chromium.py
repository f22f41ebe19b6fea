"""report.html in a real browser: nothing leaves it, names stay text, tables sort and filter, phones and printers."""

import itertools
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from page_outputs import HOSTILE

LABELS = (2, 95, 500)
ROWS = "#labels tbody tr"


@pytest.fixture
def counting():
    """The address of a server of this machine, and the paths that it was asked for."""
    served = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", served
        server.shutdown()
        thread.join()


def values(page, column):
    """The figures of a column of the scores by label, in the order of the rows."""
    cells = page.locator(f"{ROWS} > *:nth-child({column})")
    return [float(value) for value in cells.evaluate_all("all => all.map(one => one.dataset.v)")]


def visible(page):
    return page.locator(f"{ROWS}:not([hidden])").count()


@pytest.mark.parametrize("labels", LABELS)
def test_nothing_is_asked_for_and_nothing_goes_wrong(opened, labels):
    seen = opened(labels)
    broken = seen.page.evaluate("[...document.images].filter(one => !one.naturalWidth).length")
    assert (seen.told, seen.asked, broken) == ([], [], 0)
    assert seen.page.locator("section > h2").all_inner_texts() == [
        "Can I trust it?",
        "What does it get wrong?",
        "What went in?",
        "How was it made?",
    ]


@pytest.mark.parametrize("labels", LABELS)
def test_the_page_is_as_wide_as_a_phone(opened, labels):
    page = opened(labels, width=390).page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    over = """[...document.querySelectorAll('.picture img')].filter(one => {
        const [own, box] = [one.getBoundingClientRect(), one.parentElement.getBoundingClientRect()];
        return own.bottom > box.bottom + 1 || own.right > box.right + 1;
    }).length"""
    assert page.evaluate(over) == 0


def test_what_somebody_puts_on_the_page_can_ask_for_nothing_and_run_nothing(opened, counting):
    seen = opened(2)
    address, served = counting
    put = f"""<img src="{address}/x.png" onerror="alert(1)"><link rel="stylesheet" href="{address}/x.css">
        <iframe src="{address}/x.html"></iframe>"""
    seen.page.evaluate("put => document.body.insertAdjacentHTML('beforeend', put)", put)
    seen.page.evaluate("address => fetch(address).catch(() => null)", f"{address}/x.json")
    seen.page.wait_for_timeout(300)
    assert served == []
    assert not any(line.startswith("dialog") for line in seen.told)
    assert len([line for line in seen.told if "Content Security Policy" in line]) >= 5


def test_a_name_that_is_markup_stays_text(opened):
    page = opened(95).page
    assert page.locator("#labels tbody th", has_text=HOSTILE[0]).count() == 1
    assert page.locator("svg text", has_text="$x_1^2$").count() >= 1
    assert page.evaluate("document.querySelectorAll('img[src=x], b[onclick], [onerror]').length") == 0


def test_a_heading_sorts_by_numbers_both_ways_and_says_so(opened):
    page = opened(95).page
    recall = page.locator("#labels th", has=page.get_by_role("button", name="recall"))
    assert recall.get_attribute("aria-sort") == "ascending"
    assert values(page, 3) == sorted(values(page, 3))
    recall.get_by_role("button").click()
    assert recall.get_attribute("aria-sort") == "descending"
    assert values(page, 3) == sorted(values(page, 3), reverse=True)
    f1 = page.locator("#labels th", has=page.get_by_role("button", name="F1"))
    f1.get_by_role("button").press("Enter")
    assert (f1.get_attribute("aria-sort"), recall.get_attribute("aria-sort")) == ("ascending", None)
    assert values(page, 8) == sorted(values(page, 8))


def test_names_are_sorted_with_their_numbers_as_numbers(opened):
    page = opened(500).page
    page.locator("#labels").get_by_role("button", name="label").click()
    names = [name for name in page.locator(f"{ROWS} > th").all_inner_texts() if re.fullmatch(r"Apple Red \d+", name)]
    assert names == [f"Apple Red {number}" for number in range(1, len(names) + 1)]
    assert len(names) > 4


def test_the_filter_leaves_rows_that_have_the_words_and_counts_them(opened):
    page = opened(95).page
    box = page.get_by_label("Filter labels").first
    box.fill("banana r")
    shown = page.locator(f"{ROWS}:not([hidden]) > th").all_inner_texts()
    assert shown
    assert all("banana r" in name.lower() for name in shown)
    assert page.locator(".filter output").first.inner_text() == f"{len(shown)} of 95 rows"
    box.fill("")
    assert visible(page) == 95
    assert page.locator(".filter output").first.inner_text() == ""


def test_dark_and_light_have_other_colours_of_enough_contrast(opened):
    found = {}
    for scheme in ("light", "dark"):
        page = opened(2, color_scheme=scheme).page
        found[scheme] = page.evaluate("""['backgroundColor', 'color'].map(what =>
            getComputedStyle(document.body)[what].match(/\\d+/g).slice(0, 3).map(Number))""")
        found[f"{scheme} svg"] = page.evaluate("""[...document.querySelectorAll('#making svg text')].map(one =>
            getComputedStyle(one).fill.match(/\\d+/g).slice(0, 3).map(Number))""")
    light, dark = ([sum(colour) for colour in found[scheme]] for scheme in ("light", "dark"))
    assert (light[0] > 700, light[1] < 200) == (True, True)
    assert (dark[0] < 200, dark[1] > 600) == (True, True)
    assert all(sum(colour) < 350 for colour in found["light svg"])
    assert all(sum(colour) > 400 for colour in found["dark svg"])


def test_a_printer_gets_all_rows_and_all_settings_without_what_is_for_the_screen(opened):
    page = opened(95).page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#settings").is_visible()
    assert not page.locator("nav").is_visible()
    assert page.evaluate("(one => one.scrollHeight - one.clientHeight)(document.querySelector('.tall'))") <= 1
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_without_scripts_all_is_there_and_no_box_that_does_nothing(opened):
    page = opened(95, java_script_enabled=False).page
    assert visible(page) == 95
    assert page.locator(".filter input").first.is_hidden()


def test_a_reader_that_speaks_finds_headings_in_order_and_words_for_each_picture(opened):
    page = opened(95).page
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.evaluate("[...document.images].filter(one => !one.alt).length") == 0
    assert page.locator("svg[role=img][aria-label]").count() == page.locator("svg").count() == 3
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))
