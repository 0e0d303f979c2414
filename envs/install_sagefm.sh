#!/usr/bin/env bash
# Snakemake runs this in each conda environment that it has made: the scripts import the library
# from the repository, as in .venv. Every NAME.post-deploy.sh is a link to it.
set -euo pipefail

[ -f workflow/sagefm/__init__.py ] || {
    echo "$PWD: is not the repository, whose library the environment needs. Fix: start Snakemake there." >&2
    exit 1
}
python -m pip install --quiet --no-deps --no-build-isolation --editable .
