# A neighbourhood for every spot: one sparse file per sample and kind. One job computes a whole
# cohort, because starting a job takes longer than the neighbourhoods of a section.


rule graph:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
    output:
        graphs=directory(GRAPHS),
    log:
        f"{RESULTS}/logs/graph/{{graph}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/graph/{{graph}}/{{cohort}}.tsv"
    priority: 1  # training waits for it
    conda:
        "../../envs/graphs.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000, per_1000_spots=50, of=largest_section),
        runtime=growing(20, per_1000_spots=0.5),
    params:
        code=code_of("graphs/graph.py"),
        spec=lambda wildcards: config["graphs"][wildcards.graph],
        arrays=lambda wildcards: {
            sample: row["array"] or row["technology"]
            for sample, row in ROWS[wildcards.cohort].items()
        },
    message:
        "Building {wildcards.graph} neighbourhoods of {wildcards.cohort}"
    script:
        "../scripts/graphs/graph.py"
