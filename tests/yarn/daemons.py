"""A real YARN on this machine: HDFS for staging, a resource manager, two node managers, each a process of its own.

The daemons come from Maven artefacts, resolved by Spark's own package resolution. Node managers listen on 127.0.0.1
and 127.0.0.2, so that executors land on two hosts.
"""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

NODES = ("127.0.0.1", "127.0.0.2")
NODE_MIB = 4096
_HDFS, _YARN = "org.apache.hadoop.hdfs.server", "org.apache.hadoop.yarn.server"
_MAINS = {
    "name_node": f"{_HDFS}.namenode.NameNode",
    "data_node": f"{_HDFS}.datanode.DataNode",
    "resource_manager": f"{_YARN}.resourcemanager.ResourceManager",
    "node_manager": f"{_YARN}.nodemanager.NodeManager",
}
_JAVA = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true")
# Hadoop 3.3 opens JDK classes by reflection, which Java 17 forbids.
_OPENS = ("--add-opens=java.base/java.lang=ALL-UNNAMED",)
_LOG4J = """log4j.rootLogger=INFO,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
"""
_UP_S = 120.0


@dataclass
class Yarn:
    """A running cluster.

    Attributes:
        folder: Where its files are; ``conf`` below it is ``HADOOP_CONF_DIR``.
        web: The resource manager's REST address.
    """

    folder: Path
    classpath: str
    roles: Mapping[str, str]
    web: str = ""
    name_node: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    def spawn(self, name: str, kind: str, conf: Path, environment: Mapping[str, str]) -> None:
        known = {key: os.environ[key] for key in ("PATH", "HOME", "JAVA_HOME") if key in os.environ}
        # Its web applications' folders must exist, empty, on the class path.
        path = f"{conf}:{self.folder}:{self.classpath}"
        command = ["java", *_JAVA, *_OPENS, f"-Dhadoop.home.dir={self.folder}", "-cp", path, _MAINS[kind]]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**known, "HADOOP_CONF_DIR": str(conf), **environment},
                cwd=self.folder,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kills a daemon as the end of its machine would: a node manager's containers with it."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()
        self.end_containers(name)

    def end_containers(self, node: str = "node_manager") -> None:
        """Kills all that a node's containers run."""
        for pid in self.containers(node):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def containers(self, node: str = "node_manager", command: str = "") -> list[int]:
        """Processes that a node's containers run, those whose command line holds ``command``."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                place, line = str((process / "cwd").readlink()), (process / "cmdline").read_bytes()
                if place.startswith(f"{self.folder}/{node}") and command.encode() in line.replace(b"\0", b" "):
                    found.append(int(process.name))
        return found

    def nodes(self) -> list[str]:
        """Names of the node managers that run."""
        return [name for name in self.processes if name.startswith("node_manager")]

    def start_node(self, number: int, host: str) -> None:
        """Starts a node manager, and waits until it has joined."""
        before = self.metrics()["activeNodes"]
        conf = self.folder / f"conf-{number}"
        self.spawn(f"node_manager-{number}", "node_manager", conf, {"SPARK_LOCAL_IP": host, **self.roles})
        deadline = time.monotonic() + _UP_S
        while self.metrics()["activeNodes"] == before and time.monotonic() < deadline:
            time.sleep(0.2)

    def metrics(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.web}/ws/v1/cluster/metrics", timeout=2) as answer:
            return json.load(answer)["clusterMetrics"]


@contextmanager
def yarn(folder: Path, jars: Path, core: Mapping[str, str], roles: Mapping[str, str]) -> Iterator[Yarn]:
    """The cluster for the length of the block.

    Args:
        folder: An empty folder for all of it.
        jars: Folder of Hadoop's jars.
        core: Further properties of ``core-site.xml``, such as a file system's.
        roles: Variables that every container finds, as the credentials of a node's role are there for all on it.
    """
    for name in ("conf", "webapps/hdfs", "webapps/datanode"):
        (folder / name).mkdir(parents=True)
    cluster = Yarn(folder, f"{jars}/*", roles)
    try:
        _start(cluster, core)
        yield cluster
    finally:
        for process in cluster.processes.values():
            process.terminate()
        for process in cluster.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        cluster.end_containers()


def _start(cluster: Yarn, core: Mapping[str, str]) -> None:
    name_node, web, hdfs_web = _place(), _place(), _place()
    cluster.web, cluster.name_node = f"http://{web}", f"hdfs://{name_node}"
    shared = {
        "core-site.xml": {"fs.defaultFS": cluster.name_node, "hadoop.tmp.dir": f"{cluster.folder}/hadoop", **core},
        "hdfs-site.xml": _hdfs(cluster.folder, name_node, hdfs_web),
        "yarn-site.xml": _yarn(web, cluster.roles),
        "capacity-scheduler.xml": _scheduler(),
    }
    _write(cluster.conf, shared)
    words = ["java", *_JAVA, *_OPENS, "-cp", f"{cluster.conf}:{cluster.classpath}"]
    subprocess.run(
        [str(word) for word in (*words, _MAINS["name_node"], "-format", "-nonInteractive")],
        check=True,
        capture_output=True,
        cwd=cluster.folder,
    )
    for kind in ("name_node", "resource_manager", "data_node"):
        cluster.spawn(kind, kind, cluster.conf, {})
    for number, host in enumerate(NODES):
        conf = cluster.folder / f"conf-{number}"
        _write(conf, {**shared, "yarn-site.xml": shared["yarn-site.xml"] | _node(cluster.folder, number, host)})
        cluster.spawn(f"node_manager-{number}", "node_manager", conf, {"SPARK_LOCAL_IP": host, **cluster.roles})
    _wait(cluster, f"http://{hdfs_web}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState")


def _wait(cluster: Yarn, hdfs_state: str) -> None:
    deadline = time.monotonic() + _UP_S
    while time.monotonic() < deadline:
        for name, process in cluster.processes.items():
            if process.poll() is not None:
                tail = (cluster.folder / f"{name}.log").read_text()[-3000:]
                raise AssertionError(f"{name} ended with {process.returncode}:\n{tail}")
        with suppress(OSError, ValueError, KeyError, IndexError):
            with urllib.request.urlopen(hdfs_state, timeout=2) as answer:
                state = json.load(answer)["beans"][0]
            operational = state["NumLiveDataNodes"] == 1 and state["FSState"] == "Operational"
            if operational and cluster.metrics()["activeNodes"] == len(NODES):
                return
        time.sleep(0.2)
    raise AssertionError(f"the cluster was not up within {_UP_S:g} s; see the logs in {cluster.folder}")


def _hdfs(folder: Path, name_node: str, web: str) -> dict[str, str]:
    return {
        "dfs.replication": "1",
        "dfs.namenode.name.dir": f"file://{folder}/hdfs/name",
        "dfs.datanode.data.dir": f"file://{folder}/hdfs/data",
        "dfs.namenode.rpc-address": name_node,
        "dfs.namenode.http-address": web,
        "dfs.namenode.secondary.http-address": _place(),
        "dfs.datanode.address": _place(),
        "dfs.datanode.http.address": _place(),
        "dfs.datanode.ipc.address": _place(),
        "dfs.permissions.enabled": "false",
        "dfs.namenode.safemode.extension": "0",
        "dfs.namenode.datanode.registration.ip-hostname-check": "false",
    }


def _yarn(web: str, roles: Mapping[str, str]) -> dict[str, str]:
    manager = "yarn.resourcemanager"
    return {
        f"{manager}.hostname": NODES[0],
        f"{manager}.address": _place(),
        f"{manager}.scheduler.address": _place(),
        f"{manager}.resource-tracker.address": _place(),
        f"{manager}.admin.address": _place(),
        f"{manager}.webapp.address": web,
        f"{manager}.am.max-attempts": "2",
        "yarn.scheduler.minimum-allocation-mb": "64",
        "yarn.scheduler.maximum-allocation-mb": str(NODE_MIB),
        "yarn.nodemanager.resource.memory-mb": str(NODE_MIB),
        "yarn.nodemanager.resource.cpu-vcores": "8",
        "yarn.nodemanager.pmem-check-enabled": "true",
        "yarn.nodemanager.vmem-check-enabled": "false",
        # Else nobody kills a container that takes more memory than it asked for.
        "yarn.nodemanager.resource.memory.enforced": "false",
        "yarn.nodemanager.container-monitor.interval-ms": "500",
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "99.5",
        "yarn.nodemanager.env-whitelist": ",".join(("JAVA_HOME", "HADOOP_CONF_DIR", "SPARK_LOCAL_IP", *roles)),
        "yarn.nm.liveness-monitor.expiry-interval-ms": "10000",
    }


def _node(folder: Path, number: int, host: str) -> dict[str, str]:
    node = "yarn.nodemanager"
    return {
        f"{node}.hostname": host,
        f"{node}.bind-host": host,
        f"{node}.address": _place(host),
        f"{node}.localizer.address": _place(host),
        f"{node}.collector-service.address": _place(host),
        f"{node}.webapp.address": _place(host),
        f"{node}.local-dirs": f"{folder}/node_manager-{number}/local",
        f"{node}.log-dirs": f"{folder}/node_manager-{number}/logs",
    }


def _scheduler() -> dict[str, str]:
    queue = "yarn.scheduler.capacity.root"
    return {
        f"{queue}.queues": "default",
        f"{queue}.default.capacity": "100",
        f"{queue}.default.state": "RUNNING",
        "yarn.scheduler.capacity.maximum-am-resource-percent": "0.8",
    }


def _write(conf: Path, files: Mapping[str, Mapping[str, str]]) -> None:
    conf.mkdir(exist_ok=True)
    for name, properties in files.items():
        lines = (
            f"<property><name>{key}</name><value>{escape(value)}</value></property>"
            for key, value in properties.items()
        )
        (conf / name).write_text("<configuration>\n" + "\n".join(lines) + "\n</configuration>\n")
    (conf / "log4j.properties").write_text(_LOG4J)


def _place(host: str = NODES[0]) -> str:
    with socket.create_server((host, 0)) as free:
        return f"{host}:{free.getsockname()[1]}"
