"""A bundle's archives on a cluster: what its nodes have fetched is what was uploaded."""

import re
from collections.abc import Iterator
from typing import Any, Final

from pyspark import SparkConf, SparkContext

from fruits_pipeline.errors import SubmissionError

# Where YARN, and where other masters have the archives of a submission.
_LISTS: Final = ("spark.yarn.dist.archives", "spark.archives")
# Bundles are uploaded to folders that are named by the first digits of the content's sha256.
_BUNDLED: Final = re.compile(r"(.*/([0-9a-f]{16})/[^/#]+)(?:#.*)?")


def check_archives(context: SparkContext) -> None:
    """Reads the bundle's archives once more, and holds them against the sha256 in their addresses.

    Nodes unpack them before any code of ours runs, so that only whoever wrote into the bucket since is seen.

    Raises:
        SubmissionError: When one is another file than the one that was uploaded.
    """
    for address, wanted in bundled(context.getConf()):
        found = _sha256(context, address)
        if not found.startswith(wanted):
            raise SubmissionError(
                f"expected a sha256 of {wanted}... for {address}, found {found}; somebody has replaced it: upload the "
                "bundle again"
            )


def bundled(conf: SparkConf) -> Iterator[tuple[str, str]]:
    """Address and first digits of the sha256 of each archive of a bundle; others have none in their address.

    >>> list(bundled(SparkConf(False).set("spark.archives", "s3://b/p/0123456789abcdef/e.tar.gz#e,s3://b/mine.zip")))
    [('s3://b/p/0123456789abcdef/e.tar.gz', '0123456789abcdef')]
    """
    addresses = [address for name in _LISTS for address in (conf.get(name) or "").split(",")]
    for address in dict.fromkeys(addresses):
        if found := _BUNDLED.fullmatch(address):
            yield found[1], found[2]


def _sha256(context: SparkContext, address: str) -> str:
    """The file's sha256 by the connector and with the credentials that the cluster has; nothing is kept of it."""
    jvm: Any = context._jvm  # noqa: SLF001 because Spark has no public way to Hadoop's file systems
    java: Any = context._jsc  # noqa: SLF001
    path = jvm.org.apache.hadoop.fs.Path(address)
    content = path.getFileSystem(java.hadoopConfiguration()).open(path)
    try:
        return str(jvm.org.apache.commons.codec.digest.DigestUtils.sha256Hex(content))
    finally:
        content.close()
