"""What clusters, disks and requests cost, and how fast they compute: ``config/prices.json``, which users may edit."""

import json
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.errors import SettingsError

FILE = "config/prices.json"
Kind = Literal["machine", "spot share", "EMR", "EMR Serverless", "Dataproc", "Dataproc Serverless", "disk", "request"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Entry):
    """A page with prices, and its date; ``seen`` says how the figures were seen where that was not on the page."""

    date: date
    page: str
    seen: str | None = None


class Currency(_Entry):
    """How much of a currency a US dollar is."""

    per_usd: float = Field(gt=0)
    source: str


class Speed(_Entry):
    """How fast a job works.

    Attributes:
        images_per_vcpu_second: Images whose features one vCPU computes in a second, by the name of the model
            (``model_name``).
        features_share: The share of a job's time that features take.
        start_minutes: Until a cluster works, by platform; assumed, not measured.
        source: The measurement.
    """

    images_per_vcpu_second: dict[str, float]
    features_share: float = Field(gt=0, le=1)
    start_minutes: dict[str, float]
    source: str


class Price(_Entry):
    """One price in US dollars for one unit, ``per``; ``at_most`` is the most for one machine and hour."""

    what: Kind
    region: str
    name: str
    per: str
    usd: float = Field(gt=0)
    at_most: float | None = Field(None, gt=0)
    source: str
    assumed: str | None = None

    @property
    def told(self) -> str:
        """What the price is of, as messages name it."""
        return f"{self.what} {self.name} in {self.region}"


class Prices(_Entry):
    """All prices, found by what they are of."""

    about: tuple[str, ...] = ()
    sources: dict[str, Source]
    currencies: dict[str, Currency]
    speed: Speed
    prices: tuple[Price, ...]

    def find(self, what: Kind, region: str, name: str) -> Price | None:
        """The price, or None where the file has none."""
        wanted = (what, region, name)
        return next((price for price in self.prices if (price.what, price.region, price.name) == wanted), None)

    def source(self, price: Price) -> Source:
        """Where a price is from."""
        return self.sources[price.source]


def load_prices() -> Prices:
    """What the file holds.

    Raises:
        SettingsError: When it is no such file, a price has no source, or two are of the same thing.
    """
    file = config_folder() / "prices.json"
    try:
        found = Prices.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        fault = error.errors()[0]
        raise _wrong(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from error
    except (OSError, ValueError) as error:
        raise _wrong(str(error)) from error
    named = {*(price.source for price in found.prices), *(one.source for one in found.currencies.values())}
    if unknown := sorted((named | {found.speed.source}) - found.sources.keys()):
        raise _wrong(f"sources that it does not list: {', '.join(unknown)}")
    told = [price.told for price in found.prices]
    if twice := sorted({one for one in told if told.count(one) > 1}):
        raise _wrong(f"two prices of {', '.join(twice)}")
    return found


def _wrong(found: str) -> SettingsError:
    return SettingsError(f"expected prices in {FILE}, found {found}; correct it, or take the file as it was shipped")
