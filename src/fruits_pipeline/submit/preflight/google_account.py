"""What a project of Google Cloud has, and what who submits may do: credentials, APIs, buckets, service account."""

from collections.abc import Iterable, Iterator

from fruits_pipeline.errors import SettingsError, SubmissionError
from fruits_pipeline.submit.google_rest import NOT_FOUND, PERMISSION_DENIED, Project
from fruits_pipeline.submit.preflight.finding import Finding, fault, fault_of, ok, unknown, warning

_NOT_IN_EU = frozenset({"europe-west2", "europe-west6"})
_ACT_AS = "iam.serviceAccounts.actAs"


def credentials(project: Project) -> Iterator[Finding]:
    """Whether there are credentials, and a project."""
    try:
        who = getattr(project.credentials, "service_account_email", None) or "of a user"
        yield ok("credentials", f"{who}, project {project.name}")
    except (SubmissionError, SettingsError) as error:
        yield fault_of("credentials", error)


def apis(project: Project, names: Iterable[str]) -> Iterator[Finding]:
    """Whether the APIs are enabled."""
    wanted = tuple(names)
    disabled = []
    for name in wanted:
        path = f"projects/{project.name}/services/{name}"
        if project.get("serviceusage.services.get", path).get("state") != "ENABLED":
            disabled.append(name)
    if disabled:
        remedy = f"gcloud services enable {' '.join(disabled)} --project={project.name}"
        yield fault("APIs", f"expected {', '.join(disabled)} to be enabled, found them disabled", remedy)
    else:
        yield ok("APIs", f"{', '.join(wanted)} enabled")


def bucket(project: Project, name: str, flags: str) -> Iterator[Finding]:
    """Whether the bucket that ``flags`` name is there, and where; another region is no fault, but costs."""
    check = f"bucket {name}"
    try:
        found = project.get("storage.buckets.get", f"b/{name}", fields="location,locationType")
    except SubmissionError as error:
        if error.code != NOT_FOUND:
            raise
        remedy = f"correct {flags}, or make it as the README says"
        yield fault(check, f"expected the bucket of {flags}, found none by that name", remedy)
        return
    place = found["location"].lower()
    is_region = found.get("locationType") == "region"
    if place == project.region or (not is_region and _contains(place, project.region)):
        yield ok(check, f"in {place}")
    else:
        told = f"in {place}, the job in {project.region}"
        remedy = f"give --region {place}" if is_region else f"take a bucket in {project.region}"
        yield warning(check, told, f"traffic between regions costs and is slower: {remedy}")


def service_account(project: Project, email: str) -> Iterator[Finding]:
    """Whether the job's service account is there and enabled, and who submits may run jobs as it."""
    check = f"service account {email}"
    path = f"projects/-/serviceAccounts/{email}"
    try:
        found = project.get("iam.projects.serviceAccounts.get", path)
    except SubmissionError as error:
        if error.code == NOT_FOUND:
            remedy = "make it by config/dataproc/account.sh up, or name yours by --service-account"
            yield fault(check, "expected the job's service account, found none by that name", remedy)
            return
        if error.code != PERMISSION_DENIED:
            raise
        # Who may act as it need not be allowed to look at it.
        yield unknown(check, f"who submits is not allowed to call {error.operation}")
        found = {}
    if found.get("disabled"):
        remedy = f"gcloud iam service-accounts enable {email} --project={project.name}"
        yield fault(check, "expected it to be enabled, found it disabled", remedy)
    body = {"permissions": [_ACT_AS]}
    held = project.post("iam.projects.serviceAccounts.testIamPermissions", f"{path}:testIamPermissions", body)
    if _ACT_AS in held.get("permissions", ()):
        yield ok(check, "who submits may run jobs as it")
    else:
        remedy = (
            f"gcloud iam service-accounts add-iam-policy-binding {email} --project={project.name} "
            "--member=user:YOU --role=roles/iam.serviceAccountUser"
        )
        yield fault(check, f"expected {_ACT_AS} on it for who submits, found it missing", remedy)


def _contains(place: str, region: str) -> bool:
    """Whether a multi-region has the region; of a pair of regions the name does not say it.

    https://docs.cloud.google.com/storage/docs/locations

    >>> _contains("eu", "europe-west1"), _contains("eu", "europe-west2"), _contains("eur4", "europe-west4")
    (True, False, True)
    """
    if place == "eu" and region in _NOT_IN_EU:
        return False
    continents = {"eu": "europe-", "us": "us-", "nam4": "us-", "asia": "asia-"}
    return region.startswith(continents.get(place, place[:2]))
