"""Finite families summed in extended precision, state by state."""
import mpmath as mp
import numpy as np


class ExactStates:
    """A family on m states with statistics (m, d) and log h (m,), by its definition, to 400 digits; θ of shape (d,)."""

    def __init__(self, rows, log_base=None):
        self.rows = [[mp.mpf(float(v)) for v in row] for row in rows]
        self.log_base = [mp.mpf(float(v)) for v in (np.zeros(len(rows)) if log_base is None else log_base)]

    def _laws(self, theta):
        theta = [mp.mpf(v) for v in theta]
        logits = [mp.fsum(t * v for t, v in zip(theta, row)) + base for row, base in zip(self.rows, self.log_base)]
        psi = mp.log(mp.fsum(map(mp.exp, logits)))
        return psi, [logit - psi for logit in logits]

    def all(self, theta):
        """ψ, η, metric, cubic tensor, entropy and log p, as NumPy float64."""
        with mp.workdps(400):
            psi, log_p = self._laws(theta)
            p = list(map(mp.exp, log_p))
            d = len(self.rows[0])
            eta = [mp.fsum(w * row[i] for w, row in zip(p, self.rows)) for i in range(d)]
            gaps = [[row[i] - eta[i] for i in range(d)] for row in self.rows]
            metric = [[mp.fsum(w * g[i] * g[j] for w, g in zip(p, gaps)) for j in range(d)] for i in range(d)]
            cubic = [[[mp.fsum(w * g[i] * g[j] * g[k] for w,
                               g in zip(p, gaps)) for k in range(d)] for j in range(d)] for i in range(d)]
            entropy = -mp.fsum(w * v for w, v in zip(p, log_p))
        as_float = lambda x: np.array(x, dtype=object).astype(float)
        return {"potential": float(psi), "to_eta": as_float(eta), "metric": as_float(metric), "cubic_tensor": as_float(cubic),
                "entropy": float(entropy)}, as_float(log_p)

    def inverse(self, eta, start):
        """θ of η by Newton's method from a near point, and what rounding η costs, ε (|θ_i| + Σ_j |G⁻¹_ij η_j|); 100 digits."""
        with mp.workdps(100):
            eta, theta, d = [mp.mpf(float(v)) for v in eta], [mp.mpf(float(v)) for v in start], len(eta)
            for _ in range(12):
                p = list(map(mp.exp, self._laws(theta)[1]))
                mean = [mp.fsum(w * row[i] for w, row in zip(p, self.rows)) for i in range(d)]
                gaps = [[row[i] - mean[i] for i in range(d)] for row in self.rows]
                entry = lambda i, j: mp.fsum(w * g[i] * g[j] for w, g in zip(p, gaps))
                inverse = mp.inverse(mp.matrix([[entry(i, j) for j in range(d)] for i in range(d)]))
                step = inverse * mp.matrix([e - m for e, m in zip(eta, mean)])
                theta = [t + s for t, s in zip(theta, step)]
            assert all(abs(s) < mp.mpf(10) ** -40 for s in step)
            cost = [abs(theta[i]) + mp.fsum(abs(inverse[i, j] * eta[j]) for j in range(d)) for i in range(d)]
        return np.array(theta, dtype=object).astype(float), np.finfo(float).eps * np.array(cost, dtype=object).astype(float)

    def kl(self, theta_p, theta_q):
        with mp.workdps(400):
            _, log_p = self._laws(theta_p)
            _, log_q = self._laws(theta_q)
            return float(mp.fsum(mp.exp(a) * (a - b) for a, b in zip(log_p, log_q)))
