"""The main file of a batch: fetches the bundle's archives, and goes on as ``fruits-pipeline`` in the bundle's Python.

    batch.py run ADDRESS#environment ADDRESS#models [flags]

A batch of Dataproc Serverless unpacks archives for its executors; of the driver nothing is promised:
https://cloud.google.com/dataproc-serverless/docs/reference/rest/v1/projects.locations.batches#PySparkBatch
So the runtime's own Python starts this file, which needs nothing but PySpark. It fetches by the connector and with the
credentials that the batch's JVM has.
"""

import hashlib
import os
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, NoReturn

# The executors' working folders have it under the same name.
PYTHON = "./environment/bin/python"
# Of a fault of storage or of the cluster: the same submission resumes.
FAILED = 7
_DIGITS = 16


class FetchError(Exception):
    """An archive cannot be read, or is another one than its address says."""


def unpack(address: str) -> None:
    """Unpacks ``ADDRESS#NAME`` into the folder NAME of the working folder.

    Raises:
        FetchError: When it cannot be read, or its sha256 does not begin with the last folder of its address.
    """
    source, _, name = address.partition("#")
    archive = Path(f"{name}.tar.gz").resolve()
    try:
        _copy(source, archive)
    except Exception as error:
        cause = str(getattr(error, "java_exception", error)).splitlines()[0]
        raise FetchError(
            f"expected to read {source}, found {cause}; give the batch's service account the right to read it"
        ) from error
    wanted = source.rpartition("/")[0].rpartition("/")[2]
    with archive.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if wanted != found[:_DIGITS]:
        raise FetchError(f"expected a sha256 of {wanted}... for {source}, found {found}; upload the bundle again")
    with tarfile.open(archive) as tar:
        tar.extractall(name, filter="data")
    archive.unlink()


def _copy(source: str, target: Path) -> None:
    """Copies a file by Hadoop's file systems, in the JVM that started this process."""
    from pyspark.java_gateway import launch_gateway

    jvm: Any = launch_gateway().jvm  # type: ignore[no-untyped-call]  # because PySpark leaves it untyped
    path = jvm.org.apache.hadoop.fs.Path(source)
    files = path.getFileSystem(jvm.org.apache.spark.deploy.SparkHadoopUtil.get().conf())
    files.copyToLocalFile(False, path, jvm.org.apache.hadoop.fs.Path(f"file:{target}"), True)


def go_on(command: str, flags: list[str]) -> NoReturn:
    """Becomes the command in the bundle's Python, whose wrapper finds this interpreter on the PATH."""
    here = str(Path(sys.executable).parent)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    environment |= {"PYSPARK_PYTHON": PYTHON, "PYSPARK_DRIVER_PYTHON": PYTHON}
    environment["PATH"] = f"{here}{os.pathsep}{environment.get('PATH', os.defpath)}"
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(PYTHON, [PYTHON, "-m", "fruits_pipeline", command, *flags], environment)  # noqa: S606 because there is nothing for a shell to do


def main(words: list[str]) -> NoReturn:
    """Unpacks the archives, unless the batch has done so, and goes on."""
    command, *rest = words
    count = next((place for place, word in enumerate(rest) if word.startswith("-")), len(rest))
    try:
        if not Path(PYTHON).is_file():
            os.chdir(tempfile.mkdtemp(prefix="fruits-"))
            for address in rest[:count]:
                unpack(address)
    except FetchError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(FAILED)
    go_on(command, rest[count:])


if __name__ == "__main__":
    main(sys.argv[1:])
