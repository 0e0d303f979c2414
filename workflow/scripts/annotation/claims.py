"""Judge the paper's claims on annotation and subtypes for each model."""

from pathlib import Path

from sagefm.annotation.claims import Question, Scores, task_claim
from sagefm.claims.reported import reported_values
from sagefm.claims.subjects import subjects
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    reported = reported_values(read_table(given.reported), "accuracy")
    claims = []
    for number, (task, judged_on) in enumerate(params.tasks.items()):
        words = params.questions[number]
        withheld = len(Path(given.withheld[number]).read_text().split())
        question = Question(**words, reported=reported.get(words["claim"]), withheld=withheld)
        paths = (given.scores[number], given.comparisons[number], given.patients[number])
        found, catalogue = Scores(*map(read_table, paths)), Catalogue(params.catalogues[number])
        claims += [
            task_claim(subject, question, found, catalogue)
            for subject in subjects(judged_on, task, given.trainings)
        ]
    write_table(claims_table(claims), snakemake.output.claims)
