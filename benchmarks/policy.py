"""Natural policy gradient with a trust region on CartPole-v1, beside TRPO of sb3-contrib at equal steps.

    python benchmarks/policy.py                                     # ours alone
    python -m venv PEER && PEER/bin/pip install sb3-contrib 'gymnasium[classic-control]'
    python benchmarks/policy.py --peer PEER/bin/python --seeds 5 --out docs/_static

Both have two networks 4-64-64-1 with tanh and orthogonal starts, 2048 steps of the environment a step, γ = 0.99, λ = 0.95 and a
radius of 0.01 nats; ours has damping 0.03 and a critic of 320 Adam steps of 128, theirs 0.1 and 160. Returns are means over the
episodes that ended in a step, with the standard error over the seeds; seconds are CPU seconds of one thread for each 2048 steps.
"""
import argparse
import json
import os
import subprocess
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402

STEPS, SHOWN = 2048, (8192, 16384, 24576, 32768, 40960)

PEER = """
import json, sys, time
import numpy as np, torch
from sb3_contrib import TRPO
from stable_baselines3.common.callbacks import BaseCallback
torch.set_num_threads(1)

class Returns(BaseCallback):
    def __init__(self):
        super().__init__()
        self.ended, self.means = [], []
    def _on_step(self):
        self.ended += [info["episode"]["r"] for info in self.locals["infos"] if "episode" in info]
        return True
    def _on_rollout_end(self):
        self.means.append(float(np.mean(self.ended)) if self.ended else float("nan"))
        self.ended = []

seed, total = int(sys.argv[1]), int(sys.argv[2])
model = TRPO("MlpPolicy", "CartPole-v1", n_steps=2048, seed=seed, device="cpu")
found, begin = Returns(), time.process_time()
model.learn(total, callback=found)
print(json.dumps({"returns": found.means, "seconds": (time.process_time() - begin) / (total / 2048)}))
"""


def ours(seed, total):
    import infogeo as ig
    rng, orthogonal = np.random.default_rng(seed), ig.networks.Orthogonal
    environment = ig.policy.gym("CartPole-v1", 8)
    policy = ig.networks.ConditionalModel(ig.networks.MLP((4, 64, 64, 1)), environment.family)
    value = ig.networks.ConditionalModel(ig.networks.MLP((4, 64, 64, 1)), ig.NormalKnownVariance(1.0))
    w = policy.network.init(rng, [orthogonal(2**0.5), orthogonal(2**0.5), orthogonal(0.01)])
    v = value.network.init(rng, [orthogonal(2**0.5), orthogonal(2**0.5), orthogonal(1.0)])
    critic = ig.policy.Critic(value, v, ig.training.Adam(), steps=320)
    task = ig.policy.Return(environment, policy, critic, steps=STEPS)
    space = ig.curvature.WeightSpace(policy, None, ig.curvature.fisher, ig.curvature.KrylovTikhonov(0.03))
    begin = time.process_time()
    ig.descend(task, w, geometry=space, update=ig.NaturalUpdate(), step=ig.TrustRegion(0.01), max_steps=total // STEPS,
               rng=rng, record=None)
    return {"returns": [p.mean_return for p in task.progress], "seconds": (time.process_time() - begin) / (total / STEPS)}


def theirs(python, seed, total):
    done = subprocess.run([python, "-c", PEER, str(seed), str(total)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def table(found):
    lines = [".. list-table::", "   :header-rows: 1", "", "   * - steps"]
    lines += [f"     - {name}" for name in found]
    for steps in SHOWN:
        lines.append(f"   * - {steps}")
        for runs in found.values():
            at = np.array([run["returns"][steps // STEPS - 1] for run in runs])
            error = f" ± {at.std(ddof=1) / len(at) ** 0.5:.0f}" if len(at) > 1 else ""
            lines.append(f"     - {at.mean():.0f}{error}")
    lines.append("   * - CPU s for 2048 steps")
    lines += [f"     - {np.mean([run['seconds'] for run in runs]):.2f}" for runs in found.values()]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="the Python of an environment with sb3-contrib")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    found = {"infogeo": []} | ({"sb3-contrib": []} if arguments.peer else {})
    for seed in range(arguments.seeds):                 # by turns, so that the machine's moods are shared
        found["infogeo"].append(ours(seed, SHOWN[-1]))
        if arguments.peer:
            found["sb3-contrib"].append(theirs(arguments.peer, seed, SHOWN[-1]))
    text = table(found)
    print(text)
    if arguments.out:
        (arguments.out / "policy.rst").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
