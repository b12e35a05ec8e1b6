"""What a person may write: read by mypy, and run."""

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import forearm
from forearm import DatasetRecorder, Env, Options, RecordEpisodes, VectorEnv


def roll_out(env: gym.Env[NDArray[np.float32], NDArray[np.float32]], steps: int) -> float:
    """The return of random actions."""
    env.reset(seed=1)
    total = 0.0
    for _ in range(steps):
        _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        total += float(reward)
        if terminated or truncated:
            env.reset()
    return total


def main(folder: str) -> float:
    options: Options = {"reward": "sparse", "randomize": {"mass": 0.2}}
    total = roll_out(Env("push", **options), 5) + roll_out(gym.make("Forearm/Reach-v0"), 5)
    many = VectorEnv("reach", 3, threads=1, reward="dense", copy=False)
    observations, infos = many.reset(seed=[1, 2, None])
    rewards: NDArray[np.float64] = many.step(many.action_space.sample())[1]
    moment: forearm.Snapshot = many.snapshot(0)
    many.restore(1, moment)
    arms = forearm.parallel_env("bimanual-handover", max_steps=9)
    seen, _ = arms.reset(seed=4)
    arms.step({agent: arms.action_space(agent).sample() for agent in seen})
    recorded = RecordEpisodes(Env("reach", max_steps=4), folder, task="Reach.")
    total += roll_out(recorded, 4)
    recorded.close()
    with DatasetRecorder(folder, fps=29, task="Reach.", resume=True) as recorder:
        count: int = recorder.num_episodes
    return total + float(rewards.sum()) + count + float(np.sum(observations)) * 0 + len(infos) * 0
