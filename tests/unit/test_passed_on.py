"""Refusals that Spark passes on, in the connectors' words: recorded from S3A of Hadoop 3.3.4 and 3.4.2 and Google's.

What they met answered 403 in the words of the vendors; stack frames are left out.
"""

import pytest

from fruits_pipeline.storage.passed_on import storage_fault, told_of_google

OUTPUT = "s3://data/results/one"
GOOGLE = "com.google.cloud.hadoop.repackaged.gcs.com.google.api.client.googleapis.json.GoogleJsonResponseException"
SDK_1 = "com.amazonaws.services.s3.model.AmazonS3Exception"
SDK_2 = "software.amazon.awssdk.services.s3.model.S3Exception"
TAIL_1 = "Request ID: 0; S3 Extended Request ID: null; Proxy: null), S3 Extended Request ID: null"
WHO = "User: arn:aws:sts::123456789012:assumed-role/fruits-pipeline-nodes/i-0 is not authorized to perform:"


def denied(where, operation, said, code="AccessDenied"):
    """The cause that S3A gives with SDK 1."""
    cause = f"{SDK_1}: {said} (Service: Amazon S3; Status Code: 403; Error Code: {code}; {TAIL_1}"
    return f"java.nio.file.AccessDeniedException: {where}: {operation} on {where}: {cause}:{code}"


def denied_2(where, operation, said, code="AccessDenied"):
    """The cause that S3A gives with SDK 2."""
    cause = f"{SDK_2}: {said} (Service: S3, Status Code: 403, Request ID: 0)"
    return f"java.nio.file.AccessDeniedException: {where}: {operation} on {where}: {cause}:{code}\nCaused by: {cause}"


FEATURES = "results/one/features/wave=00000"
TASK = "s3://data/results/one/models/reduce/metadata/_temporary/0/task_2026_m_000000"
MANY = (
    "java.nio.file.AccessDeniedException: Remove S3 Files on s3://data/results/one: "
    "org.apache.hadoop.fs.s3a.impl.MultiObjectDeleteException: [S3Error(Key=results/one/a=b/x, Code=AccessDenied, "
    "Message=Access Denied)] (Service: Amazon S3, Status Code: 200, Request ID: null):MultiObjectDeleteException: "
    "AccessDenied: results/one/a=b/x: Access Denied\n"
)
MANY_1 = (
    "java.nio.file.AccessDeniedException: delete on s3a://data/results/one: com.amazonaws.services.s3.model."
    "MultiObjectDeleteException: One or more objects could not be deleted (Service: null; Status Code: 200; "
    "Error Code: null; Request ID: 0; S3 Extended Request ID: null), S3 Extended Request ID: null: AccessDenied: "
    "results/one/x: Access Denied\n"
)
EMRFS = (
    f"com.amazon.ws.emr.hadoop.fs.shaded.{SDK_1}: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: "
    f"AccessDenied; {TAIL_1}"
)
KMS = (
    f'{WHO} kms:GenerateDataKey on resource: "arn:aws:kms:eu-west-3:123456789012:key/1-2" because no identity-based '
    "policy allows the kms:GenerateDataKey action"
)
NO_LIST = f'{WHO} s3:ListBucket on resource: "arn:aws:s3:::data" because no identity-based policy allows it'
FORBIDDEN = "403 Forbidden"

OF_S3 = [
    (denied(FEATURES, "PUT 0-byte object ", "Access Denied"), "write", f"s3:PutObject on arn:aws:s3:::data/{FEATURES}"),
    (
        denied_2(FEATURES, "PUT 0-byte object ", "Access Denied"),
        "write",
        f"s3:PutObject on arn:aws:s3:::data/{FEATURES}",
    ),
    (
        denied("s3a://data/x.csv", "getFileStatus", "Forbidden", FORBIDDEN),
        "look at",
        "s3:GetObject on arn:aws:s3:::data/x.csv",
    ),
    (
        denied_2("s3://data/x y", "getFileStatus", "Forbidden", "null"),
        "look at",
        "s3:GetObject on arn:aws:s3:::data/x y",
    ),
    (denied_2("s3://data/x", "getFileStatus", "null", "null"), "look at", "s3:GetObject on arn:aws:s3:::data/x"),
    (denied_2("s3://data/x", "getFileStatus", "Access Denied"), "list", "s3:ListBucket on arn:aws:s3:::data"),
    (denied("s3://data/x", "getFileStatus", NO_LIST), "list", "s3:ListBucket on arn:aws:s3:::data"),
    (denied("s3://data/x", "listObjects", "Access Denied"), "list", "s3:ListBucket on arn:aws:s3:::data"),
    (denied(TASK, "delete", "Access Denied"), "delete", f"s3:DeleteObject on arn:aws:s3:::{TASK[5:]}"),
    (denied_2(TASK, "Remove S3 Files", "Access Denied"), "delete", f"s3:DeleteObject on arn:aws:s3:::{TASK[5:]}"),
    (MANY, "delete", "s3:DeleteObject on arn:aws:s3:::data/results/one/a=b/x"),
    (MANY_1, "delete", "s3:DeleteObject on arn:aws:s3:::data/results/one/x"),
    (
        denied("s3://data/x", "Aborting multipart upload ID 1", "Access Denied"),
        "abort the upload of",
        "s3:AbortMultipartUpload on arn:aws:s3:::data/x",
    ),
    (
        denied("s3://data/x", "Writing Object", KMS),
        "write",
        "kms:GenerateDataKey on arn:aws:kms:eu-west-3:123456789012:key/1-2",
    ),
    (EMRFS, "use", "s3:ListBucket or s3:GetObject or s3:PutObject or s3:DeleteObject"),
]


