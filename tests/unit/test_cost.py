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
from fruits_pipeline.settings import command_line
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.settings.rates import rates_of
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.state.record import RunRecord
from fruits_pipeline.state.spent import AtMost, Spent
from fruits_pipeline.state.summary import summary
from fruits_pipeline.storage import request_counts
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.submit.cost import images as images_module
from fruits_pipeline.submit.cost.budget import budget_of
from fruits_pipeline.submit.cost.estimate import Asked, Network, estimated
from fruits_pipeline.submit.cost.images import Images, known_images
from fruits_pipeline.submit.cost.rented import Item, Rented, rented
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
    speed=Speed(
        images_per_vcpu_second={"mobilenetv2-224-f32": 100}, features_share=0.5, start_minutes={"EMR": 6}, source="s"
    ),
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
ASKED = Asked("EMR", "r", "s3", Network("mobilenetv2", 224, "f32"), "auto", 2_880_000)


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
    found = estimated(lacking, replace(ASKED, network=Network("mobilenetv2", 224, "int8")), NODES)
    assert found.missing == (
        "machine m6i in r",
        "spot share EC2 in r",
        "request s3 write in r",
        "request s3 read in r",
        "speed of mobilenetv2 at 224 px by openvino, int8 (mobilenetv2-224-int8)",
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


def submitted(settings=SUBNETS, **submit):
    """The job, sent to EMR; the platform that it was sent to."""
    made = []

    def platform(sent):
        made.append(Watched(sent, settings))
        return made[-1]

    try:
        estimate_and_submit(platform, job(), SubmitSettings(**submit), COMMAND)
    except SubmissionError as error:
        return made[-1], str(error)
    return made[-1], None


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
    assert (
        "--max-cost: expected all prices of the job and its speed in config/prices.json, found no machine m6i in "
        in told
    )
    assert told.endswith("; add it there, or leave --max-cost out; nothing was started")
    assert platform.starts == 0


def test_without_a_limit_a_job_without_a_price_is_started(capsys, monkeypatch):
    empty = SMALL.model_copy(update={"prices": ()})
    monkeypatch.setattr("fruits_pipeline.submit.cost.budget.load_prices", lambda: empty)
    assert submitted(images=5)[0].starts == 1
    assert "no estimate: config/prices.json lacks machine m6i in eu-west-1, " in capsys.readouterr().err


def budget(command=COMMAND, asked=None, **settings):
    asked = asked or job()
    return budget_of(Watched(asked, SUBNETS), asked, SubmitSettings(**settings), command)


def with_network(**features):
    places = {"output": {"output_uri": "s3://bucket/results"}, "ingest": {"data_source": "s3://bucket/fruits"}}
    return RunCommand.model_validate({**places, "features": features})


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ({"engine": "tensorflow"}, "mobilenetv2 at 224 px by tensorflow, f32 (mobilenetv2-224-tensorflow)"),
        ({"image_size": 448}, "mobilenetv2 at 448 px by openvino, f32 (mobilenetv2-448-f32)"),
        ({"backbone": "xception"}, "xception at 299 px by openvino, f32 (xception-299-f32)"),
    ],
)
def test_a_network_whose_speed_was_not_measured_has_no_estimate(features, told, capsys):
    assert budget(with_network(**features), images=1000).estimate.usd is None
    assert f"no estimate: config/prices.json lacks speed of {told}; add it there" in capsys.readouterr().err
    with pytest.raises(SubmissionError, match=re.escape(f"found no speed of {told}; add it there")):
        budget(with_network(**features), images=1000, max_cost=9)


def test_a_speed_that_the_user_adds_is_taken(monkeypatch):
    found = load_prices()
    rates = found.speed.images_per_vcpu_second | {"xception-299-f32": 6.3}
    slower = found.model_copy(update={"speed": found.speed.model_copy(update={"images_per_vcpu_second": rates})})
    monkeypatch.setattr("fruits_pipeline.submit.cost.budget.load_prices", lambda: slower)
    usual, ten_times = budget(images=10**6).estimate, budget(with_network(backbone="xception"), images=10**6).estimate
    assert ten_times.hours - ten_times.start_hours == pytest.approx(10 * (usual.hours - usual.start_hours))


