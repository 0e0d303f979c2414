"""A SLURM cluster of one machine in a temporary folder, without changing system files.

Its two nodes report more cores and memory than the machine has, and two GPUs each. It keeps no
accounts. One partition has both nodes, the others the first. Daemons are stopped by the process ids
under which they were started.
"""

import getpass
import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
NODES = ("node", "far")
WANTED = (*DAEMONS, "sbatch", "srun", "scancel", "scontrol", "squeue")
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"

CONF = """\
ClusterName=trial
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
# Memory is watched, as cgroups would: a job above its request is ended.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=10
MinJobAge=7200
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=DEFAULT CPUs={cpus} RealMemory=64000 Gres=gpu:2
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port}
NodeName=far NodeHostname={host} NodeAddr=127.0.0.1 Port={far_port}
PartitionName=cpu Nodes=node Default=YES
PartitionName=gpu Nodes=node
PartitionName=both Nodes=node,far
PartitionName=urgent Nodes=node PriorityTier=10
"""
GRES = "NodeName=node,far Name=gpu File=/dev/null\nNodeName=node,far Name=gpu File=/dev/zero\n"
# Snakemake's plugin removes SLURM_CONF from a job's environment for `srun`.
SRUN = '#!/bin/sh\nSLURM_CONF={conf} exec {srun} "$@"\n'


def found(program: str) -> str | None:
    """Find a program of SLURM, including those of administrators outside a user's PATH."""
    return shutil.which(program, path=f"{os.environ['PATH']}:{SYSTEM}")


def free_ports(number: int) -> list[int]:
    """Return ports that are not in use."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass
class Cluster:
    """A cluster with all files in `folder`. It runs while the context is open."""

    folder: Path
    cpus: int = 4
    daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that a command needs to use this cluster."""
        path = f"{self.folder}/bin:{os.environ['PATH']}:{SYSTEM}"
        return {**os.environ, "PATH": path, "SLURM_CONF": f"{self.folder}/slurm.conf"}

    def __enter__(self) -> "Cluster":
        host = socket.gethostname().split(".")[0]
        ports = dict(zip(("port", "node_port", "far_port"), free_ports(3), strict=True))
        names = {"host": host, "cpus": self.cpus, **ports}
        conf = CONF.format(folder=self.folder, user=getpass.getuser(), **names)
        for name in ("munge", "state", "spool", "bin"):
            (self.folder / name).mkdir()
        (self.folder / "slurm.conf").write_text(conf)
        (self.folder / "gres.conf").write_text(GRES)
        srun = self.folder / "bin/srun"
        srun.write_text(SRUN.format(conf=self.folder / "slurm.conf", srun=found("srun")))
        srun.chmod(0o755)
        key = self.folder / "munge/key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        options = {"key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options["socket"] = "socket"
        files = [f"--{option}={self.folder}/munge/{name}" for option, name in options.items()]
        try:
            # --force, since the folders above are accessible to their owner only.
            self._start("munged", "--foreground", "--force", "--num-threads=2", *files)
            self._wait(lambda: (self.folder / "munge/socket").exists())
            self._start("slurmctld", "-D")
            for node in NODES:
                self._start("slurmd", "-D", "-N", node)
            states = ("sinfo", "--noheader", "--Node", "--partition=both", "-o", "%T")
            self._wait(lambda: self.ask(*states, check=False).split() == ["idle"] * len(NODES))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        """End all jobs, then stop the daemons in reverse order."""
        if set(NODES) & set(self.daemons):
            self.ask("scancel", "--user", getpass.getuser(), check=False)
            with suppress(AssertionError):
                self._wait(lambda: not self.ask("squeue", "--noheader", check=False))
        for process in reversed(self.daemons.values()):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.daemons.clear()

    def _start(self, program: str, *arguments: str) -> None:
        name = arguments[-1] if arguments[-1] in NODES else program
        with (self.folder / f"{name}.out").open("w") as out:
            self.daemons[name] = subprocess.Popen(
                [found(program), *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait(self, ready, seconds: int = 60) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < deadline, "the cluster does not answer:\n" + self.said()
            time.sleep(0.2)

    def said(self) -> str:
        """Return the daemons' output."""
        return "\n".join(p.read_text(errors="replace") for p in self.folder.glob("*.out"))

    def ask(self, *command: str, check: bool = True) -> str:
        """Run a SLURM command and return its output."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def jobs(self) -> list[dict[str, str]]:
        """Return all jobs that `scontrol` lists, including finished ones, sorted by id."""
        lines = self.ask("scontrol", "show", "job", "--oneliner").splitlines()
        facts = [dict(f.split("=", 1) for f in line.split() if "=" in f) for line in lines]
        return sorted((job for job in facts if "JobId" in job), key=lambda job: int(job["JobId"]))
