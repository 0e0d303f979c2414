"""Full and read-only disks under Snakemake: a clear message, and no partial output."""

import re
import subprocess
import sys

import pytest

from sagefm.common.errors import InputError
from sagefm.common.h5ad import write_h5ad
from sagefm.common.io import temporary_of
from support import runs, small

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NAMESPACES = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])
"""A mount that only the commands under it see: as root, and as a user where that is allowed."""

TARGET = "results/small/samples/atlas/heart-1.h5ad"
STEPS = f"""
mount -t tmpfs -o size=600k tmpfs results || exit 9
head -c 560k /dev/zero > results/ballast
"$@"; echo "first start: status $?"
find results -type f -printf 'left over: %P\\n'
rm results/ballast; mount -o remount,size=64m results
"$@"; echo "second start: status $?"
test -s {TARGET} && echo "the sample is there"
"""


def namespace(folder) -> list[str] | None:
    """The command under which a small disk may be mounted here, if there is one."""
    for command in NAMESPACES:
        try:
            trial = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
            if subprocess.run([*command, *trial], capture_output=True).returncode == 0:
                return command
        except FileNotFoundError:
            continue
    return None


def test_a_full_disk_ends_in_one_sentence_and_nothing_partial(tmp_path):
    folder = runs.prepare(tmp_path / "run")
    # Samples of the whole panel, which fill the disk; the small one's pairs are not all in it.
    config = {key: runs.CONFIG[key] for key in ("run", "cohorts", "models", "graphs")}
    runs.write_config(folder, config | {"panel": "resources/panel/sagefm_genes.txt"})
    (folder / "results").mkdir()
    private = namespace(folder / "results")
    if private is None:  # no disk may be mounted here: the device that is always full, then
        path = folder / "results/heart-1.h5ad"
        temporary_of(path).symlink_to("/dev/full")
        with pytest.raises(InputError, match="no space left on the disk"):
            write_h5ad(small.patch(), path)
        assert not list(path.parent.iterdir())
        return
    snakemake = [sys.executable, "-m", "snakemake", "--cores", "2", TARGET]
    done = subprocess.run(
        [*private, "sh", "-c", STEPS, "sh", *snakemake],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
    )
    first, second = done.stdout.split("first start: ")
    sentence = (
        r"results/_shared/samples/\w+\.h5ad: no space left on the disk. Fix: free some space, or "
    )
    errors = {line for line in first.splitlines() if "ERROR:" in line}
    assert len(errors) == 1, done.stdout
    (error,) = errors
    assert re.search(sentence, error), error
    assert second.startswith("status 1\n")
    left = [line.split(": ")[1] for line in second.splitlines() if line.startswith("left over")]
    assert sorted(left) == ["ballast", "small/logs/ingest/atlas/heart-1.log"], done.stdout
    assert "second start: status 0\nthe sample is there" in second, second


def test_a_read_only_folder_ends_in_one_sentence_before_any_job(tmp_path):
    folder = runs.prepare(tmp_path / "run")
    (folder / "results/small").mkdir(parents=True)
    private = namespace(folder / "results")
    if private is None:  # nothing may be mounted, so this is not root: what a mode forbids, then
        (folder / "results/small").chmod(0o500)
        (folder / "results").chmod(0o500)
    steps = 'mount --bind results results && mount -o remount,bind,ro results && "$@"'
    shell = ["sh", "-c", steps if private else '"$@"', "sh"]
    done = subprocess.run(
        [*(private or []), *shell, sys.executable, "-m", "snakemake", "--cores", "2", TARGET],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
    )
    assert done.returncode == 1
    assert (
        f"{folder}/results: you have no permission to write there. Fix: change that" in done.stdout
    )
    assert "Traceback" not in done.stdout
    assert "ingest:" not in done.stdout
