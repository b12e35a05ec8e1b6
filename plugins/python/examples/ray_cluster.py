"""PPO on a Ray cluster: each actor steps a batch of worlds, the driver learns from what they saw.

    pip install "forearm[ray,train]"
    python ray_cluster.py                      # a cluster of its own on this machine
    python ray_cluster.py --address auto       # one that is there

A round: the driver hands its networks out, every actor takes so many steps in all of its worlds and
sends back what happened, and the driver learns from all of it. It prints, round by round, how many
episodes succeed and how many steps a second the cluster does, and at the end how that compares with one
actor alone.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import ray
import torch
from torch import nn

from forearm import VectorEnv

GAMMA, GAE = 0.95, 0.9
EPOCHS, BATCH, CLIP, RATE = 8, 512, 0.2, 1e-3


class Policy(nn.Module):
    """Mean and spread of actions, and what a state is worth."""

    def __init__(self, numbers: int, actions: int) -> None:
        super().__init__()

        def network(out: int) -> nn.Sequential:
            layers = [nn.Linear(numbers, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, out)]
            for layer in layers[::2]:
                nn.init.orthogonal_(layer.weight, np.sqrt(2.0) if layer is not layers[-1] else 0.01)
                nn.init.zeros_(layer.bias)
            return nn.Sequential(*layers)

        self.mean, self.value = network(actions), network(1)
        self.log_std = nn.Parameter(torch.full((actions,), -0.5))

    def actions(self, observations: torch.Tensor) -> torch.distributions.Distribution:
        """What it would do."""
        normal = torch.distributions.Normal(self.mean(observations), self.log_std.exp())
        return torch.distributions.Independent(normal, 1)

    def worth(self, observations: torch.Tensor) -> torch.Tensor:
        """What states are worth."""
        values: torch.Tensor = self.value(observations).squeeze(-1)
        return values


class Worker:
    """Steps a batch of worlds on one core."""

    def __init__(self, task: str, worlds: int, seed: int) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self.worlds = VectorEnv(task, worlds, threads=1, autoreset_mode="SameStep")
        self.observations, _ = self.worlds.reset(seed=seed)
        self.policy = Policy(*shape(task))

    @torch.no_grad()
    def collect(self, weights: dict[str, Any], steps: int) -> tuple[dict[str, Any], int, int]:
        """What happens in so many steps; how many episodes ended, and how many of them well."""
        self.policy.load_state_dict({name: torch.tensor(values) for name, values in weights.items()})
        rows: dict[str, list[Any]] = {name: [] for name in ("seen", "did", "chance", "worth", "reward", "done")}
        ended = succeeded = 0
        for _ in range(steps):
            seen = torch.as_tensor(self.observations)
            choices = self.policy.actions(seen)
            did = choices.sample()
            after, rewards, terminated, truncated, infos = self.worlds.step(did.clamp(-1, 1).numpy())
            done = terminated | truncated
            # An episode that is cut off would have gone on.
            for world in np.flatnonzero(truncated & ~terminated).tolist():
                rewards[world] += GAMMA * float(self.policy.worth(torch.as_tensor(infos["final_obs"][world])))
            if done.any():
                ended += int(done.sum())
                succeeded += int(infos["final_info"]["is_success"][done].sum())
            chance, worth = choices.log_prob(did).numpy(), self.policy.worth(seen).numpy()
            values = (self.observations, did.numpy(), chance, worth, rewards.astype(np.float32), done)
            for row, value in zip(rows.values(), values):
                row.append(value)
            self.observations = after
        made = {name: np.stack(row) for name, row in rows.items()}
        # How much better than expected each action was (generalised advantage estimation).
        last = self.policy.worth(torch.as_tensor(self.observations)).numpy()
        better, ahead = np.zeros_like(last), last
        made["better"] = np.zeros_like(made["reward"])
        for step in reversed(range(steps)):
            goes_on = 1.0 - made["done"][step]
            surprise = made["reward"][step] + GAMMA * goes_on * ahead - made["worth"][step]
            better = surprise + GAMMA * GAE * goes_on * better
            made["better"][step] = better
            ahead = made["worth"][step]
        made["target"] = made["better"] + made["worth"]
        return {name: made[name] for name in ("seen", "did", "chance", "better", "target")}, ended, succeeded


def shape(task: str) -> tuple[int, int]:
    """How many numbers are observed, and how many are an action."""
    worlds = VectorEnv(task, 1, threads=1)
    seen, done = worlds.single_observation_space.shape, worlds.single_action_space.shape
    assert seen and done
    return seen[0], done[0]


def learn(policy: Policy, optimiser: torch.optim.Optimizer, parts: list[dict[str, Any]]) -> None:
    """A round of PPO."""
    data: dict[str, torch.Tensor] = {}
    for name in parts[0]:
        together = np.concatenate([part[name].reshape(-1, *part[name].shape[2:]) for part in parts])
        data[name] = torch.as_tensor(together)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(data["seen"])).split(BATCH):
            seen, did, chance, better, target = (values[chosen] for values in data.values())
            better = (better - better.mean()) / (better.std() + 1e-8)
            ratio = (policy.actions(seen).log_prob(did) - chance).exp()
            gain = torch.minimum(ratio * better, ratio.clamp(1 - CLIP, 1 + CLIP) * better).mean()
            loss = 0.5 * (policy.worth(seen) - target).square().mean() - gain
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            optimiser.step()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", help="of a cluster; else one of its own with --cpus")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--worlds", type=int, default=32, help="of an actor")
    parser.add_argument("--steps", type=int, default=32, help="of a world, in a round")
    parser.add_argument("--rounds", type=int, default=200, help="the most")
    parser.add_argument("--enough", type=float, default=0.95, help="success rate of a report at which it ends")
    parser.add_argument("--task", default="reach")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.address:
        ray.init(address=options.address)
    else:
        ray.init(num_cpus=options.cpus, include_dashboard=False)
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    policy = Policy(*shape(options.task))
    optimiser = torch.optim.Adam(policy.parameters(), RATE, eps=1e-5)
    remote = ray.remote(num_cpus=1)(Worker)
    seeds = [options.seed + 10_000 * actor for actor in range(options.actors)]
    actors = [remote.remote(options.task, options.worlds, seed) for seed in seeds]

    def weights() -> Any:
        return ray.put({name: values.numpy() for name, values in policy.state_dict().items()})

    # What one actor does alone, to compare with; the first round also loads what it needs.
    ray.get([actor.collect.remote(weights(), 1) for actor in actors])
    started = time.perf_counter()
    ray.get(actors[0].collect.remote(weights(), 4 * options.steps))
    alone = 4 * options.steps * options.worlds / (time.perf_counter() - started)

    steps, stepping, began = 0, 0.0, time.perf_counter()
    ended = succeeded = 0
    for number in range(1, options.rounds + 1):
        started, given = time.perf_counter(), weights()
        results = ray.get([actor.collect.remote(given, options.steps) for actor in actors])
        stepping += time.perf_counter() - started
        steps += options.actors * options.worlds * options.steps
        ended += sum(count for _, count, _ in results)
        succeeded += sum(count for _, _, count in results)
        learn(policy, optimiser, [part for part, _, _ in results])
        if number % 10 == 0:
            success = succeeded / max(ended, 1)
            row = {"round": number, "steps": steps, "success": round(success, 3), "episodes": ended}
            print(json.dumps(row | {"steps_per_sec": round(steps / stepping)}), flush=True)
            if success >= options.enough:
                break
            ended = succeeded = 0
    print(
        f"{options.actors} actors: {steps / stepping:.0f} steps a second while stepping, one alone {alone:.0f}; "
        f"{steps} steps and all learning in {time.perf_counter() - began:.0f} s"
    )
    ray.shutdown()


if __name__ == "__main__":
    main()
