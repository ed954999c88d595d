"""
Conditioning of θ against η
===========================

A categorical target of five outcomes, the deaths from horse kicks in the Prussian army (Bortkiewicz 1898), approached by
gradient descent in its two flat charts and by natural gradient. The Hessian of KL at the optimum is the Fisher metric in θ
and its inverse in η, so both charts have the same condition number; natural gradient has condition number 1.
"""
import infogeo as ig

horse_kicks = ig.studies.example_data("horse_kicks")
target = ig.studies.from_counts(horse_kicks, "corps_years")
result = ig.studies.conditioning(ig.studies.ForwardProblem(target.family, target.theta), starts=20)
print(ig.studies.report(result, "Bortkiewicz 1898"))

# %%
# The flows: late on, KL falls at the rates 2 λ_min(G), 2 and 2 / λ_max(G).
flows = ig.studies.figure_flows(result)

# %%
# The learning rates that bring every start below a given KL in a hundred steps.
sweep = ig.studies.figure_sweep(result)

# %%
# The flows in both charts: natural gradient is straight in η, the others are bent by the metric.
trajectories = ig.studies.figure_trajectories(result)

# %%
# Only the chart is at fault. With the most probable outcome as reference, the same distributions are far better conditioned.
for reference in (4, "best"):
    chosen = ig.studies.from_counts(horse_kicks, "corps_years", reference)
    spectrum = ig.studies.spectrum(ig.studies.ForwardProblem(chosen.family, chosen.theta))
    print(f"reference {chosen.family.reference}: condition number {spectrum.condition[0]:.4g}")
