"""Spots with labels and patients, mixed to different degrees, for the integration metrics."""

import numpy as np

Case = tuple[np.ndarray, np.ndarray, np.ndarray]


def cases() -> dict[str, Case]:
    """Cases by name: values (spots, 8), labels and batches (spots,)."""
    return {
        "mixed": _case(0, apart=2.0, shift=0.0),
        "shifted": _case(1, apart=2.0, shift=2.0),
        "nested": _case(2, apart=1.0, shift=1.0, nested=True),
        "far": _case(3, apart=30.0, shift=0.5),
    }


def _case(seed: int, apart: float, shift: float, nested: bool = False) -> Case:
    """Labels at a distance `apart`, patients shifted; nested: one label has a single patient."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, size=420, p=[0.4, 0.3, 0.2, 0.1])
    batches = rng.choice(3, size=420, p=[0.5, 0.3, 0.2])
    if nested:
        batches[labels == 3] = 2
        batches[labels == 2] = np.minimum(batches[labels == 2], 1)
    values = rng.normal(size=(420, 8))
    values += apart * rng.normal(size=(4, 8))[labels] + shift * rng.normal(size=(3, 8))[batches]
    return values - values.mean(axis=0), labels, batches
