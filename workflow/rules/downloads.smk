# Raw files from where they are published, kept in one folder for all runs. They run where Snakemake
# does, as compute nodes often have no network; what is there is never fetched again.

from dataclasses import asdict


rule fetch:
    output:
        # Not removed before a retry, nor for an edit to this code: the file is held to the lock table.
        raw=update(f"{RAW.folder}/{{file}}"),
    log:
        f"{RAW.folder}/.logs/{{file}}.log",
    wildcard_constraints:
        file=one_of(RAW.origins),
    priority: 2  # everything waits for it
    localrule: True
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(1440),
        lock=config["downloads"]["lock"],
        per_host=config["downloads"]["per_host"],
        raw_folder=RAW.folder,
    params:
        origin=lambda wildcards: asdict(RAW.origins[wildcards.file]),
    message:
        "Fetching {wildcards.file}"
    script:
        "../scripts/downloads/fetch.py"


rule unpack:
    input:
        archive=f"{RAW.folder}/{{archive}}",
    output:
        raw=f"{RAW.folder}/{{archive}}.contents/{{member}}",
    log:
        f"{RAW.folder}/.logs/{{archive}}.contents/{{member}}.log",
    wildcard_constraints:
        archive=one_of(RAW.origins),
        member=".+",
    localrule: True
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
    message:
        "Unpacking {wildcards.member}"
    script:
        "../scripts/downloads/unpack.py"


rule lock_data:
    log:
        f"{RESULTS}/logs/lock_data.log",
    localrule: True
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(1440),
    params:
        origins={file: asdict(origin) for file, origin in RAW.origins.items()},
        folder=RAW.folder,
        lock=config["downloads"]["lock"],
    message:
        "Holding raw files to the lock table"
    script:
        "../scripts/downloads/lock.py"
