"""``infogeo policy``."""
import argparse
from typing import Any

from .. import studies
from .options import Parser, add_common, chosen, positive, prepared, say

EXAMPLES = """examples:
  infogeo policy --environment CartPole-v1 --method trpo npg --out cartpole
  infogeo policy --environment Acrobot-v1 --steps 102400 --seeds 5"""


def add(commands: Any) -> None:
    commands.add_parser(
        "policy", help="natural policy gradient and others side by side in one environment",
        description="Learn a policy by several methods from several seeds; print and plot returns\n"
                    "against steps. Needs the extra infogeo[policy].", epilog=EXAMPLES, options=_options)


def _options(learning: Parser) -> None:
    learning.add_argument("--environment", default="CartPole-v1", metavar="NAME", help="of Gymnasium (default CartPole-v1)")
    learning.add_argument("--method", nargs="+", default=["trpo"], metavar="NAME", help=", ".join(studies.POLICY_METHODS))
    learning.add_argument("--steps", type=positive, default=40960, help="in the environment (default 40960)")
    learning.add_argument("--batch", type=positive, default=2048, help="steps in the environment for one of the solver (2048)")
    learning.add_argument("--seeds", type=positive, default=3, metavar="K", help="how many: 0, 1, … (default 3)")
    add_common(learning, "write the returns (CSV, JSON), the policies (NPZ) and the figure (PNG) here")
    learning.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    prepared(options)
    with chosen(options.backend):
        studies.follow_policies(options.environment, options.method, options.out, options.progress, say, steps=options.steps,
                                batch=options.batch, seeds=options.seeds)