def test_a_score_s_network_is_assumed_and_said_so():
    places = {"output": {"output_uri": "s3://bucket/new"}, "ingest": {"data_source": "s3://bucket/fruits"}}
    command = ScoreCommand.model_validate({**places, "score": {"model": "s3://bucket/results"}})
    told = "  assumed: mobilenetv2 at 224 px by openvino, f32; no estimate reads the models of --model"
    assert told in budget(command, images=1000, max_cost=9).text.splitlines()
    assert told not in budget(images=1000).text.splitlines()


@pytest.mark.parametrize("spelled", ["S3://bucket/fruits", "s3a://bucket/fruits", "s3n://bucket/fruits"])
def test_every_spelling_of_a_bucket_has_a_price(spelled):
    asked = replace(job(), arguments=("--data-source", spelled))
    assert budget(asked=asked, images=1000).estimate.missing == ()


@pytest.mark.parametrize("cloud", ["emr", "dataproc"])
def test_more_executors_than_vcpus_are_no_faster(cloud, capsys):
    region = {"emr": "eu-west-1", "dataproc": "europe-west1"}[cloud]
    usual = dry_run_of(capsys, cloud, region, "--images", "1000000").err
    words = (
        "--executors",
        "100",
        "--executor-cores",
        "1",
        "--executor-memory",
        "1g",
        "--executor-memory-overhead",
        "1g",
    )
    assert "on each of 12 vCPUs" in usual
    assert "on each of 12 vCPUs" in dry_run_of(capsys, cloud, region, "--images", "1000000", *words).err


def test_more_workers_of_a_service_without_nodes_are_faster(capsys):
    told = dry_run_of(capsys, "emr-serverless", "eu-west-1", "--images", "1000000", "--executors", "100").err
    assert "on each of 400 vCPUs" in told


def test_the_most_is_of_the_dearest_type_none_of_it_spot():
    nodes = (NODES.items[0], replace(NODES.items[1], others=("m6a", "m7i")))
    dearer = SMALL.model_copy(update={"prices": (*SMALL.prices, price("machine", "m7i", 0.07))})
    found = estimated(dearer, ASKED, replace(NODES, items=(*nodes, *NODES.items[2:])))
    assert found.hourly["nodes"] == pytest.approx(0.2 + 0.4)
    # 4 vCPUs x 0.05, 2 x 8 x 0.07, the fee and the disks.
    assert found.most_an_hour == pytest.approx(0.2 + 1.12 + 0.54 + 0.03)
    assert found.missing == ()


def test_all_types_of_a_fleet_are_known():
    fleets = [item.others for item in rented(Watched(job(), SUBNETS), job()).items if item.what in {"machine", "EMR"}]
    assert fleets == [(), (), (), (), ("m6a", "m7i"), ("m6a", "m7i")]


def test_a_job_that_runs_on_is_cancelled_when_its_nodes_have_cost_as_much(tmp_path):
    found = budget(images=1000, max_cost=4, currency="EUR")
    hourly = found.in_currency(found.estimate.most_an_hour)
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
    found = estimated(
        load_prices(), Asked("EMR", "eu-west-1", "s3", Network("xception", 299, "f32"), "auto", 1_000), what
    )
    assert (what.items, found.hourly, found.hours) == ((), {}, 0.0)
    assert found.usd == pytest.approx(found.request_usd)


def words_of(platform):
    """The words of the job that the platform starts, from its own request."""
    sent = platform.requests()[-1].body["Steps"][-1]["HadoopJarStep"]["Args"]
    return sent[sent.index("s3://bucket/packages/0123/run.py") + 1 :]


def test_a_job_gets_the_most_that_an_hour_and_requests_cost(capsys):
    found, (platform, _) = budget(images=5, currency="EUR"), submitted(images=5, currency="EUR")
    _, bound = command_line.parsed(cli.app, ["run", *words_of(platform)])
    per_usd = load_prices().currencies["EUR"].per_usd
    got = rates_of(bound.arguments["settings"].session.rates)
    assert (got.currency, str(got)) == ("EUR", str(found.rates))
    usd = [found.estimate.most_an_hour, 10 / 60 / per_usd, 0.005, 0.0004]
    assert [got.hour, got.start, got.write, got.read] == pytest.approx([one * per_usd for one in usd], abs=1e-6)
    score = ["score", "--model", "m", "--data-source", "i", "--output-uri", "o", *words_of(platform)[-2:]]
    assert command_line.parsed(cli.app, score)[1].arguments["settings"].session.rates
    assert "--rates" not in capsys.readouterr().out


