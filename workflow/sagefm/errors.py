"""The one error a user is meant to read."""


class InputError(ValueError):
    """Input that cannot be used: one sentence that names the file or sheet row, and the remedy."""
