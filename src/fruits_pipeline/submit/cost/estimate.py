"""An estimate of what a job costs: prices times what it rents, for so long as its images take."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from fruits_pipeline.clusters.bundle_index import model_name
from fruits_pipeline.clusters.prices import Kind, Price, Prices
from fruits_pipeline.submit.cost.rented import Item, Rented

# https://aws.amazon.com/ebs/pricing/ and Google's disks are priced by a month of so many hours.
_HOURS_A_MONTH = 730
# One LIST for so many keys. An output of ten million images had 10,100 files (benchmarks/ten_million.py).
_KEYS_A_LIST, _IMAGES_A_FILE = 1_000, 1_000
# Files of the rooms after the features, markers and the lease, roughly.
_OTHER_WRITES = 500
# Spark's own source takes 2 HEAD and 1 GET for each file.
_READS_AN_IMAGE = {"binaryfile": 3}
PARTS = ("nodes", "service", "disks", "requests")


@dataclass(frozen=True)
class Network:
    """A network whose speed counts.

    Attributes:
        backbone: Its name.
        side: Pixels of the square that it takes.
        form: Its precision, or ``tensorflow``.
        assumed: Whether nobody said that it is this one.
    """

    backbone: str
    side: int
    form: str
    assumed: bool = False

    @property
    def name(self) -> str:
        """The row of its speed."""
        return model_name(self.backbone, self.side, self.form)

    @property
    def told(self) -> str:
        """Backbone, size, engine and precision, for messages."""
        how = "tensorflow, f32" if self.form == "tensorflow" else f"openvino, {self.form}"
        return f"{self.backbone} at {self.side} px by {how}"


@dataclass(frozen=True)
class Asked:
    """What an estimate is for.

    Attributes:
        platform: Name of the platform.
        region: Its region.
        scheme: That of the images' bucket, ``s3`` or ``gs``.
        network: The one that computes the features.
        reader: How images are read.
        images: How many; None where that is not known.
    """

    platform: str
    region: str
    scheme: str
    network: Network
    reader: str
    images: int | None


@dataclass(frozen=True)
class Estimate:
    """US dollars by part, for the whole job and for an hour of it.

    Attributes:
        asked: What it is for.
        hourly: Dollars an hour of nodes, service and disks, with all that may be rented.
        most_an_hour: The same in all, where no machine is Spot, and each is of the dearest type that has a price.
        hours: From the submission to the end; None where the number of images is not known.
        start_hours: The part of ``hours`` in which the cluster starts.
        writes: Requests of the dear class: LIST and PUT.
        reads: Requests of the cheap class: GET and HEAD.
        request_usd: What all of them cost.
        missing: What the file has no price or no speed of; there is no estimate then.
        priced: Whether no price is missing, be the speed known or not.
        used: The prices.
        rented: What is rented.
    """

    asked: Asked
    hourly: dict[str, float]
    most_an_hour: float
    hours: float | None
    start_hours: float
    writes: int
    reads: int
    request_usd: float
    missing: tuple[str, ...]
    priced: bool
    used: tuple[Price, ...]
    rented: Rented

    @property
    def usd_an_hour(self) -> float:
        """Dollars an hour, without requests."""
        return sum(self.hourly.values())

    @property
    def parts(self) -> dict[str, float] | None:
        """Dollars by part, in the order of ``PARTS``; None where something is not known."""
        if self.hours is None or self.missing:
            return None
        return {part: self.hourly.get(part, 0.0) * self.hours for part in PARTS[:-1]} | {PARTS[-1]: self.request_usd}

    @property
    def usd(self) -> float | None:
        """Dollars in all; None where something is not known."""
        return None if self.parts is None else sum(self.parts.values())


def estimated(prices: Prices, asked: Asked, what: Rented) -> Estimate:
    """The estimate, or what it lacks."""
    book = _Book(prices, asked.region)
    hourly: dict[str, float] = {}
    for item in what.items:
        hourly[item.part] = hourly.get(item.part, 0.0) + book.usd_an_hour(item)
    writes, reads = _requests(asked)
    requests = book.usd_of_requests(asked.scheme, writes, reads)
    start_hours = 0.0 if what.own_cluster else book.start_hours(asked.platform)
    priced, hours = not book.missing, None
    if what.own_cluster:
        hours = 0.0
    else:
        rate = book.rate(asked.network)
        if asked.images is not None and rate:
            hours = start_hours + asked.images / (rate * what.vcpus) / prices.speed.features_share / 3600
    most = sum(_Book(prices, asked.region).most_an_hour(item) for item in what.items)
    missing, used = tuple(dict.fromkeys(book.missing)), tuple(dict.fromkeys(book.used))
    return Estimate(asked, hourly, most, hours, start_hours, writes, reads, requests, missing, priced, used, what)


def request_usd(prices: Prices, asked: Asked, writes: int, reads: int) -> float:
    """What so many requests of the dear and of the cheap class cost."""
    return _Book(prices, asked.region).usd_of_requests(asked.scheme, writes, reads)


def dates(prices: Prices, used: Iterable[Price]) -> str:
    """The oldest and the newest date of the prices."""
    found = sorted({prices.source(price).date for price in used})
    return f"{found[0]}" if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _requests(asked: Asked) -> tuple[int, int]:
    """Writes and lists, then reads."""
    images = asked.images or 0
    lists, files = math.ceil(images / _KEYS_A_LIST), math.ceil(images / _IMAGES_A_FILE)
    return lists + files + _OTHER_WRITES, images * _READS_AN_IMAGE.get(asked.reader, 1)


class _Book:
    """Prices of one region, with notes of those that were used, and of those that are missing."""

    def __init__(self, prices: Prices, region: str) -> None:
        self._prices, self._region = prices, region
        self.missing: list[str] = []
        self.used: list[Price] = []

    def usd(self, what: Kind, name: str) -> float:
        found = self._find(what, name)
        return found.usd if found else 0.0

    def usd_of_requests(self, scheme: str, writes: int, reads: int) -> float:
        return (writes * self.usd("request", f"{scheme} write") + reads * self.usd("request", f"{scheme} read")) / 1_000

    def usd_an_hour(self, item: Item) -> float:
        found = self._find(item.what, item.name)
        share = self.usd("spot share", item.spot) if item.spot else 1.0
        if found is None:
            return 0.0
        each = item.units * found.usd / (_HOURS_A_MONTH if item.what == "disk" else 1)
        return item.count * share * (each if found.at_most is None else min(each, found.at_most))

    def most_an_hour(self, item: Item) -> float:
        return max(self.usd_an_hour(replace(item, name=name, spot=None)) for name in (item.name, *item.others))

    def rate(self, network: Network) -> float | None:
        found = self._prices.speed.images_per_vcpu_second.get(network.name)
        if found is None:
            self.missing.append(f"speed of {network.told} ({network.name})")
        return found

    def start_hours(self, platform: str) -> float:
        found = self._prices.speed.start_minutes.get(platform)
        if found is None:
            self.missing.append(f"start_minutes of {platform}")
        return (found or 0.0) / 60

    def _find(self, what: Kind, name: str) -> Price | None:
        found = self._prices.find(what, self._region, name)
        if found is None:
            self.missing.append(f"{what} {name} in {self._region}")
        else:
            self.used.append(found)
        return found
