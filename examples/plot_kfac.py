"""
K-FAC against first-order methods
=================================

An 8 × 8 autoencoder, 64-60-30-10-30-60-64 with Bernoulli outputs, on scikit-learn's digits, all 1797 of them in every step,
from the same weights. K-FAC (Martens & Grosse 2015) refuses steps that raise the loss, has the factors of every tenth step, and
its quadratic model is of a thousand of the samples. The step sizes of Nesterov's method and of Adam are the best of
the grids of ``benchmarks/digits_autoencoder.py``, by the loss after 2000 steps; here they take 400.
"""
from infogeo.studies import TrainingStudy, dataset, figure_training, report_training, task, train

digits = dataset("digits")
work = task("autoencoder", digits)
first_order = train(work, "digits", ["nesterov", "adam"], steps=400, step_sizes={"nesterov": 0.02, "adam": 0.001}, every=10)
second_order = train(work, "digits", ["kfac"], steps=120, every=2)
study = TrainingStudy(work, "digits", second_order.runs + first_order.runs, first_order.batch_size, seed=0)
print(report_training(study))

# %%
# The loss cannot fall to 0: of grey values it is at least their entropy as Bernoulli probabilities.
curves = figure_training(study)
