"""Registry entries are found by their files, in the library and in a user's folder."""

import sys

import pytest

from sagefm.common.errors import InputError
from sagefm.common.registry import Registry

SOURCES = Registry("downloads/sources", "source", ("HELP", "locate", "raw_path"))
WHOLE = "HELP = 'x'\n\ndef locate():\n    return 'mine'\n\ndef raw_path():\n    pass\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A user's folder on the search path."""
    monkeypatch.setenv("SAGEFM_PATH", str(tmp_path))
    room = tmp_path / "downloads/sources"
    room.mkdir(parents=True)
    return room


def test_names_are_those_of_files_that_are_entries():
    assert SOURCES.names() == tuple(sorted(SOURCES.names()))
    assert "geo" in SOURCES.names()
    assert not {"base", "registry", "__init__"} & set(SOURCES.names())


def test_names_are_read_without_importing(folder):
    (folder / "ftp.py").write_text("raise RuntimeError('imported')\n")
    assert "ftp" in SOURCES.names()


def test_a_users_file_is_an_entry_as_long_as_its_folder_is_searched(folder, monkeypatch):
    (folder / "ftp.py").write_text(WHOLE)
    (folder / "_shared.py").write_text("")
    assert "ftp" in SOURCES.names()
    assert "_shared" not in SOURCES.names()
    assert SOURCES.load("ftp").locate() == "mine"
    assert SOURCES.load("ftp") is SOURCES.load("ftp")
    monkeypatch.delenv("SAGEFM_PATH")
    assert "ftp" not in SOURCES.names()


def test_the_librarys_modules_are_those_that_are_imported():
    assert SOURCES.load("geo") is sys.modules["sagefm.downloads.sources.geo"]


def test_a_file_may_be_named_by_its_path(tmp_path):
    (tmp_path / "mine.py").write_text(WHOLE)
    assert SOURCES.load_file(tmp_path / "mine.py").HELP == "x"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("ftp", "HELP = 'x'\n", "a source needs `locate`"),
        ("ftp", "1 / 0\n", "cannot be loaded (ZeroDivisionError: division by zero)"),
        ("geo", WHOLE, "the source `geo` already exists"),
    ],
)
def test_a_file_that_cannot_be_an_entry_is_named(folder, name, text, words):
    (folder / f"{name}.py").write_text(text)
    with pytest.raises(InputError) as error:
        SOURCES.load(name)
    assert words in str(error.value)
    assert str(folder / f"{name}.py") in str(error.value)


def test_an_unknown_name_ends_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"the source `goe` is unknown.*did you mean `geo`"):
        SOURCES.load("goe")
    with pytest.raises(InputError, match="no such Python file"):
        SOURCES.load_file(tmp_path / "gone.py")
