"""Kills the first job of every rule with SIGKILL; a run's Pythons have it as `sitecustomize`.

At the worst moment: the job's other outputs are there, and half of the last one is in its temporary
file. The environment says where to note what was killed (`KILLED`, a folder), and for which rules
all goes down with the job, as by a power cut (`POWER_CUTS`, their names).
"""

import os
import signal
import sys
from pathlib import Path

_rename = os.replace
_there: set[Path] = set()


def _job() -> tuple[str, set[Path]]:
    """Rule and outputs of this process; what is no script of a rule can only bind the report."""
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if not hasattr(job, "output"):
        return "report_zip", {Path("results/small/report.zip").absolute()}
    return job.rule, {Path(path).absolute() for path in job.output}


def _replace(temporary, destination, **more) -> None:
    """Rename a file; a rule's first job does not live to rename its last output.

    Of an output that is a folder, the first file counts.
    """
    rule, outputs = _job()
    path = Path(destination).absolute()
    path = next((folder for folder in path.parents if folder in outputs), path)
    if path in outputs and outputs <= _there | {path}:
        try:
            Path(os.environ["KILLED"], rule).touch(exist_ok=False)
        except FileExistsError:
            pass  # the rule's turn is over
        else:
            about = Path(temporary).lstat()
            if not Path(temporary).is_symlink() and about.st_nlink == 1:  # no other's as well
                os.truncate(temporary, about.st_size // 2)
            if rule in os.environ["POWER_CUTS"].split():
                os.killpg(0, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
    _there.add(path)
    _rename(temporary, destination, **more)


os.replace = _replace
