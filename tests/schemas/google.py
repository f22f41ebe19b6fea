"""What Google takes for each file of ``config/dataproc/``, by the strictest published schema that needs no network.

Messages of Dataproc, IAM and Cloud Storage come from Google's own packages. Custom roles and the flags of two
``gcloud`` commands have no schema in them, and are written down here from the reference pages that are named.
"""

import warnings
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

from google.cloud import dataproc_v1, storage
from google.cloud._storage_v2.types import Bucket
from google.cloud.storage import constants
from google.iam.v1 import policy_pb2
from google.protobuf import json_format
from pydantic import BaseModel, ConfigDict, Field, ValidationError

StorageClass = Literal["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"]
Permission = Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z][A-Za-z]*){2}$")]
Duration = Annotated[str, Field(pattern=r"^\d+[smhdw]$")]
# The JSON API calls it otherwise: https://cloud.google.com/storage/docs/json_api/v1/buckets
_RENAMED = {"age": "ageDays"}


class RefusedError(ValueError):
    """When Google would not take a file."""


class Strict(BaseModel):
    """A body or a command's flags, and nothing else."""

    model_config = ConfigDict(extra="forbid", alias_generator=lambda name: "--" + name.replace("_", "-"))


class Role(Strict):
    """https://cloud.google.com/iam/docs/reference/rest/v1/organizations.roles#Role."""

    model_config = ConfigDict(alias_generator=lambda name: name)

    title: str = Field(max_length=100)
    description: str = Field(max_length=300)
    stage: Literal["ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP"]
    includedPermissions: list[Permission]  # noqa: N815 because Google calls it so


class BucketFlags(Strict):
    """https://cloud.google.com/sdk/gcloud/reference/storage/buckets/create."""

    location: str
    default_storage_class: StorageClass
    uniform_bucket_level_access: bool
    public_access_prevention: bool
    soft_delete_duration: Duration


class Threshold(BaseModel):
    """The parts of ``--threshold-rule``."""

    model_config = ConfigDict(extra="forbid")

    percent: float = Field(gt=0, le=1)
    basis: Literal["current-spend", "forecasted-spend"] = "current-spend"


class BudgetFlags(Strict):
    """https://cloud.google.com/sdk/gcloud/reference/billing/budgets/create."""

    billing_account: str
    display_name: str = Field(max_length=60)
    budget_amount: str = Field(pattern=r"^\d+(\.\d+)?([A-Z]{3})?$")
    calendar_period: Literal["month", "quarter", "year"]
    filter_projects: list[Annotated[str, Field(pattern="^projects/")]]
    threshold_rule: list[Threshold]


def check(name: str, content: Any) -> None:
    """Takes the content of the file ``name`` as Google would.

    Raises:
        RefusedError: When a key, a type or a value of an enumeration is not what the schema says.
    """
    try:
        SCHEMAS[name](content)
    except (json_format.ParseError, ValidationError, UserWarning) as error:
        raise RefusedError(f"{name}: {error}") from error


def message(kind: Any) -> Callable[[Any], None]:
    """The check of a protocol buffer's JSON, proto-plus or plain."""
    return lambda content: json_format.ParseDict(content, (kind.pb() if hasattr(kind, "pb") else kind)())


def _budget(parts: list[dict[str, Any]]) -> None:
    """A flags file repeats a flag by a list: https://cloud.google.com/sdk/gcloud/reference/topic/flags-file."""
    repeated = [part["--threshold-rule"] for part in parts if "--threshold-rule" in part]
    rest = {key: value for part in parts for key, value in part.items() if key != "--threshold-rule"}
    BudgetFlags.model_validate(rest | {"--threshold-rule": repeated})


def _lifecycle(content: dict[str, Any]) -> None:
    renamed = {
        key: [_with_renamed_conditions(rule) for rule in value] if key == "rule" else value
        for key, value in content.items()
    }
    json_format.ParseDict(renamed, Bucket.Lifecycle.pb()())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bucket = storage.Bucket(client=None, name="any")
        bucket.lifecycle_rules = content["rule"]
        for rule in bucket.lifecycle_rules:
            named = [rule["action"].get("storageClass", "STANDARD"), *rule["condition"].get("matchesStorageClass", [])]
            if unknown := set(named) - _STORAGE_CLASSES:
                raise UserWarning(f"unknown storage class {unknown}")


def _with_renamed_conditions(rule: dict[str, Any]) -> dict[str, Any]:
    conditions = {_RENAMED.get(key, key): value for key, value in rule.get("condition", {}).items()}
    return {**rule, "condition": conditions} if "condition" in rule else rule


_STORAGE_CLASSES = {getattr(constants, f"{name}_STORAGE_CLASS") for name in get_args(StorageClass)}
SCHEMAS: dict[str, Callable[[Any], object]] = {
    "autoscaling-policy.json": message(dataproc_v1.AutoscalingPolicy),
    "batch.json": message(dataproc_v1.Batch),
    "cluster.json": message(dataproc_v1.Cluster),
    "workflow-template.json": message(dataproc_v1.WorkflowTemplate),
    "bucket-policy.json": message(policy_pb2.Policy),
    "staging-policy.json": message(policy_pb2.Policy),
    "node-role.json": Role.model_validate,
    "submitter-role.json": Role.model_validate,
    "bucket.json": BucketFlags.model_validate,
    "lifecycle.json": _lifecycle,
    "staging-lifecycle.json": _lifecycle,
    "budget.json": _budget,
}
