"""Ways to represent a spot, one file each; a new file here is a new method of the config.

A method is a module with

- `Options`, a frozen dataclass: what the config may set, with types and defaults; each field's
  metadata holds its `help`;
- `SPATIAL`, whether a spot's neighbours enter; `TRANSDUCTIVE`, whether it is fitted on the very
  spots it represents;
- `SOURCE`, where it was published;
- `represent(cohort, options, seed)`, which returns float32 (spots, features), an array or a csr
  matrix, in the order of the cohort's samples.

The workflow reads `Options` before anything runs, so heavy packages are imported in `represent`.
"""
