"""A project of Google Cloud behind ``gcloud``: keeps what is made, and refuses what the tool or the service would."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pasted import RefusedLineError
from schemas.google import check

# Any command takes these: https://cloud.google.com/sdk/gcloud/reference#GCLOUD-WIDE-FLAGS
WIDE = {"--billing-project", "--filter", "--flags-file", "--format", "--project", "--quiet"}
_BINDING = {"--condition", "--member", "--role"}
# The commands of the documents and of config/dataproc/account.sh, with what they take of their own, as of gcloud 528.
COMMANDS: dict[str, set[str]] = {
    "auth login": {"--update-adc"},
    "billing budgets create": {"--billing-account", "--budget-amount", "--display-name"},
    "billing budgets delete": set(),
    "billing budgets list": {"--billing-account"},
    "billing budgets update": {"--budget-amount"},
    "billing projects describe": set(),
    "compute instances list": set(),
    "compute networks subnets update": {"--enable-private-ip-google-access", "--region"},
    "config get": set(),
    "dataproc batches list": {"--region"},
    "dataproc clusters list": {"--region"},
    "dataproc operations list": {"--region", "--state-filter"},
    "iam roles create": {"--file"},
    "iam roles describe": set(),
    "iam roles undelete": set(),
    "iam roles update": {"--file"},
    "iam service-accounts add-iam-policy-binding": _BINDING,
    "iam service-accounts create": {"--display-name"},
    "iam service-accounts delete": set(),
    "iam service-accounts describe": set(),
    "iam workload-identity-pools create": {"--location"},
    "iam workload-identity-pools providers create-oidc": {
        "--attribute-condition", "--attribute-mapping", "--issuer-uri", "--location", "--workload-identity-pool",
    },
    "projects add-iam-policy-binding": _BINDING,
    "projects describe": set(),
    "projects remove-iam-policy-binding": _BINDING,
    "scheduler jobs create http": {
        "--headers", "--http-method", "--location", "--message-body-from-file", "--oauth-service-account-email",
        "--schedule", "--time-zone", "--uri",
    },
    "services enable": set(),
    "storage buckets add-iam-policy-binding": _BINDING,
    "storage buckets create": set(),
    "storage buckets delete": set(),
    "storage buckets describe": set(),
    "storage buckets set-iam-policy": set(),
    "storage buckets update": {"--lifecycle-file"},
    "storage cat": set(),
    "storage rm": {"--recursive"},
    "storage rsync": {"--recursive"},
}  # fmt: skip
# What must be enabled before the first such command answers.
_APIS = {
    "compute": "compute",
    "dataproc": "dataproc",
    "iam": "iam",
    "storage": "storage",
    "scheduler": "cloudscheduler",
}
_APIS |= {"projects": "cloudresourcemanager", "billing projects": "cloudbilling", "billing budgets": "billingbudgets"}


BUDGET = "billingAccounts/000000-000000-000000/budgets/0"
_LATE = "SERVICE_DISABLED: {} API has not been used in project my-project before or it is disabled"


@dataclass
class Project:
    """A new project with a billing account, and nothing enabled in it."""

    configured: dict[str, str] = field(default_factory=lambda: {"core/account": "owner@example.org"})
    billing_account: str = "000000-000000-000000"  # empty where who asks may not see it
    lag: int = 0  # changes that are refused until an API is known everywhere
    fails_at: str | None = None  # a command that is refused for good
    made: set[tuple[str, str]] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)  # roles, whose names stay taken
    full: set[str] = field(default_factory=set)  # buckets that hold objects
    bindings: set[tuple[str, str, str]] = field(default_factory=set)
    policies: dict[str, Any] = field(default_factory=dict)  # of buckets
    amounts: list[str] = field(default_factory=list)  # of the budget
    checked: set[str] = field(default_factory=set)
    seen: list[list[str]] = field(default_factory=list)

    def answer(self, words: list[str], folder: Path) -> str:
        """What ``gcloud WORDS`` prints, started in ``folder``.

        Raises:
            RefusedLineError: When gcloud ends with 1.
        """
        self.seen.append(words)
        plain = [word for word in words if not word.startswith("--")]
        command = max((name for name in COMMANDS if plain[: len(name.split())] == name.split()), key=len, default="")
        given = dict(word.partition("=")[::2] for word in words if word.startswith("--"))
        assert command, words
        assert given.keys() <= COMMANDS[command] | WIDE, words
        names = [_name(word) for word in plain[len(command.split()) :]]
        self._read_files(given, plain, folder)
        self._refuse(command, given)
        group, _, verb = command.rpartition(" ")
        if verb.endswith("-iam-policy-binding"):
            return self._bind(group, verb, (names[0], given["--member"], given["--role"]))
        if group in {"billing budgets", "iam roles", "iam service-accounts", "storage buckets"}:
            return self._keep(group, verb, names[0] if names else BUDGET, given)
        return self._told(command, names)

    def _read_files(self, given: dict[str, str], plain: list[str], folder: Path) -> None:
        """Each file against its schema, every name in it filled."""
        named = [given[flag] for flag in ("--file", "--flags-file", "--lifecycle-file") if flag in given]
        for file in [folder / name for name in [*named, *(word for word in plain if word.endswith("-policy.json"))]]:
            content = json.loads(file.read_text())
            assert not re.findall(r"\$\{\w+\}", file.read_text())
            check(file.name, content)
            self.checked.add(file.name)
            if file.name.endswith("policy.json"):
                self.policies[_name(plain[3])] = content

    def _refuse(self, command: str, given: dict[str, str]) -> None:
        if command == self.fails_at:
            raise RefusedLineError("PERMISSION_DENIED: the caller does not have permission")
        if command.startswith("billing budgets") and "--billing-project" not in given:
            # Commands of billing send none by themselves (surface/billing/__init__.py: DisableUserProjectQuota).
            raise RefusedLineError("The billingbudgets.googleapis.com API requires a quota project")
        api = next((api for start, api in _APIS.items() if command.startswith(start)), None)
        if api and ("api", api) not in self.made:
            raise RefusedLineError(_LATE.format(api))
        if api and self.lag and not command.endswith(("describe", "list")):
            self.lag -= 1
            raise RefusedLineError(_LATE.format(api))

    def _told(self, command: str, names: list[str]) -> str:
        if command == "services enable":
            self.made |= {("api", name.removesuffix(".googleapis.com")) for name in names}
        elif command == "storage rm":
            self._keep("storage buckets", "rm", names[0], {})
        elif command == "billing projects describe":
            return self.billing_account
        elif command == "config get":
            return self.configured.get(names[0], "")
        return "123456789012" if command == "projects describe" else ""

    def _bind(self, group: str, verb: str, binding: tuple[str, str, str]) -> str:
        if group == "iam service-accounts" and (group, binding[0]) not in self.made:
            raise RefusedLineError(f"NOT_FOUND: Unknown service account {binding[0]}")
        if verb.startswith("add"):
            self.bindings.add(binding)
        elif binding not in self.bindings:
            raise RefusedLineError("Policy binding with the specified principal, role, and condition not found!")
        else:
            self.bindings.remove(binding)
        return ""

    def _keep(self, group: str, verb: str, name: str, given: dict[str, str]) -> str:
        """Creates, describes, changes and deletes what has a name."""
        one = (group, name)
        if verb == "list":
            return name if one in self.made else ""
        if name in self.deleted and verb == "describe":
            return "True"
        if name in self.deleted and verb != "undelete":
            raise RefusedLineError(f"You can't {verb} a role_id ({name}) which has been marked for deletion.")
        if (verb == "create") == (one in self.made) and verb != "undelete":
            raise RefusedLineError(
                f"ALREADY_EXISTS: {name}" if verb == "create" else f"NOT_FOUND: {name} not found: 404"
            )
        if verb == "delete" and name in self.full:
            raise RefusedLineError("HTTPError 409: The bucket you tried to delete is not empty.")
        if verb in {"create", "undelete"}:
            self.made.add(one)
            self.deleted.discard(name)
        elif verb in {"delete", "rm"}:
            self.made.remove(one)
            self.full.discard(name)
        self.amounts += [given["--budget-amount"]] if "--budget-amount" in given else []
        return ""


def _name(word: str) -> str:
    """Of a bucket without its scheme, of an account, by whichever of its names, before its domain."""
    return word.removeprefix("gs://").partition("@")[0]
