"""Tensors as a safetensors file, which other tools read without torch and without executing code.

The layout (https://huggingface.co/docs/safetensors, "Format") is a header in JSON behind its length
in 8 bytes, and the tensors' bytes. It is written here because that needs no further package.
"""

import json
from collections.abc import Mapping

import torch

NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
}
"""Names of dtypes in the header."""


def to_safetensors(state: Mapping[str, torch.Tensor]) -> bytes:
    """The content of a file that holds a state dict.

    The widest dtype comes first and then names in order, so that every tensor is aligned; the
    header is padded by blanks to a multiple of 8 bytes, as the format's own library does.
    """
    order = sorted(state, key=lambda name: (-state[name].element_size(), name))
    header: dict[str, dict] = {"__metadata__": {"format": "pt"}}
    parts, start = [], 0
    for name in order:
        tensor = state[name].detach().cpu().contiguous()
        parts.append(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        place = [start, start + len(parts[-1])]
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": [*tensor.shape],
            "data_offsets": place,
        }
        start = place[1]
    words = json.dumps(header, separators=(",", ":")).encode()
    words += b" " * (-len(words) % 8)
    return b"".join([len(words).to_bytes(8, "little"), words, *parts])
