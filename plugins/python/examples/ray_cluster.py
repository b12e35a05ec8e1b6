"""Roll-outs and training on a Ray cluster: each actor steps a batch of worlds, the driver learns.

    pip install "forearm[ray]"
    python ray_cluster.py                      # a cluster of its own on this machine
    python ray_cluster.py --address auto       # one that is there

What learns is evolution strategies on a linear policy of `reach`: a generation's candidates are split
among the actors, each of which tries its share in the worlds of one batch, a candidate in several
worlds. Only seeds and returns travel. It prints, generation by generation, how good the policy is and
how many steps a second the cluster does, and at the end how the rate compares with one actor's.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import ray

from forearm import VectorEnv

#: How far candidates are from the policy.
SPREAD = 0.05
RATE = 0.03


class Worker:
    """Steps a batch of worlds on one core."""

    def __init__(self, task: str, candidates: int, worlds_each: int) -> None:
        self.candidates, self.worlds_each = candidates, worlds_each
        self.worlds = VectorEnv(task, candidates * worlds_each, threads=1, copy=False)
        self.numbers: int = self.worlds.single_observation_space.shape[0]  # type: ignore[index]
        self.actions: int = self.worlds.single_action_space.shape[0]  # type: ignore[index]

    def shape(self) -> tuple[int, int]:
        """Of a policy: numbers observed with a constant one, actions."""
        return self.numbers + 1, self.actions

    def noise(self, seed: int) -> Any:
        """What makes candidates differ: half of them are the others' mirror images."""
        random = np.random.default_rng(seed)
        half = random.standard_normal((self.candidates // 2, *self.shape())).astype(np.float32)
        return np.concatenate([half, -half])

    def try_out(self, policy: Any, seed: int, episodes_seed: int) -> tuple[Any, float, int]:
        """Each candidate's mean return, the part of episodes that succeed, and how many steps it took."""
        policies = policy + SPREAD * self.noise(seed)
        worlds = self.worlds
        # Every candidate has the same episodes: what differs are the policies.
        seeds = [episodes_seed + world % self.worlds_each for world in range(worlds.num_envs)]
        observations, _ = worlds.reset(seed=seeds)
        running = np.ones(worlds.num_envs, bool)
        returns, successes, steps = np.zeros(worlds.num_envs), np.zeros(worlds.num_envs, bool), 0
        while running.any():
            rows = observations.reshape(self.candidates, self.worlds_each, self.numbers)
            actions = np.tanh(rows @ policies[:, :-1] + policies[:, -1:])
            observations, rewards, terminated, truncated, infos = worlds.step(
                actions.reshape(worlds.num_envs, self.actions).astype(np.float32)
            )
            steps += worlds.num_envs
            returns += np.where(running, rewards, 0.0)
            successes |= running & infos["is_success"]
            running &= ~(terminated | truncated)
        shape = (self.candidates, self.worlds_each)
        return returns.reshape(shape).mean(axis=1), float(successes.mean()), steps


def ranks(returns: Any) -> Any:
    """From -0.5 for the worst to 0.5 for the best: one lucky candidate doesn't count for more."""
    order = np.empty(len(returns))
    order[np.argsort(returns)] = np.arange(len(returns))
    return order / (len(returns) - 1) - 0.5


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", help="of a cluster; else one of its own with --cpus")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--candidates", type=int, default=16, help="of an actor, in a generation")
    parser.add_argument("--worlds", type=int, default=8, help="of a candidate")
    parser.add_argument("--generations", type=int, default=20)
    parser.add_argument("--task", default="reach")
    options = parser.parse_args()
    if options.address:
        ray.init(address=options.address)
    else:
        ray.init(num_cpus=options.cpus, include_dashboard=False)
    remote = ray.remote(num_cpus=1)(Worker)
    actors = [remote.remote(options.task, options.candidates, options.worlds) for _ in range(options.actors)]
    local = Worker(options.task, options.candidates, 1)
    policy = np.zeros(local.shape(), np.float32)

    # What one actor does alone, to compare with.
    started = time.perf_counter()
    _, _, alone_steps = ray.get(actors[0].try_out.remote(policy, 0, 0))
    alone = alone_steps / (time.perf_counter() - started)

    total_steps, total_secs = 0, 0.0
    for generation in range(options.generations):
        started = time.perf_counter()
        seeds = [generation * options.actors + actor for actor in range(options.actors)]
        given = ray.put(policy)
        results = ray.get(
            [actor.try_out.remote(given, seed, 1000 * generation) for actor, seed in zip(actors, seeds)]
        )
        secs = time.perf_counter() - started
        steps = sum(steps for _, _, steps in results)
        total_steps, total_secs = total_steps + steps, total_secs + secs
        returns = np.concatenate([returns for returns, _, _ in results])
        noise = np.concatenate([local.noise(seed) for seed in seeds])
        gradient = np.tensordot(ranks(returns), noise, axes=1) / (len(returns) * SPREAD)
        policy = policy + np.float32(RATE) * gradient.astype(np.float32)
        row = {
            "generation": generation,
            "mean_return": round(float(returns.mean()), 2),
            "success": round(float(np.mean([success for _, success, _ in results])), 3),
            "steps_per_sec": round(steps / secs),
        }
        print(json.dumps(row), flush=True)
    rate = total_steps / total_secs
    print(
        f"{options.actors} actors: {rate:.0f} steps a second over {total_steps} steps; "
        f"one actor alone: {alone:.0f} ({rate / alone:.2f} times)"
    )
    ray.shutdown()


if __name__ == "__main__":
    main()
