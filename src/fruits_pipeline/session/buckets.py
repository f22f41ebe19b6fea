"""Storage settings as properties of Hadoop's connectors, and of the committers that write through them.

Sources: Hadoop's "hadoop-aws" and "Committing work to S3 with the S3A Committers", and CONFIGURATION.md of
Google's hadoop-connectors. Credentials are left to the connectors' own search, which reads what ``aws`` and
``gcloud`` wrote; no secret passes through here.
"""

from typing import Final

from fruits_pipeline.session.connectors import CLOUD_COMMITTER, GCS, S3A
from fruits_pipeline.settings.storage import StorageSettings

# The default chains of credentials of AWS SDK 1 (S3A up to Hadoop 3.3) and of SDK 2 (since): S3A of 3.4 translates
# other class names of SDK 1, but not this one.
_CHAIN_1: Final = "com.amazonaws.auth.DefaultAWSCredentialsProviderChain"
_CHAIN_2: Final = "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider"
_ANONYMOUS: Final = "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider"

# Parts of a file are uploaded as tasks run and joined when the job commits: no rename, and no half-written file.
MAGIC_COMMITTER: Final = {
    "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
    "spark.sql.parquet.output.committer.class": CLOUD_COMMITTER,
}
# Before each file the connector would read every folder above it as an object, and end where it may read below a
# prefix alone. An object in a folder's place would be found out by whatever reads the output.
_CHECK: Final = "fs.gs.create.items.conflict.check.enable"
_MAGIC_HADOOP: Final = {
    "mapreduce.outputcommitter.factory.scheme.s3": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
    "fs.s3a.committer.name": "magic",
    "fs.s3a.committer.magic.enabled": "true",
}


def hadoop_properties(schemes: frozenset[str], settings: StorageSettings, hadoop: str) -> dict[str, str]:
    """Properties of the connectors of ``schemes`` (``s3``, ``gs``; others need none) for version ``hadoop``."""
    properties: dict[str, str | None] = {}
    if "s3" in schemes:
        properties |= _s3(settings, hadoop)
    if "gs" in schemes:
        properties |= _gs(settings)
    return {name: value for name, value in properties.items() if value is not None}


def _s3(settings: StorageSettings, hadoop: str) -> dict[str, str | None]:
    endpoint = settings.s3_endpoint_url
    path_style = endpoint is not None if settings.s3_path_style is None else settings.s3_path_style
    kms = settings.s3_sse_kms_key_id
    return _MAGIC_HADOOP | {
        "fs.s3.impl": S3A,
        "fs.s3a.endpoint": endpoint,
        "fs.s3a.endpoint.region": settings.s3_region,
        "fs.s3a.path.style.access": _java_bool(path_style),
        "fs.s3a.connection.ssl.enabled": _java_bool(endpoint is None or endpoint.startswith("https:")),
        "fs.s3a.aws.credentials.provider": _ANONYMOUS if settings.s3_anonymous else _chain(hadoop),
        "fs.s3a.requester.pays.enabled": _java_bool(settings.s3_requester_pays),
        "fs.s3a.server-side-encryption-algorithm": "SSE-KMS" if kms else None,
        "fs.s3a.server-side-encryption.key": kms,
        # A bucket's own settings of EMR, where its file system serves s3: addresses.
        "fs.s3.enableServerSideEncryption": "true" if kms else None,
        "fs.s3.serverSideEncryption.kms.keyId": kms,
        "fs.s3.useRequesterPaysHeader": _java_bool(settings.s3_requester_pays),
    }


def _chain(hadoop: str) -> str:
    """The credentials provider that S3A of version ``hadoop`` has: the default chain of its AWS SDK.

    >>> _chain("3.3.6") == _CHAIN_1, _chain("3.4.1-amzn-2") == _CHAIN_2
    (True, True)
    """
    major, minor = hadoop.split(".")[:2]
    return _CHAIN_2 if (int(major), int(minor)) >= (3, 4) else _CHAIN_1


def _gs(settings: StorageSettings) -> dict[str, str | None]:
    payer = settings.gcs_billing_project
    return {
        "fs.gs.impl": GCS,
        "fs.AbstractFileSystem.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
        "fs.gs.storage.root.url": settings.gcs_endpoint_url,
        "fs.gs.auth.service.account.enable": "false" if settings.gcs_anonymous else None,
        "fs.gs.auth.null.enable": "true" if settings.gcs_anonymous else None,
        "fs.gs.requester.pays.mode": "AUTO" if payer else None,
        "fs.gs.requester.pays.project.id": payer,
        _CHECK: "false",
        # Objects are renamed when their task ends, not all by the driver at the end; whatever a task that failed
        # leaves is not marked, is swept, and a room counts its rows before it is marked.
        "mapreduce.fileoutputcommitter.algorithm.version": "2",
    }


def _java_bool(value: bool) -> str:
    return "true" if value else "false"
