"""Kill the first job of every rule with SIGKILL; a run's Pythons load this as `sitecustomize`.

The job is killed at the worst moment: its other outputs exist, and half of the last one is in its
temporary file. Environment variables name the folder that records killed jobs (`KILLED`), and the
rules for which the whole run is killed, as in a power cut (`POWER_CUTS`).
"""

import os
import signal
import sys
from pathlib import Path

_rename = os.replace
_there: set[Path] = set()


def _job() -> tuple[str, set[Path]]:
    """Rule and outputs of this process. If it is not a rule's script, it packs the report."""
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if not hasattr(job, "output"):
        return "report_zip", {Path("results/small/report.zip").absolute()}
    return job.rule, {Path(path).absolute() for path in job.output}


def _replace(temporary, destination, **more) -> None:
    """Rename a file, unless it is the last output of a rule's first job, which is then killed.

    If an output is a folder, its first file counts.
    """
    rule, outputs = _job()
    path = Path(destination).absolute()
    path = next((folder for folder in path.parents if folder in outputs), path)
    if path in outputs and outputs <= _there | {path}:
        try:
            Path(os.environ["KILLED"], rule).touch(exist_ok=False)
        except FileExistsError:
            pass  # the rule's first job was killed already
        else:
            about = Path(temporary).lstat()
            if not Path(temporary).is_symlink() and about.st_nlink == 1:  # no other name
                os.truncate(temporary, about.st_size // 2)
            if rule in os.environ["POWER_CUTS"].split():
                os.killpg(0, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
    _there.add(path)
    _rename(temporary, destination, **more)


os.replace = _replace
