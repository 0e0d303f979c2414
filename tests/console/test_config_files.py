"""Configs that Snakemake cannot read give a one-line error instead of a traceback."""

import subprocess
import sys

import pytest

from sagefm.console.config_files import config_files_of, refuse_unreadable_configs

CONFIG = "run: mine\n# café\n"


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("-n --configfile a.yaml b.yaml --cores 2", ["a.yaml", "b.yaml"]),
        ("--configfiles a.yaml -- target", ["a.yaml"]),
        ("--configfile=a.yaml b.yaml", ["a.yaml", "b.yaml"]),
        ("-n all --config run=x", []),
    ],
)
def test_configs_are_those_of_the_command_line(line, files):
    assert config_files_of(line.split()) == files


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("latin-1", "is not text in UTF-8. Fix: save it in that encoding."),
        ("utf-16", "is not text in UTF-8. Fix: save it in that encoding."),
        ("utf-16-le", "is not text in UTF-8. Fix: save it in that encoding."),
        ("utf-8", ""),
        ("utf-8-sig", ""),
    ],
)
def test_a_config_must_be_utf_8(tmp_path, encoding, words):
    path = tmp_path / "my.yaml"
    path.write_bytes(CONFIG.encode(encoding))
    arguments = ["-n", "--configfile", str(path)]
    if not words:
        refuse_unreadable_configs(arguments)
        return
    with pytest.raises(SystemExit) as caught:
        refuse_unreadable_configs(arguments)
    assert caught.value.code == f"Error: {path} cannot be read as a config: it {words}"


def test_letters_of_ascii_in_utf_16_are_bytes_of_0(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_bytes(b"run: mine\n".decode().encode("utf-16-le"))
    with pytest.raises(SystemExit, match="cannot be read as a config: it holds bytes of 0"):
        refuse_unreadable_configs(["--configfile", str(path)])


def test_snakemake_ends_in_the_sentence(tmp_path, repo):
    path = tmp_path / "my.yaml"
    path.write_bytes(CONFIG.encode("latin-1"))
    command = [sys.executable, "-m", "snakemake", "-n", "--configfile", str(path)]
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Error: {path} cannot be read as a config: it is not text in UTF-8. Fix: save it in that "
        "encoding."
    ]


def test_make_names_the_run_of_a_config_that_windows_wrote(tmp_path, repo):
    path = tmp_path / "my.yaml"
    path.write_bytes(CONFIG.replace("\n", "\r\n").encode("utf-8-sig"))
    command = ["make", "-n", "demo", f"CONFIG={path}"]
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, check=True)
    assert "results/mine/scoreboard.tsv" in done.stdout
