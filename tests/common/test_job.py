"""What a script leaves: a log, and a one-line error or a traceback."""

import logging
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from sagefm.common.errors import InputError
from sagefm.common.job import WATCHED, job


@pytest.fixture
def snakemake(tmp_path):
    """What Snakemake hands to a script."""
    return SimpleNamespace(log=[str(tmp_path / "rule.log")], rule="ingest")


def written(snakemake) -> str:
    return Path(snakemake.log[0]).read_text()


def test_messages_go_to_the_log_and_warnings_to_stderr_as_well(snakemake, capsys):
    with job(snakemake) as log:
        log.info("%d spots", 42)
        log.warning("%d left out", 3)
    text, warning = written(snakemake), "ingest: WARNING: 3 left out"
    assert "ingest: 42 spots" in text and warning in text
    shown = capsys.readouterr().err
    assert "42 spots" not in shown and warning in shown


def test_stderr_is_left_to_a_console_that_reads_the_logs(snakemake, capsys, monkeypatch):
    monkeypatch.setenv(WATCHED, "1")
    with pytest.raises(SystemExit), job(snakemake) as log:
        log.warning("%d left out", 3)
        raise InputError("no counts.")
    assert "ingest: WARNING: 3 left out" in written(snakemake)
    assert "ingest: ERROR: no counts." in written(snakemake)
    assert capsys.readouterr().err == ""


def test_bad_input_is_one_sentence_and_status_1(snakemake):
    with pytest.raises(SystemExit) as caught, job(snakemake):
        raise InputError("sheet a.tsv, sample `x`: no counts; give some.")
    assert caught.value.code == 1
    lines = written(snakemake).splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("ingest: ERROR: sheet a.tsv, sample `x`: no counts; give some.")


def test_anything_else_leaves_its_traceback(snakemake):
    with pytest.raises(ZeroDivisionError), job(snakemake):
        raise ZeroDivisionError("division by zero")
    text = written(snakemake)
    assert "unexpected error" in text
    assert "Traceback" in text
    assert "ZeroDivisionError: division by zero" in text


def test_an_exit_of_the_script_itself_passes(snakemake):
    with pytest.raises(SystemExit) as caught, job(snakemake):
        sys.exit(143)
    assert caught.value.code == 143
    assert written(snakemake) == ""


def test_warnings_are_kept_in_the_log(snakemake, capsys):
    with job(snakemake), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("names are not unique", stacklevel=1)
    assert "names are not unique" in written(snakemake)


def test_a_new_start_begins_a_new_log(snakemake):
    for message in ("first", "second"):
        with job(snakemake) as log:
            log.info(message)
    assert "second" in written(snakemake)
    assert "first" not in written(snakemake)


@pytest.mark.parametrize("error", [None, InputError("bad"), OSError("worse")])
def test_scripts_of_one_process_have_their_lines_to_themselves(tmp_path, capsys, error):
    logs = [SimpleNamespace(log=[str(tmp_path / name)], rule=name) for name in ("one", "two")]
    loggers = [logging.getLogger(name) for name in ("sagefm", "py.warnings")]
    before = [list(logger.handlers) for logger in loggers]
    for own in logs:
        with suppress(SystemExit, OSError), warnings.catch_warnings(), job(own) as log:
            warnings.simplefilter("always")
            log.warning("of %s", own.rule)
            warnings.warn(f"warned by {own.rule}", stacklevel=1)
            if error:
                raise error
    assert [list(logger.handlers) for logger in loggers] == before
    assert capsys.readouterr().err.count("two: WARNING: of two") == 1
    for own, other in zip(logs, reversed(logs), strict=True):
        text = written(own)
        assert text.count(f": of {own.rule}\n") == text.count(f": warned by {own.rule}\n") == 1
        assert f"of {other.rule}" not in text and f"by {other.rule}" not in text


def test_as_a_process(repo, tmp_path):
    """The exit status and the sentence that Snakemake sees."""
    code = (
        "from types import SimpleNamespace as N; from sagefm.common.job import job\n"
        "from sagefm.common.errors import InputError\n"
        f"with job(N(log=[{str(tmp_path / 'log')!r}], rule='graph')):\n"
        "    raise InputError('one sentence.')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(repo / "workflow")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("graph: ERROR: one sentence.")
    assert "Traceback" not in done.stderr


def test_a_script_refuses_the_library_of_another_repository(snakemake, repo, tmp_path):
    snakemake.scriptdir = str(repo / "workflow/scripts/graphs")
    with job(snakemake):
        pass
    other = tmp_path / "workflow/sagefm"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    snakemake.scriptdir = str(tmp_path / "workflow/scripts/graphs")
    with pytest.raises(SystemExit), job(snakemake):
        pass
    assert f"is not the library in {other}. Fix: install" in written(snakemake)
