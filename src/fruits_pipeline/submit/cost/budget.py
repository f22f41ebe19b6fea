"""What a submission may cost: the estimate that is printed, the refusal of one that is too high, and the deadline."""

import sys
from dataclasses import dataclass

from fruits_pipeline.clusters.prices import FILE, Prices, load_prices
from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.settings.commands import RunCommand, ScoreCommand
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.rates import Rates
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.storage import uri
from fruits_pipeline.submit.bundled import side_and_form
from fruits_pipeline.submit.cost.estimate import Asked, Estimate, Network, estimated, request_usd
from fruits_pipeline.submit.cost.images import Images, argument, known_images
from fruits_pipeline.submit.cost.rented import rented
from fruits_pipeline.submit.cost.told import text_of
from fruits_pipeline.submit.job import SubmittedJob
from fruits_pipeline.submit.platform import Platform


@dataclass(frozen=True)
class Budget:
    """The estimate of a submission, with the prices that it was made by."""

    estimate: Estimate
    images: Images
    prices: Prices
    submit: SubmitSettings

    @property
    def text(self) -> str:
        """The estimate as it is printed."""
        return text_of(self.estimate, self.images, self.prices, self.submit.currency)

    @property
    def deadline_s(self) -> float | None:
        """Seconds after which all that may be rented may have cost ``--max-cost``; None where nothing limits them."""
        hourly = self.in_currency(self.estimate.most_an_hour)
        if self.submit.max_cost is None or not hourly or self.estimate.missing:
            return None
        return self.submit.max_cost / hourly * 3600

    def check(self) -> None:
        """Refuses a submission whose estimate is above ``--max-cost``.

        Raises:
            SubmissionError: When it is, or when there is no estimate.
        """
        most, found = self.submit.max_cost, self.estimate
        if most is None:
            return
        if found.missing:
            raise SubmissionError(
                f"--max-cost: expected all prices of the job and its speed in {FILE}, found no "
                f"{', no '.join(found.missing)}; add it there, or leave --max-cost out; nothing was started"
            )
        if found.usd is None:
            raise SubmissionError(
                f"--max-cost: expected the number of images, found none: {self.images.told}; nothing was started"
            )
        if (amount := self.in_currency(found.usd)) > most:
            raise SubmissionError(
                f"--max-cost: expected at most {most:,.2f} {self.submit.currency}, found an estimate of "
                f"{amount:,.2f}; give more, or fewer images; nothing was started"
            )

    def in_currency(self, usd: float) -> float:
        """An amount in the currency that was asked for."""
        return usd * self.prices.currencies[self.submit.currency].per_usd

    @property
    def rates(self) -> Rates | None:
        """What the job is billed by at most; None where a price is missing, or the cluster is the user's.

        No machine counts as Spot, since fleets may take others.
        """
        found = self.estimate
        if not found.priced or found.rented.own_cluster:
            return None
        write, read = (request_usd(self.prices, found.asked, *each) for each in ((1_000, 0), (0, 1_000)))
        return Rates(
            currency=self.submit.currency,
            hour=self.in_currency(found.most_an_hour),
            start=found.start_hours,
            write=self.in_currency(write),
            read=self.in_currency(read),
        )


def budget_of(
    platform: Platform, job: SubmittedJob, submit: SubmitSettings, command: RunCommand | ScoreCommand
) -> Budget:
    """Prints the estimate of a submission to stderr, and gives it.

    Raises:
        SettingsError: When the file of prices is no such file, or lacks the currency.
        SubmissionError: When it is above ``--max-cost``, or there is none to hold against it.
    """
    prices = load_prices()
    if submit.currency not in prices.currencies:
        raise SettingsError(
            f"--currency: expected one of {', '.join(prices.currencies)}, which {FILE} has, found {submit.currency}"
        )
    images = known_images(job, submit, command.storage)
    asked = Asked(
        platform=platform.name,
        region=job.region,
        scheme=uri.scheme(uri.normalise(argument(job, "--data-source") or job.output_uri)),
        network=_network(command),
        reader=argument(job, "--reader") or "auto",
        images=images.known,
    )
    found = Budget(estimated(prices, asked, rented(platform, job)), images, prices, submit)
    print(found.text, file=sys.stderr, flush=True)  # noqa: T201 because stdout has the requests of a dry run
    found.check()
    return found


def _network(command: RunCommand | ScoreCommand) -> Network:
    """The network of the job; the default one, assumed, for ``score``, whose models bring theirs."""
    features = command.features if isinstance(command, RunCommand) else FeaturesSettings()
    return Network(features.backbone, *side_and_form(features), assumed=isinstance(command, ScoreCommand))