def test_equal_requests_have_equal_ids():
    ids = [submitted(**asked)[0]._job.job_id for asked in ({"images": 5}, {"images": 7}, {"dry_run": True})]
    assert len(set(ids)) == 1


def test_what_has_no_price_sends_none(monkeypatch):
    assert "--rates" not in words_of(submitted(EmrSettings(cluster_id="j-ABC"), images=5)[0])
    with_all = load_prices()
    without = with_all.model_copy(update={"prices": with_all.prices[1:]})
    monkeypatch.setattr("fruits_pipeline.submit.cost.budget.load_prices", lambda: without)
    assert "--rates" not in words_of(submitted(images=5)[0])


def test_a_network_without_a_speed_has_a_price_all_the_same():
    assert budget(with_network(backbone="xception"), images=5).rates == budget(images=5).rates


RATES = "currency=EUR:hour=10:start=0.5:write=5:read=0.4"
SENT = {"list": 1000, "put": 1000, "get": 10_000, "head": 0, "delete": 7}


def test_the_cost_is_of_hours_and_requests():
    used = Spent(hours=2, core_hours=None, requests=SENT, connector_requests=None)
    # 2.5 hours at 10, 2,000 LIST and PUT, 10,000 GET.
    assert used.at(rates_of(RATES)).at_most == AtMost(amount=39.0, currency="EUR", hours=2.5)
    # Requests of an unknown kind count as the dear one.
    more = used.model_copy(update={"connector_requests": {"total": 1000}})
    assert more.at(rates_of(RATES)).at_most.amount == 39.0 + 5.0


def test_run_json_has_what_a_job_cost_that_failed_too(tmp_path):
    store = open_store(str(tmp_path))
    with pytest.raises(ZeroDivisionError), RunRecord("run", {"rates": RATES}).kept(store):
        raise ZeroDivisionError
    found = json.loads(store.read("run.json"))
    assert found["cost"]["at_most"] == {"amount": pytest.approx(5, abs=0.01), "currency": "EUR", "hours": 0.5}
    assert re.search(
        r"^cost        at most 5\.\d\d EUR, for all that was rented in 0\.50 ", summary(found, "o"), re.MULTILINE
    )
    assert RunRecord("run", {"rates": None}).content["cost"]["at_most"] is None


def test_rates_change_no_result_and_must_be_rates(capsys):
    words = ["run", "--data-source", "in", "--output-uri", "out", "--rates"]
    _, bound = command_line.parsed(cli.app, [*words, RATES])
    assert bound.arguments["settings"].session.essentials() == {}
    assert cli.main([*words, "currency=EUR:hour=-1"]) == 2
    assert "--rates" in capsys.readouterr().err


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


def test_a_limit_is_held_against_what_is_there_now(tmp_path, monkeypatch):
    source, out = tmp_path / "in", tmp_path / "out"
    for folder in (source, out):
        folder.mkdir()
    for number in range(3):
        (source / f"{number}.jpg").write_bytes(b"x")

    def noted(folder, images):
        (folder / "run.json").write_text(json.dumps({"fruits_pipeline": "0", "counts": {"found": images}}))

    noted(out, 1)
    assert at(tmp_path, source, max_cost=1) == Images(3, "files listed")
    monkeypatch.setattr(images_module, "_MOST_LISTED", 2)
    gave_up = "more than 2 files, each 1,000 of which cost a LIST to count; give --images"
    assert at(tmp_path, source, max_cost=1) == Images(None, gave_up)
    noted(out, 9)
    assert at(tmp_path, source, max_cost=1) == Images(
        9, f"run.json of the output, which may be older than the source: {gave_up}"
    )
    noted(source, 5)
    assert at(tmp_path, source, max_cost=1) == Images(5, "run.json of the source")


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
