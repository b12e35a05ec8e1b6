"""How many steps a second environments do from Python: ``python -m forearm.bench [--json]``.

Every step has an action of its own and gives a new observation, reward and info, as in training;
episodes that end begin anew. Of several rounds the fastest counts: others had company.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

import numpy as np

from forearm import TASKS, Env, VectorEnv, __version__

#: How many different actions there are: more than a cache keeps for free.
ACTIONS = 256


def single(task: str, secs: float, **options: Any) -> float:
    """Steps a second of one world, on one core."""
    env = Env(task, **options)
    env.action_space.seed(1)
    actions = [env.action_space.sample() for _ in range(ACTIONS)]
    env.reset(seed=1)
    steps, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < secs:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        steps += len(actions)
    return steps / elapsed


def batched(task: str, secs: float, worlds: int, threads: int, **options: Any) -> float:
    """Steps a second of many worlds, all together."""
    envs = VectorEnv(task, worlds, threads=threads, copy=False, **options)
    envs.action_space.seed(1)
    actions = [envs.action_space.sample() for _ in range(8)]
    envs.reset(seed=1)
    steps, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < secs:
        for action in actions:
            envs.step(action)
        steps += len(actions) * worlds
    return steps / elapsed


def measure(tasks: list[str], secs: float, rounds: int, worlds: int) -> dict[str, Any]:
    """The fastest of several rounds, by task."""
    cores = os.cpu_count() or 1
    results: dict[str, dict[str, float]] = {task: {} for task in tasks}
    for _ in range(rounds):
        for task, best in results.items():
            found = {
                "single": single(task, secs),
                "batched_one_thread": batched(task, secs, worlds, 1),
                "batched": batched(task, secs, worlds, 0),
            }
            for name, value in found.items():
                best[name] = max(best.get(name, 0.0), value)
    return {
        "version": __version__,
        "cores": cores,
        "worlds": worlds,
        "substeps": 17,
        "numpy": np.__version__,
        "steps_per_sec": results,
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m forearm.bench", description=__doc__)
    parser.add_argument("--task", action="append", choices=list(TASKS.values()), help="a task; else all")
    parser.add_argument("--secs", type=float, default=1.0, help="of a measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worlds", type=int, default=64, help="of a batch")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args()
    found = measure(options.task or list(TASKS.values()), options.secs, options.rounds, options.worlds)
    if options.json:
        print(json.dumps(found))
        return
    print(f"steps a second (17 substeps), {found['worlds']} worlds in a batch, {found['cores']} cores")
    for task, rates in found["steps_per_sec"].items():
        print(f"{task:18}" + "".join(f"  {name} {rate:>9.0f}" for name, rate in rates.items()))


if __name__ == "__main__":
    main()
