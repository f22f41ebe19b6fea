"""The job of a bundle on the cluster: made, uploaded and submitted by our own commands."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyspark
from daemons import Yarn

from servers.server import Server

BIN = Path(sys.executable).parent
SPARK_HOME = Path(pyspark.__file__).parent
BUCKET = "s3://fruits"
# Classifiers that are fitted in seconds.
SMALL = ("--forest-trees", "8", "--forest-depth", "5", "--regression-iterations", "20")
_TARGETS = {"3.5": "emr-7.14", "4.1": "emr-spark-8.1"}
TARGET = _TARGETS[".".join(pyspark.__version__.split(".")[:2])]


@dataclass(frozen=True)
class Ended:
    """How a submission ended."""

    code: int
    said: str


@dataclass
class Cluster:
    """A cluster, its bucket, and the bundle in it."""

    yarn: Yarn
    server: Server
    bundle: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def prepared(cls, yarn: Yarn, s3_jars: list[Path], server: Server, bundle: Path, shared: Path) -> "Cluster":
        """Makes the bundle, uploads it, and writes what a cluster's ``spark-defaults.conf`` says."""
        cluster = cls(yarn, server, bundle / "bundle", _environment(yarn, s3_jars, server, bundle))
        server.fill_s3("fruits", {"readme.txt": b"-"})
        weights = shared / "weights" / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
        words = ["bundle", "--target", TARGET, "--bundle-dir", cluster.bundle, "--upload", f"{BUCKET}/packages"]
        words += ["--cache-dir", bundle / "cache", *(["--weights", weights] if weights.is_file() else [])]
        done = cluster.run(BIN / "fruits-pipeline", *words)
        assert done.code == 0, done.said
        return cluster

    def run(self, *words: object, **variables: str) -> Ended:
        """Runs a command with the cluster's settings."""
        done = subprocess.run(
            [str(word) for word in words],
            capture_output=True,
            text=True,
            env=self.environment | variables,
            timeout=560,
            check=False,
        )
        return Ended(done.returncode, done.stdout + done.stderr)

    def step(self, source: str, output: str, *words: object, **asked: object) -> list[str]:
        """The ``spark-submit`` line of the EMR step that ``submit emr`` would send."""
        flags = [word for name, value in asked.items() for word in (f"--{name.replace('_', '-')}", value)]
        command = [BIN / "fruits-pipeline", "submit", "emr", "--dry-run", "--cluster-id", "j-TEST", "--target", TARGET]
        command += ["--bundle", self.bundle, "--data-source", source, "--output-uri", output, *SMALL, *flags, *words]
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, env=self.environment, check=False
        )
        assert done.returncode == 0, done.stderr
        requests = json.loads(done.stdout.partition("\n\n")[2])
        step = next(request["body"]["Steps"][0] for request in requests if "Steps" in request["body"])
        return list(step["HadoopJarStep"]["Args"])

    def path_with_yarn(self, folder: Path) -> str:
        """A PATH with the command ``yarn``, which a Hadoop made of Maven artefacts lacks: its class in a script."""
        main = "org.apache.hadoop.yarn.client.cli.ApplicationCLI"
        script = folder / "yarn"
        script.write_text(f'#!/bin/sh\nexec java -cp "{self.yarn.conf}:{self.yarn.classpath}" {main} "$@"\n')
        script.chmod(0o755)
        return f"{folder}{os.pathsep}{self.environment['PATH']}"

    def popen(self, line: list[str]) -> "subprocess.Popen[str]":
        """Starts a step's line."""
        return subprocess.Popen(
            [str(BIN / line[0]), *line[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )

    def submit(self, line: list[str]) -> Ended:
        """Runs a step's line to its end."""
        return self.run(BIN / line[0], *line[1:])

    def record(self, output: str) -> dict[str, Any]:
        """``run.json`` of an output."""
        return json.loads(self.objects(f"{output.removeprefix(BUCKET + '/')}/run.json").popitem()[1])

    def keys(self, prefix: str) -> list[str]:
        """Keys of the objects below ``prefix``."""
        pages = self.server.s3_client().get_paginator("list_objects_v2").paginate(Bucket="fruits", Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", []) if not found["Key"].endswith("/")]

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Key and content of each object below ``prefix``."""
        client = self.server.s3_client()
        return {key: client.get_object(Bucket="fruits", Key=key)["Body"].read() for key in self.keys(prefix)}

    def download(self, output: str, folder: Path) -> Path:
        """An output as files."""
        prefix = output.removeprefix(f"{BUCKET}/")
        for key, content in self.objects(f"{prefix}/").items():
            file = folder / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return folder / prefix


def _environment(yarn: Yarn, s3_jars: list[Path], server: Server, folder: Path) -> dict[str, str]:
    """The environment of a cluster's master node."""
    connector = ":".join(str(jar) for jar in s3_jars)
    defaults = {
        "spark.master": "yarn",
        "spark.yarn.jars": f"local:{SPARK_HOME}/jars/*",
        "spark.driver.extraClassPath": connector,
        "spark.executor.extraClassPath": connector,
        "spark.ui.enabled": "false",
        "spark.yarn.submit.waitAppCompletion": "true",
        "spark.yarn.report.interval": "500ms",
    }
    conf = folder / "spark-conf"
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in defaults.items()))
    known = {name: os.environ[name] for name in ("HOME", "JAVA_HOME") if name in os.environ}
    return {
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
        **known,
        **server.environment(),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_CONF_DIR": str(conf),
        "SPARK_DIST_CLASSPATH": connector,
        "HADOOP_CONF_DIR": str(yarn.conf),
        "FRUITS_S3_ENDPOINT_URL": server.url,
        "FRUITS_S3_REGION": "us-east-1",
    }
