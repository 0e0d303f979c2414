"""The examples of config/README.md: each address is valid and gives the section."""

import io
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from bench import stand_ins
from sagefm.cohorts.readers import read_source
from sagefm.downloads.archives import extract
from sagefm.downloads.fetch import bring
from sagefm.downloads.lock import LockTable
from sagefm.downloads.plan import RawPlan
from sagefm.downloads.sources.base import CONTENTS, split_member
from sagefm.downloads.sources.registry import names
from support import helpers, small

TEXT = (helpers.REPO / "config/README.md").read_text()


def cells(heading: str) -> list[list[str]]:
    """The rows of the table under a heading, without the quotes."""
    rows = re.search(re.escape(heading) + r".*\n\|[-| ]+\n((?:\|.*\n)+)", TEXT)[1].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def published_makes() -> list[list[str]]:
    """The rows of the table of makes whose section is published, as rows of the other table."""
    makes = [
        (what, dict(re.findall(r"(\w+) `([^`]+)`", row))) for what, row in cells("| what | columns")
    ]
    return [
        [what, row["source"], row["path_or_id"], row.get("positions", "")]
        for what, row in makes
        if row["source"] != "local"
    ]


EXAMPLES = [
    [cell.strip("`") for cell in row] for row in cells("| what | `source` |")
] + published_makes()


@pytest.fixture(scope="module")
def section():
    return small.patch(spots=30, genes=60)


def written(name: str, section, folder: Path) -> bytes:
    """A section's file of a name, in the layout that the name tells of."""
    path = folder / Path(name).name
    if name.endswith(".h5ad"):
        section.write_h5ad(path)
    elif name.endswith(".h5"):
        helpers.write_tenx_h5(section, path)
    else:
        helpers.write_positions(section, path, header=False)
    return path.read_bytes()


def packed(archive: str, members: dict[str, bytes]) -> bytes:
    """A zip or tar of some members."""
    content = io.BytesIO()
    if archive.endswith(".zip"):
        with zipfile.ZipFile(content, "w") as file:
            for name, member in members.items():
                file.writestr(name, member)
    else:
        with tarfile.open(fileobj=content, mode="w") as file:
            for name, member in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(member)
                file.addfile(info, io.BytesIO(member))
    return content.getvalue()


def published(source: str, address: str) -> tuple[str, str]:
    """Under which name a stand-in has the file of an address."""
    if source == "hest":
        return "hub", f"st/{address}.h5ad"
    if source == "hub":
        return "hub", address.split("/", 2)[2]
    if source == "url":
        return "web", address.removeprefix("https://example.org/")
    return source, address


def test_there_is_an_example_of_geo_the_hub_dryad_and_the_web():
    assert {"geo", "hub", "url", "hest", "dryad"} == {row[1] for row in EXAMPLES}
    assert set(names()) >= {row[1] for row in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_an_example_brings_its_section(example, section, tmp_path, monkeypatch):
    _, source, address, positions = example
    monkeypatch.chdir(tmp_path)
    plan, lock = RawPlan("data"), LockTable("lock.tsv")
    wanted = [name for name in (address, positions) if name]
    with stand_ins.serving() as services:
        for name, value in services.environment().items():
            monkeypatch.setenv(name, value)
        archives: dict[str, dict[str, bytes]] = {}
        for name in wanted:
            outer, member = split_member(name)
            file = "x.h5ad" if source == "hest" else member or outer
            content = written(file, section, tmp_path)
            if member:
                archives.setdefault(outer, {})[member] = content
                content = packed(outer, archives[outer])
            services.files[published(source, outer)] = content
        here = {
            key: value.replace("https://example.org", f"{services.url}/web")
            for key, value in {"path_or_id": address, "positions": positions}.items()
        }
        row = {"source": source, **here}
        path, where = plan.section(row), plan.positions(row)
        for file, origin in plan.origins.items():
            bring(origin, file, plan.folder, lock, 2)
    for place in filter(None, (path, where)):
        archive, inside, member = place.partition(f"{CONTENTS}/")
        if inside:
            extract(archive, member, place)
    found = read_source(path, positions=where or None)
    assert found.n_obs == section.n_obs
    assert found.X.sum() == section.X.sum()
