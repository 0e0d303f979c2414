# Fetches raw files into one folder for all runs. These jobs run on Snakemake's host, since compute
# nodes often have no network. Existing files are never fetched again.

from dataclasses import asdict


rule fetch:
    output:
        # `update` keeps the file on retries and code edits; its checksum is in the lock table.
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
        "Checking raw files against the lock table"
    script:
        "../scripts/downloads/lock.py"
