"""Check that the installed packages are those of the lock."""

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.markers import Marker
from packaging.version import Version

from sagefm.preflight.checks import Check

_PIN = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)\s*(?:;([^\\]+))?", re.MULTILINE)


def locked(folder: Path) -> dict[str, str]:
    """Read the lock (`envs`): the version of each package that applies to this machine."""
    text = "".join((folder / name).read_text() for name in ("requirements.txt", "torch.txt"))
    wanted = [(name, pin) for name, pin, marker in _PIN.findall(text) if _applies(marker)]
    return dict(wanted)


def _applies(marker: str) -> bool:
    return not marker.strip() or Marker(marker.strip()).evaluate()


def package_checks(folder: Path) -> list[Check]:
    """Check all packages of the lock, as one check.

    A conda environment contains one chapter's packages only, so missing ones are ignored there.
    torch's build (`+cpu`) is not part of its version.
    """
    conda = (Path(sys.prefix) / "conda-meta").is_dir()
    pins, problems = locked(folder), []
    for name, wanted in pins.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            if not conda:
                problems.append(f"{name} is missing")
            continue
        if Version(found).base_version != Version(wanted).base_version:
            problems.append(f"{name} is {found}, not {wanted}")
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    if not problems:
        return [Check("packages", f"{python}, {len(pins)} packages as in the lock")]
    more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
    found = f"{python}; {', '.join(problems[:5])}{more}"
    remedy = "run `make env`, and start from its .venv (`.venv/bin/snakemake`)"
    return [Check("packages", found, remedy)]
