# Sections: read, filtered, harmonised to the gene panel, counted.

from sagefm.cohorts.formats.registry import FORMATS


rule label_table:
    input:
        files=lambda wildcards: [
            given(RAW.section(row)) for row in LABEL_FILES[wildcards.cohort].to_dict("records")
        ],
        codes=lambda wildcards: given(
            config["cohorts"][wildcards.cohort]["raw_labels"].get("codes")
        ),
    output:
        table=f"{RESULTS}/labels/{{cohort}}.tsv",
    log:
        f"{RESULTS}/logs/label_table/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/label_table/{{cohort}}.tsv"
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        code=code_of("cohorts/labels.py"),
        contents=lambda wildcards: contents_of(
            *map(RAW.section, LABEL_FILES[wildcards.cohort].to_dict("records")),
            config["cohorts"][wildcards.cohort]["raw_labels"].get("codes"),
        ),
        samples=lambda wildcards: [*LABEL_FILES[wildcards.cohort]["sample"]],
        column=lambda wildcards: config["cohorts"][wildcards.cohort]["raw_labels"].get("column"),
    message:
        "Reading the labels of {wildcards.cohort}"
    script:
        "../scripts/cohorts/labels.py"


rule ingest:
    input:
        source=lambda wildcards: given(RAW.section(row_of(wildcards))),
        positions=lambda wildcards: given(RAW.positions(row_of(wildcards))),
        aliases=given(config["harmonise"]["aliases"]),
        panel=given(config["panel"]),
    output:
        sample=SAMPLE,
    log:
        f"{RESULTS}/logs/ingest/{{cohort}}/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ingest/{{cohort}}/{{sample}}.tsv"
    priority: 1  # training waits for it
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000, per_1000_spots=150),
        runtime=growing(20),
    params:
        code=code_of("cohorts/ingest.py", file_of_format),
        contents=lambda wildcards: contents_of(
            RAW.section(row_of(wildcards)),
            RAW.positions(row_of(wildcards)),
            config["harmonise"]["aliases"],
            config["panel"],
        ),
        row=read_by,
        qc=config["qc"],
        duplicates=config["harmonise"]["duplicates"],
        min_overlap=config["harmonise"]["min_overlap"],
        image_pixels=config["image_pixels"],
        shared=f"{config['results']}/_shared/samples",
    message:
        "Reading {wildcards.cohort}/{wildcards.sample}"
    script:
        "../scripts/cohorts/ingest.py"


# Labels are joined to spots in a separate rule, so that changing a label rereads no section.
rule spot_labels:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        table=lambda wildcards: label_table_of(wildcards.cohort),
    output:
        labels=f"{RESULTS}/cohorts/{{cohort}}/labels.tsv.gz",
        matched=f"{RESULTS}/cohorts/{{cohort}}/labels_matched.tsv",
    log:
        f"{RESULTS}/logs/spot_labels/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/spot_labels/{{cohort}}.tsv"
    priority: 1  # so that a table without matching spots is found before training
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=code_of("cohorts/spot_labels.py"),
        contents=lambda wildcards: contents_of(config["cohorts"][wildcards.cohort]["labels"]),
    message:
        "Joining labels to the spots of {wildcards.cohort}"
    script:
        "../scripts/cohorts/spot_labels.py"


rule qc_table:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        matched=lambda wildcards: (
            rules.spot_labels.output.matched if label_table_of(wildcards.cohort) else []
        ),
    output:
        table=f"{RESULTS}/qc/{{cohort}}.tsv",
    log:
        f"{RESULTS}/logs/qc_table/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/qc_table/{{cohort}}.tsv"
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30, per_1000_spots=0.2),
    params:
        code=code_of("cohorts/qc.py"),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], "organ", "technology"),
    message:
        "Counting spots of {wildcards.cohort} after quality control"
    script:
        "../scripts/cohorts/qc.py"


deliver(tables=expand(rules.qc_table.output, cohort=RUN.used_cohorts()))


# Sums of each section, from which means, detection and ranges of genes are computed.
rule cohort_genes:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
    output:
        sums=GENE_SUMS,
        table=f"{RESULTS}/cohorts/{{cohort}}/genes_{{normalisation}}.tsv.gz",
    log:
        f"{RESULTS}/logs/cohort_genes/{{cohort}}/{{normalisation}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/cohort_genes/{{cohort}}/{{normalisation}}.tsv"
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000, per_1000_spots=0.5),
        runtime=growing(30, per_1000_spots=0.2),
    params:
        code=code_of("cohorts/genes.py"),
    message:
        "Summarising the genes of {wildcards.cohort} ({wildcards.normalisation})"
    script:
        "../scripts/cohorts/genes.py"


# All tissue images in one file, since only a map's job determines which sections it shows.
rule tissues:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
    output:
        tissues=TISSUES,
    log:
        f"{RESULTS}/logs/tissues/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tissues/{{cohort}}.tsv"
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=code_of("cohorts/tissues.py"),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], "technology"),
    message:
        "Storing the tissue images of {wildcards.cohort}"
    script:
        "../scripts/cohorts/tissues.py"


rule palette:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        labels=lambda wildcards: spot_labels_of(wildcards.cohort),
        classes=lambda wildcards: [
            f"{RESULTS}/tasks/{task}/classes.tsv" for task in RUN.tasks_on(wildcards.cohort)
        ],
    output:
        palette=f"{RESULTS}/figures/palettes/{{cohort}}.tsv",
    log:
        f"{RESULTS}/logs/palette/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/palette/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(20),
    params:
        code=code_of("cohorts/palette.py"),
        rows=lambda wildcards: RUN.rows([wildcards.cohort]),
    message:
        "Choosing the colours of the classes and patients of {wildcards.cohort}"
    script:
        "../scripts/cohorts/palette.py"


rule qc_figure:
    input:
        table=rules.qc_table.output.table,
    output:
        pdf=f"{RESULTS}/figures/qc_{{cohort}}.pdf",
        png=report(
            f"{RESULTS}/figures/qc_{{cohort}}.png",
            category="2 Data",
            labels={"figure": "quality control", "cohort": "{cohort}"},
            caption="../report/cohorts/qc.rst",
        ),
    log:
        f"{RESULTS}/logs/qc_figure/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/qc_figure/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("cohorts/qc_figure.py"),
        organs=RUN.organs,
    message:
        "Drawing quality control of {wildcards.cohort}"
    script:
        "../scripts/cohorts/qc_figure.py"


deliver(figures=expand(rules.qc_figure.output, cohort=RUN.used_cohorts()))
