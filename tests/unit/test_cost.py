"""What a submission costs: the arithmetic, what a file of prices lacks, the limit, and what run.json has after it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from test_submission import COMMAND

from clouds.aws import job
from fruits_pipeline import cli
from fruits_pipeline.clusters import prices as prices_module
from fruits_pipeline.clusters.prices import Price, Prices, Source, Speed, load_prices
from fruits_pipeline.errors import JobError, SettingsError, SubmissionError
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.state.spent import AtMost, Spent
from fruits_pipeline.storage import request_counts
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.submit.cost import images as images_module
from fruits_pipeline.submit.cost.budget import budget_of
from fruits_pipeline.submit.cost.estimate import Asked, estimated
from fruits_pipeline.submit.cost.images import Images, known_images
from fruits_pipeline.submit.cost.rented import Item, Rented, rented
from fruits_pipeline.submit.cost.spent import cost_of, note_cost
from fruits_pipeline.submit.emr import Emr
from fruits_pipeline.submit.emr_serverless import EmrServerless
from fruits_pipeline.submit.follow import Clock, Deadline, follow
from fruits_pipeline.submit.platform import Phase, Started, State
from fruits_pipeline.submit.submission import _deadline, estimate_and_submit

ROOT = Path(__file__).resolve().parents[2]
CLUSTERS = (ROOT / "docs" / "CLUSTERS.md").read_text()
SUBNETS = EmrSettings(subnet=("subnet-1",))


def price(what, name, usd, **more):
    return Price(what=what, region="r", name=name, per="x", usd=usd, source="s", **more)


SMALL = Prices(
    sources={"s": Source(date="2026-11-01", page="https://example.com")},
    currencies={"USD": {"per_usd": 1, "source": "s"}, "EUR": {"per_usd": 0.5, "source": "s"}},
    speed=Speed(images_per_vcpu_second={"f32": 100}, features_share=0.5, start_minutes={"EMR": 6}, source="s"),
    prices=(
        price("machine", "m6i", 0.05),
        price("spot share", "EC2", 0.5),
        price("EMR", "m6i", 0.1, at_most=0.27),
        price("disk", "gp3", 0.073),
        price("request", "s3 write", 0.005),
        price("request", "s3 read", 0.0004),
    ),
)
NODES = Rented(
    (
        Item("nodes", "machine", "m6i", 1, 4, "1 x m6i.xlarge"),
        Item("nodes", "machine", "m6i", 2, 8, "2 x m6i.2xlarge (Spot)", "EC2"),
        Item("service", "EMR", "m6i", 2, 8, "EMR's fee"),
        Item("disks", "disk", "gp3", 3, 100, "3 x 100 GB gp3"),
    ),
    vcpus=16,
)
ASKED = Asked("EMR", "r", "s3", "f32", "auto", 2_880_000)


def test_an_estimate_is_what_a_hand_computes():
    found = estimated(SMALL, ASKED, NODES)
    # 2,880,000 images at 100 a second on each of 16 vCPUs are half an hour, half of the job; six minutes to start.
    assert found.hours == pytest.approx(0.1 + 1.0)
    # 4 vCPUs x 0.05, and 2 x 8 at half of it; the fee of 8 vCPUs is cut at 0.27; 300 GB x 0.073 in 730 hours.
    assert found.hourly == pytest.approx({"nodes": 0.2 + 0.4, "service": 2 * 0.27, "disks": 0.03})
    # 2,880 LIST, 2,880 files and 500 more; a GET each.
    assert (found.writes, found.reads) == (6_260, 2_880_000)
    assert found.parts == pytest.approx({"nodes": 0.66, "service": 0.594, "disks": 0.033, "requests": 0.0313 + 1.152})
    assert found.usd == pytest.approx(2.4703)


def test_spark_s_own_source_asks_thrice():
    assert estimated(SMALL, replace(ASKED, reader="binaryfile"), NODES).reads == 3 * 2_880_000


def test_a_file_without_a_price_says_so_and_estimates_nothing():
    lacking = SMALL.model_copy(update={"prices": SMALL.prices[2:4]})
    found = estimated(lacking, replace(ASKED, precision="int8"), NODES)
    assert found.missing == (
        "machine m6i in r",
        "spot share EC2 in r",
        "request s3 write in r",
        "request s3 read in r",
        "speed of int8",
    )
    assert (found.usd, found.parts) == (None, None)


class Watched(Emr):
    """EMR that starts nothing, and counts how often it should have."""

    starts = 0

    def checks(self, _command):
        return ()

    def start(self):
        self.starts += 1
        return Started("j-1/s-1")

    def state(self, _started):
        return State(Phase.SUCCEEDED)


def submitted(into=None, **settings):
    """The job, sent to EMR; the platform that it was sent to."""
    asked = job() if into is None else replace(job(), output_uri=str(into))
    platform = Watched(asked, SUBNETS)
    try:
        estimate_and_submit(platform, asked, SubmitSettings(**settings), COMMAND)
    except SubmissionError as error:
        return platform, str(error)
    return platform, None


def test_a_job_that_costs_too_much_is_not_started(capsys):
    platform, told = submitted(images=1_000_000, max_cost=0.5)
    assert platform.starts == 0
    assert re.search(
        r"--max-cost: expected at most 0\.50 USD, found an estimate of \d\.\d\d; .*nothing was started", told
    )
    assert "estimate: 1." in capsys.readouterr().err
    assert submitted(images=1_000_000, max_cost=2.0)[0].starts == 1


def test_a_limit_without_a_price_or_without_a_count_is_refused(monkeypatch):
    platform, told = submitted(images=None, dry_run=True, max_cost=9)
    assert "--max-cost: expected the number of images, found none: a dry run counts nothing; give --images" in told
    monkeypatch.setattr(
        "fruits_pipeline.submit.cost.budget.load_prices", lambda: SMALL.model_copy(update={"prices": ()})
    )
    platform, told = submitted(images=5, max_cost=9)
    assert "--max-cost: expected a price of all that the job takes, found none of machine m6i in eu-west-1, " in told
    assert told.endswith("in config/prices.json; add it there, or leave --max-cost out")
    assert platform.starts == 0


def test_without_a_limit_a_job_without_a_price_is_started(capsys, monkeypatch):
    empty = SMALL.model_copy(update={"prices": ()})
    monkeypatch.setattr("fruits_pipeline.submit.cost.budget.load_prices", lambda: empty)
    assert submitted(images=5)[0].starts == 1
    assert "no estimate: config/prices.json has no price of machine m6i in eu-west-1, " in capsys.readouterr().err


def budget(**settings):
    return budget_of(Watched(job(), SUBNETS), job(), SubmitSettings(**settings), StorageSettings())


def test_a_job_that_runs_on_is_cancelled_when_its_nodes_have_cost_as_much(tmp_path):
    found = budget(images=1000, max_cost=4, currency="EUR")
    hourly = found.in_currency(found.estimate.usd_an_hour)
    deadline = _deadline(SubmitSettings(max_cost=4, currency="EUR"), found)
    assert deadline.seconds == pytest.approx(4 / hourly * 3600)
    now, cancelled = [0.0], []

    class Endless(Watched):
        def state(self, _started):
            return State(Phase.CANCELLED if cancelled else Phase.RUNNING)

        def cancel(self, started):
            cancelled.append((started, now[0]))

    clock = Clock(lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    told = "expected to cost at most 4 EUR .--max-cost., which the nodes that it asks for cost in .* it was cancelled"
    with pytest.raises(JobError, match=told) as failed:
        follow(Endless(job(), SUBNETS), Started("j-1/s-1"), open_store(str(tmp_path)), None, deadline, clock)
    assert failed.value.exit_code == 7
    assert cancelled == [("j-1/s-1", pytest.approx(deadline.seconds))]


@pytest.mark.parametrize(("settings", "found"), [({}, None), ({"images": 1, "max_cost": 1e6}, None)])
def test_the_earlier_deadline_holds(settings, found):
    asked = SubmitSettings(dry_run=True, **settings)
    assert _deadline(asked, budget(dry_run=True, **settings)) == Deadline(86_400, found)
    assert _deadline(asked, None) == Deadline(86_400)


def test_a_cluster_of_one_s_own_costs_its_requests_alone():
    there = Emr(job(), EmrSettings(cluster_id="j-ABC"))
    what = rented(there, job())
    found = estimated(load_prices(), Asked("EMR", "eu-west-1", "s3", "f32", "auto", 1_000), what)
    assert (what.items, found.hourly, found.hours) == ((), {}, 0.0)
    assert found.usd == pytest.approx(found.request_usd)


def record(**cost):
    used = {"requests": {"list": 1000, "put": 1000, "get": 10_000, "head": 0, "delete": 7}, "connector_requests": None}
    return {"fruits_pipeline": "0", "exit_code": 0, "started": "2026-02-01", "cost": used | cost}


def test_the_cost_after_the_end_stands_in_run_json(tmp_path):
    there, found = open_store(str(tmp_path)), budget(images=1000)
    there.write("run.json", json.dumps(record()).encode())
    told = note_cost(found, there, record(), 2.0)
    usd = 2 * found.estimate.usd_an_hour + 2 * 0.005 + 10 * 0.0004
    assert told["cost"]["at_most"] == {"amount": round(usd, 4), "currency": "USD", "hours": 2.0}
    assert json.loads(there.read("run.json")) == told


def test_the_cost_is_not_written_to_another_run_s_record(tmp_path):
    there, other = open_store(str(tmp_path)), json.dumps(record() | {"started": "2026-02-02"})
    there.write("run.json", other.encode())
    assert note_cost(budget(images=1000), there, record(), 2.0)["cost"]["at_most"]
    assert there.read("run.json").decode() == other


def test_requests_of_an_unknown_kind_count_as_the_dear_one():
    found = budget(images=1000)
    dearer = cost_of(found, record(connector_requests={"total": 1_000_000}), 0.0)
    assert dearer.amount == pytest.approx(cost_of(found, record(), 0.0).amount + 5.0)
    assert cost_of(found, {"cost": None}, 1.0) is None


def test_waiting_for_a_job_notes_its_cost(tmp_path):
    there = tmp_path / "run.json"

    class Ending(Watched):
        def start(self):
            there.write_text(json.dumps(record()))
            return super().start()

    asked = replace(job(), output_uri=str(tmp_path))
    told = estimate_and_submit(Ending(asked, SUBNETS), asked, SubmitSettings(images=10, wait=True), COMMAND)
    assert json.loads(there.read_text()) == told
    assert told["cost"]["at_most"]["hours"] < 0.01


def at(tmp_path, source, **settings):
    words = ("--data-source", str(source))
    asked = replace(job(), output_uri=str(tmp_path / "out"), arguments=words)
    return known_images(asked, SubmitSettings(**settings), StorageSettings())


def test_images_are_given_or_recorded_or_listed(tmp_path, monkeypatch):
    source = tmp_path / "in"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.jpg").write_bytes(b"x")
    assert at(tmp_path, source, images=7) == Images(7, "--images")
    assert at(tmp_path, source) == Images(3, "files listed")
    assert at(tmp_path, source, dry_run=True).known is None
    monkeypatch.setattr(images_module, "_MOST_LISTED", 2)
    assert at(tmp_path, source) == Images(
        None, "more than 2 files, each 1,000 of which cost a LIST to count; give --images"
    )
    (source / "run.json").write_text(json.dumps({"fruits_pipeline": "0", "counts": {"found": 5}}))
    assert at(tmp_path, source) == Images(5, "run.json of the source")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_text(json.dumps({"fruits_pipeline": "0", "counts": {"found": 9}}))
    assert at(tmp_path, source) == Images(9, "run.json of the output")


def test_what_cannot_be_counted_is_told(tmp_path):
    assert at(tmp_path, tmp_path / "labels.csv").told == "a table or a glob is not counted; give --images"
    found = at(tmp_path, tmp_path / "nothing")
    assert found == Images(0, "files listed") or found.known is None


def dry_run_of(capsys, platform, region, *words):
    scheme = "gs" if platform.startswith("dataproc") else "s3"
    place = ("--data-source", f"{scheme}://b/fruits", "--output-uri", f"{scheme}://b/results", "--region", region)
    assert cli.main(["submit", platform, *place, "--dry-run", *words]) == 0
    return capsys.readouterr()


@pytest.mark.parametrize("platform", ["emr", "emr-serverless", "dataproc", "dataproc-serverless"])
@pytest.mark.parametrize("place", ["europe", "us"])
def test_the_shipped_prices_cover_the_defaults(platform, place, capsys):
    regions = {"europe": ("eu-west-1", "europe-west1"), "us": ("us-east-1", "us-central1")}
    region = regions[place][platform.startswith("dataproc")]
    for form in ("f32", "bf16", "int8"):
        told = dry_run_of(capsys, platform, region, "--images", "1000000", "--precision", form)
        assert re.search(r"^estimate: \d+\.\d\d USD for 1,000,000 images ", told.err, re.MULTILINE)
        assert json.loads(told.out.partition("\n\n")[2])


def test_spot_workers_that_come_later_are_estimated_too(capsys):
    told = dry_run_of(capsys, "dataproc", "europe-west1", "--images", "1000000", "--nodes", "5").err
    assert "1 x n2-standard-4, 2 x n2-standard-4, 3 x n2-standard-4 (Spot)" in told


def test_the_example_in_the_documents_is_what_is_printed(capsys):
    words = ("--images", "10000000", "--currency", "EUR")
    told = dry_run_of(capsys, "emr", "eu-west-1", *words).err
    lines = [line for line in told.splitlines() if line.startswith(("estimate", "  "))]
    assert "\n".join(lines) in CLUSTERS


def test_every_field_of_run_json_s_cost_is_documented():
    section = (ROOT / "docs" / "RESULTS.md").read_text().partition("## Cost")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(Spent.model_fields)
    assert all(f"`{name}`" in section for name in (*AtMost.model_fields, *request_counts.KINDS, "total"))


def test_the_shipped_speed_is_half_of_that_of_the_documents():
    """A vCPU is one of two threads of a core."""
    speed = load_prices().speed
    rates = [rate * 2 for rate in speed.images_per_vcpu_second.values()]
    assert rates == pytest.approx(
        [float(rate) for rate in re.findall(r"(?:f32|bf16|int8) \((\d+)", CLUSTERS)], rel=0.01
    )
    assert (ROOT / load_prices().sources[speed.source].page).is_file()
    job_of_13309 = "some 65 s of the 108 and 130 s of the 218"
    assert job_of_13309 in (ROOT / "benchmarks" / "README.md").read_text()
    assert speed.features_share == pytest.approx(130 / 218, abs=0.01)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda found: found["prices"][0].update(usd=0), "prices.0.usd: Input should be greater than 0"),
        (lambda found: found["prices"][0].update(eur=1), "prices.0.eur: Extra inputs"),
        (lambda found: found["prices"][0].update(source="hearsay"), "sources that it does not list: hearsay"),
        (lambda found: found["prices"].append(found["prices"][0]), "two prices of machine m6i in eu-west-1"),
        (lambda found: found["currencies"].pop("USD"), None),
    ],
)
def test_a_damaged_file_of_prices_is_told(change, told, tmp_path, monkeypatch):
    found = json.loads((ROOT / "config" / "prices.json").read_text())
    change(found)
    (tmp_path / "prices.json").write_text(json.dumps(found))
    monkeypatch.setattr(prices_module, "config_folder", lambda: tmp_path)
    with pytest.raises(SettingsError, match=re.escape(told or "--currency: expected one of EUR, which")):
        budget(images=5)


def test_a_file_that_is_no_json_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(prices_module, "config_folder", lambda: tmp_path)
    with pytest.raises(SettingsError, match=r"expected prices in config/prices\.json, found .*No such file"):
        load_prices()


def test_disks_of_emr_serverless_cost_beyond_what_is_free():
    for size_gb, expected in ((20, []), (120, [(4, 100)])):
        platform = EmrServerless(job("m6i.xlarge"), EmrServerlessSettings(worker_disk_gb=size_gb))
        found = [item for item in rented(platform, job("m6i.xlarge")).items if item.part == "disks"]
        assert [(item.count, item.units) for item in found] == expected
        assert all(load_prices().find(item.what, "eu-west-1", item.name) for item in found)