@pytest.mark.parametrize(("told", "what", "right"), OF_S3)
def test_a_refusal_by_s3_names_the_right(told, what, right):
    fault = storage_fault(f"An error occurred while calling o1.parquet.\n: {told}", OUTPUT)
    assert fault is not None
    assert str(fault).startswith(f"could not {what} s3://data/")
    assert f"; grant {right}" in str(fault)
    assert fault.lacks.startswith(right)


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed"], ids=str.lower)
def test_a_refusal_of_credentials_is_none_of_a_right(code):
    fault = storage_fault(denied("s3://data/x", "open", "No", code), OUTPUT)
    assert fault is not None
    assert fault.lacks == ""
    assert str(fault).startswith(f"could not read s3://data/x: {code}: No; ")


def google(method, url, right, of="object"):
    said = (
        f"fruits-job@project.iam.gserviceaccount.com does not have {right} access to the Google Cloud Storage {of}. "
        f"Permission '{right}' denied on resource (or it may not exist)."
    )
    return (
        f"java.io.IOException: Error accessing x\nCaused by: {GOOGLE}: 403 Forbidden\n{method} "
        f'https://storage.googleapis.com{url}\n{{\n  "code" : 403,\n  "errors" : [ {{\n    "domain" : "global",\n'
        f'    "message" : "{said}",\n    "reason" : "forbidden"\n  }} ],\n  "message" : "{said}"\n}}\n'
    )


SAID = "me does not have storage.objects.get access to the Google Cloud Storage object."
ONE = f"Caused by: {GOOGLE}\n{told_of_google(403, '')}"
UPLOAD = "/upload/storage/v1/b/data/o?ifGenerationMatch=0&name=results/wave%3D0/_temporary/x&uploadType=resumable"


@pytest.mark.parametrize(
    ("told", "what", "right"),
    [
        (
            google("POST", UPLOAD, "storage.objects.create"),
            "write gs://data/results/wave=0/_temporary/x",
            "storage.objects.create on gs://data/results/wave=0/_temporary/x",
        ),
        (
            google("GET", "/storage/v1/b/data/o/results%2Fx?fields=name", "storage.objects.get"),
            "read gs://data/results/x",
            "storage.objects.get on gs://data/results/x",
        ),
        (
            google("GET", "/storage/v1/b/data/o?prefix=results/", "storage.objects.list", "bucket"),
            "list gs://data",
            "storage.objects.list on gs://data",
        ),
        (
            google("DELETE", "/storage/v1/b/data/o/results%2Fx?generation=1", "storage.objects.delete"),
            "delete gs://data/results/x",
            "storage.objects.delete on gs://data/results/x",
        ),
        (
            google("GET", "/storage/v1/b/data/o/x", "").replace("does not have", "has not").replace("''", "it"),
            "read gs://data/x",
            "storage.objects.get on gs://data/x",
        ),
        (
            google("POST", "/upload/storage/v1/b/data/o?uploadType=multipart", "storage.objects.create"),
            "write gs://data/results",
            "storage.objects.create on gs://data/results",
        ),
        (
            f"java.io.IOException: Error deleting 'gs://data/results/x=0/part', stage 2 with generation 1\n{ONE}",
            "delete gs://data/results/x=0/part",
            "storage.objects.delete on gs://data/results/x=0/part",
        ),
        (
            f"{GOOGLE}\n{told_of_google(403, SAID)}",
            "use gs://data/results",
            "storage.objects.get on gs://data/results",
        ),
    ],
    ids=["create", "get", "list", "delete", "unnamed", "small", "one of many", "one of many, named"],
)
def test_a_refusal_by_cloud_storage_names_the_right(told, what, right):
    fault = storage_fault(told, "gs://data/results")
    assert fault is not None
    assert str(fault).startswith(f"could not {what}: Forbidden: ")
    assert f"; grant {right} (" in str(fault)


@pytest.mark.parametrize(
    "told",
    [
        "java.io.FileNotFoundException: No such file or directory: s3://data/x",
        f"{SDK_1}: Slow Down (Service: Amazon S3; Status Code: 503; Error Code: SlowDown; {TAIL_1}",
        f"java.io.IOException: No space left on device\n\tSuppressed: {denied('s3://data/x', 'open', 'Access Denied')}",
        f"java.io.IOException: Error deleting 'gs://data/x', stage 2\nCaused by: {GOOGLE}\n{told_of_google(503, '')}",
        f"{GOOGLE}: 404 Not Found\nGET https://storage.googleapis.com/storage/v1/b/data/o/x\n",
    ],
)
def test_another_failure_is_left_as_it_is(told):
    assert storage_fault(told, OUTPUT) is None
