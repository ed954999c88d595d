"""
Topics by natural gradient on mini-batches
==========================================

Latent Dirichlet allocation is a `ConjugateModel` of fifteen lines: the topics are the global variables, a Dirichlet law each,
and a function gives the best bound on the likelihood of some documents, with its differential, at given
:math:`\\mathbb E \\log` of the topics. A natural step of size 1 on all documents is the classical update; steps
:math:`(t + 1)^{-0.7}` on twenty documents at a time are stochastic variational inference. After a quarter of a pass it is nearly
where the classical update is after two; then it settles in an optimum of its own, which here is a worse one: curves can be
compared, end points cannot.
"""
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import digamma

import infogeo as ig

TOPICS, WORDS, ALPHA = 5, 50, 0.2
rng = np.random.default_rng(0)
topics, shares = rng.dirichlet(np.full(WORDS, 0.1), TOPICS), rng.dirichlet(np.full(TOPICS, ALPHA), 400)
counts = np.array([rng.multinomial(60, share @ topics) for share in shares]).astype(float)


def documents(eta, counts, steps=100):
    """Σ_w n_w log Σ_k exp(E log θ_k + E log φ_kw) − KL(γ‖α) at the best γ of every document, and its differential in η."""
    weight, gamma = np.exp(eta.reshape(TOPICS, WORDS)), np.ones((len(counts), TOPICS))
    for _ in range(steps):
        about = np.exp(digamma(gamma) - digamma(gamma.sum(axis=1, keepdims=True)))
        before, gamma = gamma, ALPHA + about * ((counts / (about @ weight)) @ weight.T)
        if np.mean(np.abs(gamma - before)) < 1e-8:
            break
    about = np.exp(digamma(gamma) - digamma(gamma.sum(axis=1, keepdims=True)))
    total, law = about @ weight, ig.Dirichlet(TOPICS)
    value = np.sum(counts * np.log(total)) - np.sum(law.kl(gamma, np.full(TOPICS, ALPHA)))
    return value, (weight * (about.T @ (counts / total))).ravel()


# %%
q = ig.Independent(ig.Dirichlet(WORDS), TOPICS)
prior, start = np.full(q.dim, 0.1), q.to_eta(rng.gamma(100.0, 0.01, q.dim))
whole = ig.inference.ConjugateModel(q, prior, documents, counts)
twenty = ig.inference.ConjugateModel(q, prior, documents, counts, batch_size=20)
runs = {}
for name, model, step, max_steps in (("all documents", whole, 1.0, 20),
                                     ("20 at a time", twenty, ig.Diminishing(1.0, power=0.7), 200)):
    f = ig.inference.NegativeELBO(q, model)
    runs[name] = ig.descend(f, start, geometry=q.dual, update=ig.MirrorUpdate(), step=step, max_steps=max_steps,
                            rng=np.random.default_rng(1))

# %%
bound = ig.inference.NegativeELBO(q, whole)
figure, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
for name, stride, every in (("all documents", 1, 1.0), ("20 at a time", 5, 0.25)):
    values = np.array([-bound.value_and_gradient(eta)[0] for eta in runs[name].path[::stride]]) / counts.sum()
    axes.plot(every * np.arange(len(values)), values, marker=".", label=name)
    print(name, values[[int(1 / every), -1]].round(4))
axes.set(xlabel="passes over the documents", ylabel="bound [nats a word]", ylim=(-3.3, None), xlim=(0, 10.3))
axes.legend(loc="lower right")
plt.show()
