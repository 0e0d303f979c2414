"""Check that torch sees the GPUs that the models request, and can compute on them."""

import torch

from sagefm.preflight.checks import Check


def gpu_checks(wanted: int) -> list[Check]:
    """Check the GPUs that torch sees on this machine.

    Parameters
    ----------
    wanted
        Largest number of GPUs that one model requests.
    """
    build = f"torch {torch.__version__}"
    if not torch.cuda.is_available():
        remedy = "ask for a node with a GPU and its driver, or train without (`compute.gpus: 0`)"
        if not torch.version.cuda:
            build, remedy = f"{build}, a build for CPUs", "run `make env TORCH=cuda`"
        return [Check("GPU", f"none is visible to {build}", remedy)]
    names = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    found = ", ".join(f"{gpu.name} with {gpu.total_memory / 1e9:.0f} GB" for gpu in names)
    if len(names) < wanted:
        remedy = f"a model asks for {wanted} GPUs: ask for as many, or lower its `compute.gpus`"
        return [Check("GPU", f"{build} sees {found}", remedy)]
    return [Check("GPU", f"{build} sees {found}"), *map(_computes, range(len(names)))]


def _computes(index: int) -> Check:
    """Check that a matrix product on a GPU equals that on the CPU."""
    one = torch.arange(64.0).reshape(8, 8) / 64
    try:
        product = (one.to(f"cuda:{index}") @ one.to(f"cuda:{index}")).cpu()
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        return Check(
            f"GPU {index}", f"does not compute: {reason}", "update its driver, or the CUDA build"
        )
    if not torch.allclose(product, one @ one, atol=1e-3):
        return Check(f"GPU {index}", "gives wrong products", "have the machine looked at")
    return Check(f"GPU {index}", "computes")
