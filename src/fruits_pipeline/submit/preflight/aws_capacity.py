"""What EC2, EMR and EMR Serverless offer in a region, and how much of it an account may have at a time."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fruits_pipeline.clusters.machines import machine
from fruits_pipeline.errors import SubmissionError
from fruits_pipeline.submit.preflight.aws_account import Account
from fruits_pipeline.submit.preflight.finding import Finding, Verdict, fault, ok, unknown, warning


class Quota(NamedTuple):
    """A quota in vCPUs, by Service Quotas' names of it."""

    service: str
    code: str
    label: str


# https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html: families A, C, D, H, I, M, R, T and Z.
ON_DEMAND = Quota("ec2", "L-1216C47A", "vCPUs of on-demand machines (EC2)")
SPOT = Quota("ec2", "L-34B43A08", "vCPUs of Spot machines (EC2)")
# https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/endpoints-quotas.html
SERVERLESS = Quota("emr-serverless", "L-D05C8A75", "vCPUs of EMR Serverless")
_NO_QUOTA = "NoSuchResourceException"
# https://docs.aws.amazon.com/emr/latest/APIReference/API_DescribeCluster.html
_NO_CLUSTER = "InvalidRequestException"
_TAKES_STEPS = frozenset({"STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"})
_NO_SUBNET = frozenset({"InvalidSubnetID.NotFound", "InvalidSubnetId.Malformed", "InvalidSubnetID.Malformed"})


class Need(NamedTuple):
    """vCPUs that a request asks for: at its start, and at most."""

    start: int
    most: int


def cluster_needs(body: Mapping[str, Any]) -> dict[Quota, Need]:
    """What the body of a ``RunJobFlow`` asks for; a Spot fleet grows to the managed scaling policy's limit."""
    limits = body["ManagedScalingPolicy"]["ComputeLimits"]
    on_demand = start = most = 0
    for fleet in body["Instances"]["InstanceFleets"]:
        vcpus = max(machine(kind["InstanceType"]).vcpus for kind in fleet["InstanceTypeConfigs"])
        on_demand += vcpus * fleet.get("TargetOnDemandCapacity", 0)
        if spot := fleet.get("TargetSpotCapacity", 0):
            start += vcpus * spot
            most += vcpus * (limits["MaximumCapacityUnits"] - limits["MaximumOnDemandCapacityUnits"])
    return {ON_DEMAND: Need(on_demand, on_demand), SPOT: Need(start, max(start, most))}


def cluster_quota(account: Account, wanted: Quota, body: Mapping[str, Any], fewer: str) -> Iterator[Finding]:
    """``quota`` for what the body of a ``RunJobFlow`` takes of it; on-demand machines may replace Spot ones."""
    needs = cluster_needs(body)
    for finding in quota(account, wanted, needs[wanted], fewer):
        if wanted == SPOT and finding.verdict is Verdict.FAULT and _falls_back(body):
            held = _allowed(account, ON_DEMAND)
            if held is not None and needs[ON_DEMAND].start + needs[SPOT].start <= held:
                told = f"{finding.facts}, so that on-demand machines take their place, which cost more"
                yield warning(finding.check, told, finding.remedy)
                continue
        yield finding


def _falls_back(body: Mapping[str, Any]) -> bool:
    """Whether every Spot fleet takes on-demand machines where it gets no others."""
    spot = (fleet for fleet in body["Instances"]["InstanceFleets"] if fleet.get("TargetSpotCapacity"))
    actions = (fleet["LaunchSpecifications"]["SpotSpecification"]["TimeoutAction"] for fleet in spot)
    return all(action == "SWITCH_TO_ON_DEMAND" for action in actions)


def _allowed(account: Account, wanted: Quota) -> int | None:
    """What Service Quotas says of the account, else of every account; None where it says nothing."""
    body = {"ServiceCode": wanted.service, "QuotaCode": wanted.code}
    for operation in ("GetServiceQuota", "GetAWSDefaultServiceQuota"):
        try:
            return int(account.call("service-quotas", operation, body)["Quota"]["Value"])
        except SubmissionError as error:
            if error.code != _NO_QUOTA:
                raise
    return None


