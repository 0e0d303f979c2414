# Two commands, `make demo` and `make test`; each first builds .venv from the lock if it is missing.

PYTHON ?= python3
# Where a scheduler or shell sets OMP_NUM_THREADS, `nproc` repeats it.
CORES ?= $(shell env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
CONFIG ?=
# The build of torch, cpu or cuda: if it is not named, the one .venv has, and cpu in a new .venv.
TORCH ?= $(or $(word 2,$(subst -, ,$(wildcard .venv/.built-*))),cpu)

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help env demo preflight embed explore test test-full cluster-test bench bench-peers bench-gpu bench-growth bench-scale \
    rehearsal ladder light study publish findings gallery docs lint format lock clean lock-data

# Module systems set these, and what they point to would hide the locked packages.
unexport PYTHONPATH PYTHONHOME

# Each of the hundreds of Pythons that a run starts would compile the library anew.
unexport PYTHONDONTWRITEBYTECODE

# Snakemake and matplotlib keep caches at home; where that cannot be written to, here.
ifneq ($(shell mkdir -p "$${XDG_CACHE_HOME:-$$HOME/.cache}" 2> /dev/null && echo there),there)
export XDG_CACHE_HOME := $(CURDIR)/results/.cache
export MPLCONFIGDIR := $(CURDIR)/results/.cache/matplotlib
endif

BIN := .venv/bin
# The stamp of a finished build carries a checksum of the lock and of what is said of the package,
# not of the tools' settings: if one of these changes, it is built anew.
PACKAGE := sed '/^\[tool\.ruff/,$$d' pyproject.toml
ENV := .venv/.built-$(TORCH)-$(shell (cat envs/requirements.txt envs/torch.txt; $(PACKAGE)) | cksum | cut -d ' ' -f 1)
SNAKEMAKE = $(BIN)/snakemake --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG))
# Bars on a terminal, short lines elsewhere; Snakemake's own log stays whole.
SHOWN = $(SNAKEMAKE) --logger sagefm
# The run's name, as Snakemake reads it: the last file that gives one wins. Without byte order mark, line ends of Windows.
RUN = $(shell cat config/config.yaml $(CONFIG) | LC_ALL=C tr -d '\r\357\273\277' | sed -n 's/^run: *["'\'']*\([^ "'\''\#]*\).*/\1/p' | tail -n 1)

GROUPS := First steps:demo,test,help|Your data:embed,preflight,explore,lock-data|Developers:env,test-full,cluster-test,lint,format,docs,findings,gallery,lock,bench,bench-peers,bench-gpu,bench-growth,bench-scale,rehearsal,ladder,light,study,publish,clean
help: ## list these commands
	@echo '$(GROUPS)' | tr '|' '\n' | while IFS=: read -r title names; do \
	    printf '%s\n' "$$title"; \
	    for name in $${names//,/ }; do sed -n "s/^$$name:.*## /  $$name\t/p" Makefile; done | expand -t 16; echo; done
	@echo 'CORES=$(CORES)  CONFIG=(a config file in place of, or merged into, the default)  PYTHON=$(PYTHON)  TORCH=$(TORCH)'

env: $(ENV) ## build .venv from the lock if it is missing or stale (TORCH=cuda: for a GPU)

demo: $(ENV) ## run the workflow on the bundled sections, then print its results
	@$(SHOWN)
	@echo
	@awk -F '\t' 'NR > 1 && $$14 != "-" { printf "%s\n    the paper:         %s\n    this run:          %s (model %s)\n    best alternative:  %s\n    result:            %s\n", \
	    $$12, $$3, $$14, $$2, $$15, $$10 == "-" ? $$7 : $$10 }' results/$(RUN)/scoreboard.tsv
	@echo
	@echo 'Why, with figures, data and files:  results/$(RUN)/index.html (open it in a browser)'
	@echo 'All claims as a table:              results/$(RUN)/scoreboard.tsv'
	@echo 'Every figure, with captions:        results/$(RUN)/report.zip (unpack it, open report/report.html)'

# A folder, h5 or h5ad becomes an h5ad with embeddings; MODEL is a model's folder, a checkpoint or light.
MODEL ?= light
embed: $(ENV) ## embed a section: IN=(folder, h5, h5ad) OUT=(h5ad) [MODEL= POSITIONS= TECHNOLOGY= PREDICT=1]
	$(if $(and $(IN),$(OUT)),,$(error make embed needs a section and a file to write: make embed IN=outs OUT=x.h5ad))
	@$(BIN)/sagefm embed '$(IN)' '$(OUT)' --model '$(MODEL)' \
	    --positions '$(POSITIONS)' --technology '$(TECHNOLOGY)' $(if $(filter-out 0 no false,$(PREDICT)),--predict)

explore: $(ENV) ## write each cohort as one h5ad for scanpy and viewers (results/*/explore) [ZARR=1: SpatialData]
	@$(SHOWN) -- explore $(if $(filter-out 0 no false,$(ZARR)),explore_zarr)

lock-data: $(ENV) ## write the checksums of raw files, or check the files against them (CONFIG=)
	@$(SNAKEMAKE) -- lock_data

preflight: $(ENV) ## check access, disk, packages and GPU before a long run (CONFIG=config/paper.yaml)
	@$(SNAKEMAKE) --forceall -- preflight

PYTEST := $(BIN)/pytest --dist loadfile --numprocesses $(CORES) --maxprocesses 8
test: $(ENV) ## run the fast tests
	$(PYTEST) -m 'not slow and not cluster'

test-full: $(ENV) ## run all tests, also whole runs, kills, faults and the whole demo (ARGS=: options of pytest)
	$(PYTEST) --durations=25 -m 'not cluster' $(ARGS)

# Debian's and Ubuntu's packages; elsewhere SLURM and munge have to be there.
SLURM := slurmctld slurmd munged sbatch srun
cluster-test: $(ENV) ## start SLURM on this machine and run the workflow on it (installs slurm-wlm, munge)
	@[ "$$(PATH="$$PATH:/usr/sbin" command -v $(SLURM) | wc -l)" = $(words $(SLURM)) ] || { \
	    as=$$([ "$$(id -u)" = 0 ] || echo sudo); $$as apt-get -qq update; \
	    $$as apt-get -qq install --no-install-recommends -y slurm-wlm munge > /dev/null; }
	$(BIN)/pytest -m cluster tests/whole_run/test_slurm.py

bench: $(ENV) ## measure speed and size against limits and targets (ARGS='fp32 bf16': only these parts)
	$(BIN)/python workflow/bench/speed.py $(ARGS)

bench-peers: $(ENV) ## measure time, memory and disk of representations (ARGS='pca --spots 3481': only these)
	$(BIN)/python workflow/bench/peers.py $(ARGS)

bench-gpu: $(ENV) ## check a GPU against the CPU: results, resuming, speed (ARGS='--device cpu': without a GPU)
	$(BIN)/python workflow/bench/gpu.py $(ARGS)

bench-growth: $(ENV) ## measure memory and time against spots (ARGS='PCA --sizes 1000 3000': only these)
	$(BIN)/python workflow/bench/growth.py $(ARGS)

bench-scale: $(ENV) ## measure a cohort of a million spots (ARGS='--samples 40 --distinct 8': smaller)
	$(BIN)/python workflow/bench/scale.py $(ARGS)

# On SLURM: what `make cluster-test` installs has to be there.
rehearsal: $(ENV) ## rehearse the full run on generated sections (ARGS='--sections 12 --executor slurm': smaller)
	$(BIN)/python workflow/bench/rehearsal.py $(ARGS)

# The claims and the task that none rests on: no figure; the documentation keeps what it quotes.
JUDGED = --configfile config/$(1).yaml $(CONFIG) -- claims_recovery claims_clustering claims_annotation \
    results/$(1)/tasks/tumour/comparisons.tsv
ladder: $(ENV) ## train models from the paper's recipe to our networks, one change at a time (20 minutes)
	@SAGEFM_PATH=config/ladder $(BIN)/snakemake --cores $(CORES) $(call JUDGED,ladder)
	@$(BIN)/python -m sagefm.report.findings results/ladder

# As `ladder`. The weights are those of the model that has seen no labelled section.
light: $(ENV) ## train the light model, compare it with other methods, and bundle it (an hour)
	@$(BIN)/snakemake --cores $(CORES) $(call JUDGED,light) claims_perturbation
	@$(BIN)/python -m sagefm.exports.bundle results/light/models/light resources/models/light
	@$(BIN)/python workflow/bench/programmes.py results/light
	@$(BIN)/python workflow/bench/calibration.py results/light
	@$(BIN)/python workflow/bench/exploration.py results/light
	@$(BIN)/python workflow/bench/decoders.py results/light
	@$(BIN)/python -m sagefm.report.findings results/light

study: $(ENV) ## score claims after more epochs and on more sections (hours; downloads 20 sections)
	@$(BIN)/snakemake --cores $(CORES) $(call JUDGED,study)
	@$(BIN)/python -m sagefm.report.findings results/study

publish: $(ENV) ## write the light model with its card to results/publish, or upload it to the hub (TO=owner/name)
	@$(BIN)/python -m sagefm.report.publish light '$(TO)'

findings: $(ENV) ## fill the results into README and docs/ (RUNS='results/demo': copy its tables first)
	@$(BIN)/python -m sagefm.report.findings $(RUNS)

gallery: $(ENV) ## write the images of README from a finished demo (needs Chromium)
	@$(BIN)/python -m sagefm.report.gallery results/$(RUN)

# Material warns of another program's next version at each start; it cannot be acted on here.
SITE = NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --quiet
docs: $(ENV) ## write the documentation's tables from the code, and build its site (site/index.html)
	$(BIN)/python -m sagefm.report.docs
	$(SITE)

lint: $(ENV) ## check style, types and format of code and rules, and the links of the documentation
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(SITE)

format: $(ENV) ## format code and rules as lint requires
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/snakefmt Snakefile workflow/Snakefile workflow/rules

lock: ## resolve envs/requirements.in into requirements.txt (UPGRADE=--upgrade: newest versions)
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder" && "$$folder/bin/pip" install --quiet uv==0.13.9 && cd envs && \
	"$$folder/bin/uv" pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
	    --generate-hashes --no-emit-find-links --no-annotate $(UPGRADE) requirements.in -o requirements.txt

clean: ## remove the results of the demo, and shared sections that no run uses
	rm -rf results/demo
	@comm -13 <(find -H results -path '*/samples/*' -type l -exec readlink -f {} + 2> /dev/null | sort) \
	    <(find -H results/_shared -type f -exec readlink -f {} + 2> /dev/null | sort) | xargs -r -d '\n' rm --

WANTED := name a Python 3.11, 3.12 or 3.13, as in: make env PYTHON=python3.12
PIP = $(BIN)/python -m pip --disable-pip-version-check -qq
TORCH_FROM_cpu := --no-deps --index-url https://download.pytorch.org/whl/cpu
TORCH_FROM_cuda :=

# The stamp goes first and comes last: a build that was cut short is begun again.
$(ENV):
	$(if $(filter cpu cuda,$(TORCH)),,$(error TORCH=$(TORCH) is unknown; it is cpu or cuda))
	@command -v $(PYTHON) > /dev/null || { echo 'There is no $(PYTHON) here; $(WANTED)' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; \
	    sys.exit(0 if (3, 11) <= v <= (3, 13) else "$(PYTHON) is Python %d.%d; $(WANTED)" % v)'
	@echo 'Building .venv with $(PYTHON) and the $(TORCH) build of torch: a few minutes, once.'
	@rm -f .venv/.built-*
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install --no-deps --require-hashes -r envs/requirements.txt
	@$(PIP) install $(TORCH_FROM_$(TORCH)) -r envs/torch.txt || { \
	    echo 'The $(TORCH) build of torch was not found; see "torch" in envs/README.md.' >&2; exit 1; }
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@$(BIN)/python -c 'import sys, torch; print("Built .venv with torch", torch.__version__); \
	    sys.exit(0 if bool(torch.version.cuda) == ("$(TORCH)" == "cuda") else \
	    "This is not the $(TORCH) build: pip found the other one first, see \"torch\" in envs/README.md.")'
	@touch $@
