"""Registries: things that can be added, one file each, found by file name.

`Registry` is used for formats (`cohorts/formats`), sources (`downloads/sources`), networks and
representation methods. A file in a registry's package is an entry if it defines the first of the
registry's required attributes. Base classes and shared functions may therefore be in the same
folder.

Users can add entries without changing the library. `SAGEFM_PATH` names one or more folders with the
same layout as the library, with files such as `FOLDER/cohorts/formats/loom.py`. It is an
environment variable because the jobs of a run are separate processes.
"""

import os
import re
import sys
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from sagefm.common.code import LIBRARY
from sagefm.common.errors import InputError, hint

SEARCH_PATH = "SAGEFM_PATH"
"""Environment variable that lists folders with a user's own entries, separated as in `PATH`."""


class Registry:
    """The entries of a folder of the library and of the same folder in each `SAGEFM_PATH`.

    Names are taken from file names, so that an entry is only imported when it is used.

    Parameters
    ----------
    room
        Folder within the library, such as `cohorts/formats`.
    noun
        Word for an entry in errors: "format".
    required
        Attributes that an entry's module must have. A file of the library is an entry if it defines
        the first of them.
    """

    def __init__(self, room: str, noun: str, required: tuple[str, ...]) -> None:
        self.room, self.noun, self.required = room, noun, required

    def names(self) -> tuple[str, ...]:
        """Return the names of all entries, sorted.

        Raises
        ------
        InputError
            If two files have the same name.
        """
        return tuple(sorted(self._files()))

    def load(self, name: str) -> ModuleType:
        """Import and return the module of an entry.

        Raises
        ------
        InputError
            If the entry does not exist or its file cannot be loaded.
        """
        return self.load_file(self.file(name))

    def file(self, name: str) -> Path:
        """Return the file of an entry.

        Raises
        ------
        InputError
            If the entry does not exist.
        """
        files = self._files()
        if name not in files:
            raise InputError(
                f"the {self.noun} `{name}` is unknown. Fix: correct the name; "
                f"{hint(name, sorted(files))}."
            )
        return files[name]

    def load_file(self, path: str | Path) -> ModuleType:
        """Import and return an entry from any file, such as one that a config names.

        Raises
        ------
        InputError
            If the file is missing, fails on import, or lacks a required attribute.
        """
        module = _module(Path(path).absolute(), self.noun)
        for attribute in self.required:
            if not hasattr(module, attribute):
                raise InputError(
                    f"{path}: a {self.noun} needs `{attribute}`, which this file does not define. "
                    f"Fix: define {', '.join(self.required)}."
                )
        return module

    def _files(self) -> dict[str, Path]:
        files = dict(_own(self.room, self.required[0]))
        for folder in filter(None, os.environ.get(SEARCH_PATH, "").split(os.pathsep)):
            for path in sorted(Path(folder, self.room).glob("[!_]*.py")):
                if path.stem in files:
                    raise InputError(
                        f"{path}: the {self.noun} `{path.stem}` already exists "
                        f"({files[path.stem]}). Fix: rename the file."
                    )
                files[path.stem] = path
        return files


@cache
def _own(room: str, mark: str) -> tuple[tuple[str, Path], ...]:
    """Return name and file of the library's own entries: those that define `mark` at top level."""
    defined = re.compile(rf"^(?:def |class )?{mark}\b", re.MULTILINE)
    files = sorted((LIBRARY / room).glob("*.py"))
    return tuple((path.stem, path) for path in files if defined.search(path.read_text()))


@cache
def _module(path: Path, noun: str) -> ModuleType:
    """Import a file: by module name if it is in the library, otherwise by its path."""
    if path.is_relative_to(LIBRARY):
        inner = path.relative_to(LIBRARY).with_suffix("").parts
        return import_module(".".join(("sagefm", *inner)))
    name = f"sagefm_own_{abs(hash(path)):x}_{path.stem}"
    spec = spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"{path}: no such Python file. Fix: correct the path of the {noun}.")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise InputError(
            f"{path}: the {noun} cannot be loaded ({type(error).__name__}: {error}). Fix: correct "
            "the file."
        ) from error
    return module
