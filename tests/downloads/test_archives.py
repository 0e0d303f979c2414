"""Single files extracted from archives, valid and damaged."""

import io
import tarfile
import zipfile

import pytest

from sagefm.common.errors import InputError
from sagefm.downloads.archives import extract

MEMBER = "10XVisium 2/#UKF242_T_ST/outs/filtered_feature_bc_matrix.h5"
FILES = {
    MEMBER: b"counts" * 1000,
    "10XVisium 2/#UKF243_T_ST/outs/filtered_feature_bc_matrix.h5": b"others",
    "readme.txt": b"hello",
}


def write_zip(path, more=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*FILES.items(), *more]:
            archive.writestr(name, content)
    return path


def write_tar(path, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in FILES.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link.h5")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


def archives(folder):
    return [
        write_zip(folder / "a.zip"),
        write_tar(folder / "a.tar"),
        write_tar(folder / "a.tar.gz", "w:gz"),
    ]


def assert_refused(archive, member, place, words):
    with pytest.raises(InputError, match=words) as caught:
        extract(archive, member, place)
    assert str(caught.value).startswith(str(archive)) and "\n" not in str(caught.value)
    assert not list(place.parent.glob("*"))


def test_one_file_comes_out_alone(tmp_path):
    for archive in archives(tmp_path):
        # Whole path, or the end of it where that names one file.
        for asked in (MEMBER, MEMBER.removeprefix("10XVisium 2/")):
            place = tmp_path / f"{archive.name}.contents" / "out.h5"
            extract(archive, asked, place)
            assert place.read_bytes() == FILES[MEMBER]
            assert [path.name for path in place.parent.iterdir()] == ["out.h5"]


def test_what_is_not_there_or_not_clear(tmp_path):
    place = tmp_path / "out/x"
    place.parent.mkdir()
    for archive in archives(tmp_path):
        assert_refused(archive, "readme.tx", place, "has no file `readme.tx`; did you mean `")
        assert_refused(
            archive, "outs/filtered_feature_bc_matrix.h5", place, "has 2 files .* give more"
        )


def test_links_and_folders_are_no_files(tmp_path):
    place = tmp_path / "out/x"
    place.parent.mkdir()
    link = zipfile.ZipInfo("link.h5")
    link.external_attr = 0o120777 << 16
    folder = zipfile.ZipInfo("folder/")
    archive = write_zip(tmp_path / "a.zip", [(link, "/etc/passwd"), (folder, "")])
    assert_refused(archive, "link.h5", place, "is a link or a folder")
    assert_refused(archive, "folder/", place, "is a link or a folder")
    assert_refused(write_tar(tmp_path / "a.tar"), "link.h5", place, "is a link or a folder")


def test_a_member_that_climbs_goes_where_the_rule_says(tmp_path):
    """Only bytes are taken out of an archive; its names decide nothing about the disk."""
    place = tmp_path / "deep/er/out"
    archive = write_zip(tmp_path / "a.zip", [("../../evil.txt", b"evil")])
    extract(archive, "../../evil.txt", place)
    assert place.read_bytes() == b"evil"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "deep", "er", "out"]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_cut_off_or_spoilt(tmp_path, kind):
    place = tmp_path / "out/x"
    place.parent.mkdir()
    archive = next(path for path in archives(tmp_path) if path.name == f"a.{kind}")
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 3])
    assert_refused(archive, MEMBER, place, "damaged or cut off|has no file")
    if kind == "zip":
        spoilt = bytearray(content)
        spoilt[len(MEMBER) + 40] ^= 0xFF
        archive.write_bytes(spoilt)
        assert_refused(archive, MEMBER, place, "damaged")
