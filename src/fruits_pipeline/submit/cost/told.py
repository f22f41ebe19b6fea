"""An estimate as text."""

from fruits_pipeline.clusters.prices import FILE, Prices
from fruits_pipeline.submit.cost.estimate import PARTS, Estimate, dates
from fruits_pipeline.submit.cost.images import Images


def text_of(found: Estimate, images: Images, prices: Prices, currency: str) -> str:
    """The estimate with its parts, each amount in ``currency``; or why there is none."""
    if found.missing:
        return f"no estimate: {FILE} lacks {', '.join(found.missing)}; add it there"
    per_usd = prices.currencies[currency].per_usd
    by = f"by prices of {dates(prices, found.used)} ({FILE})"
    hourly = f"{found.usd_an_hour * per_usd:,.2f} {currency} an hour"
    parts, usd = found.parts, found.usd
    if parts is None or usd is None or found.hours is None or images.known is None:
        whole = "" if found.rented.own_cluster else f"{hourly} with all nodes, {by}; "
        lines = [f"estimate: {whole}not of the whole job: {images.told}"]
        return "\n".join([*lines, *_notes(found)])
    took = f" in {found.hours:.1f} hours" if found.hours else ""
    lines = [f"estimate: {usd * per_usd:,.2f} {currency} for {images.known:,} images ({images.told}){took}, {by}"]
    details = _details(found)
    lines += [
        f"  {part:<9}{parts[part] * per_usd:>10,.2f} {currency}  {details[part]}" for part in PARTS if details[part]
    ]
    if found.rented.own_cluster:
        return "\n".join([*lines, "  the cluster is yours: its hours are not estimated", *_notes(found)])
    rate = prices.speed.images_per_vcpu_second[found.asked.network.name]
    work_minutes = (found.hours - found.start_hours) * 60
    lines.append(
        f"  {found.start_hours * 60:.0f} minutes to start and {work_minutes:,.0f} to work: features at {rate:g} "
        f"images/s on each of {found.rented.vcpus} vCPUs take {prices.speed.features_share:.0%} of it; {hourly}"
    )
    return "\n".join([*lines, *_notes(found)])


def _details(found: Estimate) -> dict[str, str]:
    told: dict[str, list[str]] = {part: [] for part in PARTS}
    for item in found.rented.items:
        if item.told and (item.part != "service" or item.told not in told[item.part]):
            told[item.part].append(item.told)
    requests = f"{found.writes:,} LIST and PUT, {found.reads:,} GET"
    return {part: ", ".join(words) for part, words in told.items()} | {"requests": requests}


def _notes(found: Estimate) -> list[str]:
    """One line for each reason why prices are assumed, and one for a network that is."""
    why: dict[str, list[str]] = {}
    for price in found.used:
        if price.assumed:
            why.setdefault(price.assumed, []).append(f"{price.what} {price.name}")
    notes = [f"  assumed for {', '.join(names)}: {reason}" for reason, names in why.items()]
    network = found.asked.network
    if network.assumed and not found.rented.own_cluster:
        notes.append(f"  assumed: {network.told}; no estimate reads the models of --model")
    return notes
