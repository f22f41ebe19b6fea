"""The shipped policies of a job, filled: the one place that knows where they lie."""

import json
from copy import deepcopy
from functools import cache
from typing import Any

from fruits_pipeline.clusters.folder import config_folder
from fruits_pipeline.clusters.templates import filled
from schemas.account import properties

JOB = "serviceAccount:fruits-job@project.iam.gserviceaccount.com"
_GCS = {"PROJECT": "project", "BUCKET": "fruits", "SERVICE_ACCOUNT": JOB.partition(":")[2], "SUBMITTER": "user:me"}


def shipped(cloud: str) -> dict[str, Any]:
    """The document for a job, to be changed at will: of its role on ``aws``, of its bucket on ``gcs``."""
    return deepcopy(_document(cloud))


@cache
def _document(cloud: str) -> dict[str, Any]:
    if cloud == "aws":
        document: dict[str, Any] = properties("us-east-1", Bucket="fruits")["JobPolicy"]["PolicyDocument"]
        return document
    return filled(json.loads((config_folder() / "dataproc" / "bucket-policy.json").read_text()), _GCS)


def actions(statement: dict[str, Any]) -> list[str]:
    """The actions of a statement of AWS, of which there may be one."""
    found = statement["Action"]
    return [found] if isinstance(found, str) else found
