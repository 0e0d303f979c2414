# A neighbourhood for every spot: one sparse file a sample and kind.


rule graph:
    input:
        sample=SAMPLE,
    output:
        graph=GRAPH,
    log:
        f"{RESULTS}/logs/graph/{{graph}}/{{cohort}}/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/graph/{{graph}}/{{cohort}}/{{sample}}.tsv"
    priority: 1  # training waits for it
    conda:
        "../../envs/graphs.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000, per_1000_spots=50),
        runtime=growing(20),
    params:
        code=code_of("graphs/graph.py"),
        spec=lambda wildcards: config["graphs"][wildcards.graph],
        technology=lambda wildcards: (row_of(wildcards)["array"] or row_of(wildcards)["technology"]),
    message:
        "Building {wildcards.graph} neighbourhoods of {wildcards.cohort}/{wildcards.sample}"
    script:
        "../scripts/graphs/graph.py"