def quota(account: Account, wanted: Quota, need: Need, fewer: str) -> Iterator[Finding]:
    """Whether the account may have as many vCPUs; ``fewer`` says how to ask for less."""
    check = f"quota of {wanted.label}"
    allowed = _allowed(account, wanted)
    if allowed is None:
        yield unknown(check, f"Service Quotas has no {wanted.code} in {account.region}")
        return
    more = (
        f"ask for more ('aws service-quotas request-service-quota-increase --region {account.region} --service-code "
        f"{wanted.service} --quota-code {wanted.code} --desired-value {need.most}'), or {fewer}"
    )
    if need.start > allowed:
        yield fault(check, f"expected at least {need.start}, found {allowed}", more)
    elif need.most > allowed:
        yield warning(check, f"up to {need.most} are asked for, {allowed} allowed: the cluster stays smaller", more)
    else:
        yield ok(check, f"{need.most} of {allowed}")


def release(account: Account, label: str) -> Iterator[Finding]:
    """Whether EMR has the release ``label`` in the region."""
    found = account.call("emr", "ListReleaseLabels", {"Filters": {"Prefix": label}}).get("ReleaseLabels", [])
    if label in found:
        yield ok("release", f"{label} is offered in {account.region}")
    else:
        told = f"expected {label} among EMR's releases in {account.region}, found it missing"
        yield fault("release", told, "give another --target of config/releases.json, or another --region")


def subnets(account: Account, wanted: Iterable[str]) -> Iterator[Finding]:
    """Whether the subnets are there, and all in one network, as EMR wants them."""
    named = list(wanted)
    try:
        found = _subnets(account, named)
    except SubmissionError as error:
        if error.code not in _NO_SUBNET:
            raise
        told = f"expected {', '.join(named)} in {account.region}, found one of them missing"
        yield fault("subnets", told, f"give --subnet of 'aws ec2 describe-subnets --region {account.region}'")
        return
    networks = {one["VpcId"] for one in found}
    if len(networks) > 1:
        told = f"expected subnets of one network, found them in {', '.join(sorted(networks))}"
        yield fault("subnets", told, "give --subnet of one VPC")
    else:
        yield ok("subnets", f"{', '.join(named)} in {', '.join(sorted(_zones(found)))}")


def machine_types(account: Account, fleets: Iterable[Iterable[str]], named: Iterable[str]) -> Iterator[Finding]:
    """Whether a zone of the subnets has, for each fleet, one of its machine types; the region's where none is known."""
    wanted = [sorted(set(fleet)) for fleet in fleets]
    body: dict[str, Any] = {
        "Filters": [{"Name": "instance-type", "Values": sorted({name for f in wanted for name in f})}]
    }
    try:
        zones = sorted(_zones(_subnets(account, list(named))))
        body["LocationType"] = "availability-zone"
        body["Filters"].append({"Name": "location", "Values": zones})
    except SubmissionError:
        zones = [account.region]
        body["LocationType"] = "region"
    offered: dict[str, set[str]] = {}
    for offer in account.call("ec2", "DescribeInstanceTypeOfferings", body)["InstanceTypeOfferings"]:
        offered.setdefault(offer["Location"], set()).add(offer["InstanceType"])
    places = sorted(place for place, types in offered.items() if all(types & set(fleet) for fleet in wanted))
    told = " and ".join(" or ".join(fleet) for fleet in wanted)
    if places:
        yield ok("machine types", f"{told} in {', '.join(places)}")
    else:
        facts = f"expected {told} in one of {', '.join(zones)}, found no place with all of them"
        yield fault("machine types", facts, "give another --machine-type, --primary-type or --subnet")


def running_cluster(account: Account, cluster_id: str, label: str) -> Iterator[Finding]:
    """Whether the cluster takes steps, and has the minor release of ``label``, for which the bundle was made."""
    check = f"cluster {cluster_id}"
    try:
        found = account.call("emr", "DescribeCluster", {"ClusterId": cluster_id})["Cluster"]
    except SubmissionError as error:
        if error.code != _NO_CLUSTER:
            raise
        yield fault(check, f"expected it in {account.region}, found none", "give another --cluster-id, or its --region")
        return
    state, held = found["Status"]["State"], str(found.get("ReleaseLabel"))
    if state not in _TAKES_STEPS:
        told = f"expected it to be running, found it {state.lower()}"
        yield fault(check, told, "give the --cluster-id of another, or none")
    elif held.rpartition(".")[0] != label.rpartition(".")[0]:
        told = f"expected release {label}, found {held}"
        yield fault(check, told, "give the --target of its release, and a bundle for that")
    else:
        yield ok(check, f"{state.lower()}, {held}")


def _subnets(account: Account, named: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = account.call("ec2", "DescribeSubnets", {"SubnetIds": named})["Subnets"]
    return found


def _zones(found: Iterable[Mapping[str, Any]]) -> set[str]:
    return {one["AvailabilityZone"] for one in found}
