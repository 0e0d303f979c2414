"""The archive of a run: Snakemake's own report of it."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sagefm.common.io import atomic


def pack_report(
    archive: Path, log: Path, config: dict, snakefile: Path, target: str, style: Path
) -> None:
    """Write Snakemake's report on the jobs behind `target` to `archive` (zip), whole or not at all.

    A second Snakemake reads the workflow with the same `config` and only reports: it runs no job,
    so it needs neither the lock of the first nor its profile.
    """
    with tempfile.TemporaryDirectory() as folder:
        # The archive's folder is named after the file that Snakemake writes.
        path, draft = Path(folder, "config.json"), Path(folder, "report.zip")
        path.write_text(json.dumps(config))
        command: list[str | Path] = [sys.executable, "-m", "snakemake", target]
        command += ["--report", draft, "--report-stylesheet", style, "--nolock"]
        command += ["--snakefile", snakefile, "--configfile", path, "--workflow-profile", "none"]
        with Path(log).open("w") as stream:
            subprocess.run(command, check=True, stdout=stream, stderr=subprocess.STDOUT)
        with atomic(archive) as temporary:
            shutil.copyfile(draft, temporary)
