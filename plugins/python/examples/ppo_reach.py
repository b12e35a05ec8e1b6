"""PPO learns `reach`: Stable-Baselines3 on a batch of worlds, in minutes on two cores.

    pip install "forearm[train]"
    python ppo_reach.py --out results

It trains until episodes that training never sees succeed often enough, or the steps are used up, prints
the success rate on other fresh episodes, and writes the curve (`curve.csv`, `curve.png`) and the policy
(`policy.zip`).
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from forearm import VectorEnv
from forearm.sb3 import SB3VecEnv

#: Evaluation episodes have seeds from here on; training's are drawn from 63 bits.
EVALUATION_SEED = 1_000_000


def evaluate(model: PPO, task: str, episodes: int, seed: int) -> tuple[float, float]:
    """Part of fresh episodes that succeed, and their mean return; one a world, without exploring."""
    worlds = VectorEnv(task, episodes)
    observations, _ = worlds.reset(seed=seed)
    running = np.ones(episodes, bool)
    successes = np.zeros(episodes, bool)
    returns = np.zeros(episodes)
    while running.any():
        actions, _ = model.predict(observations, deterministic=True)
        observations, rewards, terminated, truncated, infos = worlds.step(actions)
        returns[running] += rewards[running]
        successes |= running & infos["is_success"]
        running &= ~(terminated | truncated)
    worlds.close()
    return float(successes.mean()), float(returns.mean())


class Curve(BaseCallback):
    """Evaluates every so often, keeps what it finds, and ends training when that is good enough."""

    def __init__(self, task: str, every: int, episodes: int, enough: float) -> None:
        super().__init__()
        self.task, self.every, self.episodes, self.enough = task, every, episodes, enough
        self.rows: list[dict[str, float]] = []
        self.started = time.perf_counter()

    def _on_training_start(self) -> None:
        self.started = time.perf_counter()

    def _on_rollout_start(self) -> None:
        if self.rows and self.num_timesteps < self.rows[-1]["steps"] + self.every:
            return
        success, total = evaluate(self.model, self.task, self.episodes, EVALUATION_SEED)
        secs = round(time.perf_counter() - self.started, 1)
        row = {"steps": self.num_timesteps, "secs": secs, "success": success, "return": round(total, 3)}
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def _on_step(self) -> bool:
        # Twice: once may be luck.
        last = self.rows[-2:]
        return len(last) < 2 or any(row["success"] < self.enough for row in last)


def plot(rows: list[dict[str, float]], path: Path, title: str) -> None:
    """The success rate over steps and seconds, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    steps, secs = [row["steps"] for row in rows], [row["secs"] for row in rows]
    figure, axes = plt.subplots(figsize=(6, 3.2), dpi=110)
    axes.plot(steps, [100 * row["success"] for row in rows], marker=".")
    axes.axhline(95, linestyle=":", color="grey")
    axes.set(xlabel="environment steps", ylabel="success, % of fresh episodes", ylim=(0, 102), title=title)
    for row in rows[:: max(1, len(rows) // 5)]:
        axes.annotate(f"{row['secs']:.0f} s", (row["steps"], 100 * row["success"]), fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="reach")
    parser.add_argument("--steps", type=int, default=1_500_000, help="the most, of all worlds together")
    parser.add_argument("--worlds", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=50_000, help="steps between evaluations")
    parser.add_argument("--enough", type=float, default=0.98, help="success rate at which training ends")
    parser.add_argument("--out", type=Path, default=Path("ppo_reach"), help="folder for curve and policy")
    options = parser.parse_args()
    # The networks are small: more threads would only wait for each other.
    torch.set_num_threads(1)
    worlds = SB3VecEnv(options.task, options.worlds)
    worlds.seed(options.seed)
    model = PPO(
        "MlpPolicy",
        worlds,
        n_steps=32,
        batch_size=512,
        n_epochs=8,
        learning_rate=1e-3,
        gamma=0.95,
        gae_lambda=0.9,
        ent_coef=0.0,
        policy_kwargs={"net_arch": [64, 64], "log_std_init": -0.5},
        seed=options.seed,
        device="cpu",
    )
    curve = Curve(options.task, options.every, 200, options.enough)
    started = time.perf_counter()
    model.learn(options.steps, callback=curve)
    secs = time.perf_counter() - started
    options.out.mkdir(parents=True, exist_ok=True)
    model.save(options.out / "policy.zip")
    with (options.out / "curve.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["steps", "secs", "success", "return"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(curve.rows)
    plot(curve.rows, options.out / "curve.png", f"PPO on {options.task}, {options.worlds} worlds")
    # Other episodes than those that decided when to end.
    success, total = evaluate(model, options.task, 500, 2 * EVALUATION_SEED)
    print(
        f"{options.task}: {100 * success:.1f} % of 500 fresh episodes succeed (mean return {total:.2f}) "
        f"after {model.num_timesteps} steps in {secs:.0f} s"
    )


if __name__ == "__main__":
    main()
