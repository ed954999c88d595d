"""Kronecker-factored eigenbases with eigenvalues of their own."""
from dataclasses import dataclass, replace
from typing import Any

from ..arrays.blocks import slices
from ..backend import backend_of
from ..errors import ShapeError
from ..operators.block import BlockDiagonal
from ..operators.kronecker import EigenKronecker
from .kronecker_factors import KroneckerFactors, layer_moments
from .outputs import ExactColumns
from .per_layer import recorded
from .sharing import Expand

__all__ = ["EigenFactors", "ekfac"]

CHUNK = 2**22       # numbers in the gradients of the samples of a convolution that are held at once


@dataclass(frozen=True)
class EigenFactors:
    """Second moments of the covectors at each layer's weights, in the eigenbases of its Kronecker factors.

    Mathematically, with orthogonal Q_a and Q_b of a layer and the covectors V = Σ_s ā_s g_sᵀ at its weights, one for each sample
    and output covector, S = (1/n) Σ (Q_aᵀ V Q_b)², squares entry by entry. Of all operators that are diagonal in this basis it is
    the nearest to the exact block, in the Frobenius norm, and it has the exact trace.

    Attributes
    ----------
    bases : tuple of pairs (Q_a, Q_b)
        A pair for each layer, as `KroneckerFactors.bases` gives.
    S : tuple of arrays, shapes (inputs + 1, outputs)
    dtype : dtype
        That of the network.

    Source: George, Laurent, Bouthillier, Ballas & Vincent, Fast approximate natural gradient descent in a Kronecker-factored
    eigenbasis (2018), section 3.
    """

    bases: tuple
    S: tuple
    dtype: Any

    @classmethod
    def of(cls, model, w, batch, bases, *, outputs=ExactColumns()):
        """The second moments of one batch at one weight vector in given bases; see `ekfac`."""
        done = recorded(model, w, batch)
        return cls.of_covectors(done, outputs.groups(model.family, done.theta, batch), bases)

    @classmethod
    def of_covectors(cls, done, groups, bases):
        """The same from a forward pass and groups of covectors c at the output, shapes (m_k, n, d)."""
        def moments(layers, inputs, g, first):
            if len(bases) != len(layers):
                raise ShapeError(f"bases must have a pair for each of the {len(layers)} layers with weights; got {len(bases)}")
            return {"S": tuple(_squares(*quantities) / done.n for quantities in zip(layers, inputs, g, bases))}

        return cls(bases, dtype=done.theta.dtype, **layer_moments(done, groups, Expand(), moments))

    def operator(self):
        """The curvature, block-diagonal with an `EigenKronecker` for each layer."""
        return BlockDiagonal(*(EigenKronecker(*pair, S, self.dtype) for pair, S in zip(self.bases, self.S)))

    def in_double(self):
        """The same, with S in float64, as it is from the start."""
        return self

    def blend(self, other, share):
        """(1 − share) self + share other, for moments in the same bases: for a `RunningAverage`."""
        if other.bases is not self.bases:
            raise ValueError("moments in different bases cannot be averaged; give both the same bases")
        return replace(self, S=tuple(a + share * (b - a) for a, b in zip(self.S, other.S)))


def ekfac(model, w, batch, *, outputs=ExactColumns(), sharing=Expand(), bases=None):
    """The Fisher metric in the eigenbases of its Kronecker factors, a `BlockDiagonal` of `EigenKronecker`; see `kfac`.

    Mathematically, A ⊗ G = (Q_a ⊗ Q_b) diag(s_a s_bᵀ) (Q_a ⊗ Q_b)ᵀ with the products of eigenvalues replaced by the second
    moments of the covectors at the weights in this basis. In the Frobenius norm it is never further from the exact blocks than
    K-FAC is.

    Parameters
    ----------
    bases : tuple of pairs of arrays, optional
        Eigenbases of an earlier batch, from `KroneckerFactors.bases`, so that none are computed; by default those of this one.

    Source: George, Laurent, Bouthillier, Ballas & Vincent, Fast approximate natural gradient descent in a Kronecker-factored
    eigenbasis (2018).
    """
    done = recorded(model, w, batch)
    groups = list(outputs.groups(model.family, done.theta, batch))      # the same covectors for the bases and in them
    if bases is None:
        bases = KroneckerFactors.of_covectors(done, groups, sharing).bases()
    return EigenFactors.of_covectors(done, groups, bases).operator()


def _squares(layer, rows, g, basis):
    """Σ (Q_aᵀ V Q_b)² over samples and directions, float64.

    Shapes: rows (n, L, inputs), g (m, n, L, outputs). With one position V is an outer product, and so is its square.
    """
    xp = backend_of(g)
    Q_a, Q_b = (xp.astype(Q, g.dtype, copy=False) for Q in basis)
    a, g = xp.matmul(layer.homogeneous(xp, rows), Q_a), xp.matmul(g, Q_b)
    if a.shape[-2] == 1:
        S = xp.matmul(xp.matrix_transpose(a[:, 0, :] ** 2), xp.sum(g[:, :, 0, :] ** 2, axis=0))
    else:
        step = max(1, CHUNK // (g.shape[0] * a.shape[-1] * g.shape[-1]))
        S = sum(xp.sum(xp.matmul(xp.matrix_transpose(a[s, ...]), g[:, s, ...]) ** 2, axis=(0, 1))
                for s in slices(a.shape[0], step))
    return xp.astype(S, xp.float64, copy=False)
