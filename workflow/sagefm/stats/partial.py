"""Partial correlation of two matrices given covariates of each row, gene by gene, from sums."""

from dataclasses import dataclass

import numpy as np

from sagefm.stats.correlation import Entries, Moments


@dataclass
class Covariates:
    """Sums per gene over hidden entries for q covariates z of the rows, added to `Moments`.

    float64: `z` (q, genes), `zz` (q, q, genes), `zx` (q, genes), `zy` (P, q, genes).
    """

    z: np.ndarray
    zz: np.ndarray
    zx: np.ndarray
    zy: np.ndarray

    @classmethod
    def zeros(cls, covariates: int, predictions: int, genes: int) -> "Covariates":
        """Return sums of 0."""
        q = covariates
        shapes = (q, genes), (q, q, genes), (q, genes), (predictions, q, genes)
        return cls(*map(np.zeros, shapes))

    def add(
        self,
        truth: np.ndarray,
        predicted: np.ndarray,
        mask: np.ndarray,
        values: np.ndarray,
        blind: np.ndarray | None = None,
    ) -> None:
        """Add a batch, as in `Moments.add`, with covariates (spots, q) of its rows."""
        entries = Entries(mask)
        z = np.asarray(values, dtype=np.float64).T[:, entries.row]
        self.z += entries.sums(z)
        self.zz += entries.sums(z[:, None] * z)
        self.zx += entries.sums(z * entries.take(truth))
        for p, y in enumerate(entries.predictions(predicted, blind)):
            self.zy[p] += entries.sums(z * y)

    def partial(self, moments: Moments) -> np.ndarray:
        """Correlate the residuals of both sides on z, with intercept: Pearson's r (P, genes).

        Degrees of freedom are n - 2 - q. NaN if none are left, if either side does not vary, or if
        z explains all of its variance.
        """
        n = np.maximum(moments.n, 1)
        zz = np.moveaxis(self.zz - self.z[:, None] * self.z / n, -1, 0)
        # The pseudoinverse drops covariates that are constant or multiples of others.
        inverse = np.linalg.pinv(zz, rcond=1e-10, hermitian=True)
        zx, zy = self.zx - self.z * moments.x / n, self.zy - self.z * moments.y[:, None] / n
        slope = np.einsum("gab,bg->ag", inverse, zx)
        slopes = np.einsum("gab,pbg->pag", inverse, zy)
        xx, yy = moments.xx - moments.x**2 / n, moments.yy - moments.y**2 / n
        rest_x, rest_y = xx - (slope * zx).sum(axis=0), yy - (slopes * zy).sum(axis=1)
        together = moments.xy - moments.x * moments.y / n - (slope * zy).sum(axis=1)
        varies = (xx > 1e-10 * moments.xx) & (yy > 1e-10 * moments.yy)
        varies &= (rest_x > 1e-8 * xx) & (rest_y > 1e-8 * yy) & (n > 2 + len(self.z))
        with np.errstate(invalid="ignore", divide="ignore"):
            r = together / np.sqrt(rest_x * rest_y)
        return np.where(varies, np.clip(r, -1, 1), np.nan)
