"""The console of a run: steps, time left, warnings, and a one-line message for a failure."""

import io
import logging
import os
import re
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from sagefm.common.job import WATCHED
from sagefm.console.handler import COSTS, WORKFLOW, LogHandler, sentences_in
from sagefm.console.progress import RunProgress, about, chapters_of, duration, minutes_of


@pytest.fixture
def console(monkeypatch):
    """A handler and what it has written."""
    monkeypatch.setenv(WATCHED, "")
    monkeypatch.delenv(WATCHED)
    return shown_on(io.StringIO(), monkeypatch)


def shown_on(stream, monkeypatch, dryrun=False):
    monkeypatch.setattr("sys.stderr", stream)
    settings = SimpleNamespace(
        stdout=False, dryrun=dryrun, quiet=set(), show_failed_logs=False, debug_dag=False
    )
    return LogHandler(settings, None), stream


def send(handler, message, level=logging.INFO, **facts):
    record = logging.makeLogRecord({"msg": message, "levelno": level, **facts})
    if handler.filter(record):
        handler.emit(record)


def begin(handler, job, rule, message, log=()):
    facts = {"rule_name": rule, "rule_msg": message, "log": list(log)}
    send(handler, "", event=LogEvent.JOB_INFO, jobid=job, **facts)


def plan(handler, **stats):
    send(handler, "Provided cores: 2", event=LogEvent.RESOURCES_INFO, cores=2)
    stats = {**stats, "all": 1, "total": sum(stats.values()) + 1}
    send(handler, "Job stats", event=LogEvent.RUN_INFO, stats=stats)


def test_snakemake_finds_the_plugin():
    registry = LoggerPluginRegistry()
    registry.collect_plugins()
    assert registry.get_plugin("sagefm").log_handler is LogHandler


def test_a_run_is_a_line_for_each_job(console):
    handler, stream = console
    send(handler, "Building DAG of jobs...")
    plan(handler, ingest=20, graph=20)
    for job in range(40):
        begin(handler, job, "ingest" if job < 20 else "graph", f"Working on section {job}")
        send(handler, "", event=LogEvent.JOB_FINISHED, job_id=job)
    handler.close()
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("40 steps on 2 cores")
    assert lines[1].startswith("Ctrl-C is safe")
    assert sum("Working on section" in line for line in lines) == 40
    assert sum(" steps done" in line for line in lines) == 9  # at each tenth but the last
    assert lines[-1].startswith("40 of 40 steps in ")
    assert "DAG" not in stream.getvalue()
    assert os.environ[WATCHED] == "1"


def test_a_failed_job_shows_its_sentence_once(console, tmp_path):
    handler, stream = console
    log, other = tmp_path / "a.log", tmp_path / "b.log"
    log.write_text("12:00:00 ingest: read\n12:00:01 ingest: ERROR: a.h5ad: is empty. Fix: it.\n")
    other.write_text("12:00:01 graph: WARNING: 3 spots left out\n12:00:01 graph: 9 spots\n")
    plan(handler, ingest=1, graph=1)
    begin(handler, 1, "ingest", "Reading a", [log])
    begin(handler, 2, "graph", "Neighbours of b", [other])
    send(handler, "", event=LogEvent.JOB_FINISHED, job_id=2)
    raised = "RuleException:\nCalledProcessError in file x, line 3"
    send(handler, raised, logging.ERROR, event=LogEvent.ERROR)
    facts = {"rule_name": "ingest", "rule_msg": None, "log": [str(log)]}
    send(handler, "", logging.ERROR, event=LogEvent.JOB_ERROR, jobid=1, **facts)
    last = "WorkflowError:\nAt least one job did not complete successfully."
    send(handler, last, logging.ERROR, event=LogEvent.ERROR)
    handler.close()
    text = stream.getvalue()
    assert f"FAILED: Reading a\na.h5ad: is empty. Fix: it.\nlog: {log}\n" in text
    assert text.count("is empty") == 1
    assert "Neighbours of b: 3 spots left out\n" in text
    assert "Exception" not in text and "WorkflowError" not in text
    assert text.splitlines()[-1].startswith("1 of 2 steps in ")
    assert "1 failed" in text.splitlines()[-1]


def test_errors_before_any_job_are_shown_as_they_are(console):
    handler, stream = console
    send(handler, "WorkflowError:\nsheet a.tsv: no row.", logging.ERROR, event=LogEvent.ERROR)
    send(handler, "Nothing to be done (all requested files are present and up to date).")
    handler.close()
    assert "sheet a.tsv: no row." in stream.getvalue() and "Nothing to be done" in stream.getvalue()


def test_a_dry_run_looks_as_ever(monkeypatch):
    handler, stream = shown_on(io.StringIO(), monkeypatch, dryrun=True)
    send(handler, "Job stats:\ngraph 2", event=LogEvent.RUN_INFO, stats={"graph": 2, "total": 2})
    handler.close()
    assert stream.getvalue() == "Job stats:\ngraph 2\n"


def test_bars_on_a_terminal(monkeypatch):
    monkeypatch.setenv(WATCHED, "")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    handler, _ = shown_on(stream, monkeypatch)
    plan(handler, graph=2, ingest=2)
    begin(handler, 1, "graph", "Neighbours of b")
    send(handler, "", event=LogEvent.JOB_FINISHED, job_id=1)
    begin(handler, 2, "ingest", "Reading a")
    handler.view.live.refresh()
    handler.close()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert re.search(r"graphs +.+ 1/2", text) and re.search(r"cohorts +.+ 0/2", text)
    assert "1 of 4 steps done" in text and "Reading a" in text
    assert text.rstrip().splitlines()[-1].startswith("1 of 4 steps in ")


def test_an_unexpected_error_is_shown_with_its_traceback(tmp_path):
    (tmp_path / "a.log").write_text("1 a: ERROR: unexpected error\nTraceback\nKeyError: 'x'\n")
    (tmp_path / "b.log").write_text("\n".join(map(str, range(40))))
    assert sentences_in([str(tmp_path / "a.log")]) == [
        "unexpected error",
        "Traceback",
        "KeyError: 'x'",
    ]
    assert sentences_in([str(tmp_path / "b.log")]) == [str(n) for n in range(25, 40)]
    assert sentences_in([str(tmp_path / "none.log")]) == []


def test_the_time_left_is_that_of_the_work_left():
    progress = RunProgress({"long": 2, "short": 10}, {}, {"long": 10.0, "short": 1.0}, cores=2)
    assert progress.expected() == 15
    assert progress.left(3) == 12  # nothing is done: what is expected, less what has passed
    progress.start(1, "long", "")
    progress.finish(1)
    assert progress.left(4) == pytest.approx(8)  # ten of thirty minutes of work took four
    assert progress.by_chapter() == {"long": (1, 2), "short": (0, 10)}
    assert RunProgress({"a": 2}, {}, {}).left(0) is None


def test_every_rule_has_a_chapter_and_the_demo_its_costs():
    chapters = chapters_of(WORKFLOW / "rules")
    assert chapters["ingest"] == "cohorts" and chapters["pretrain"] == "training"
    minutes = minutes_of(COSTS)
    assert all(minutes[rule] > 0 for rule in ("ingest", "pretrain", "annotate"))
    # A job that ends before Snakemake measures it has 0.
    assert min(minutes.values()) >= 0
    assert minutes_of(COSTS.parent / "none.tsv") == {}


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.3, "less than a minute"), (1.2, "1 minute"), (89, "89 minutes"), (200, "3 h 20 min")],
)
def test_times_in_words(minutes, words):
    assert duration(minutes) == words
    assert about(minutes) == (words if minutes < 1 else f"about {words}")
