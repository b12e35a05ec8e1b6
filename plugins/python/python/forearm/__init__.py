"""Simulated SO-101 arms as Gymnasium environments, and LeRobot datasets recorded from them.

>>> import gymnasium as gym, forearm
>>> env = gym.make("Forearm/Reach-v0")
>>> envs = gym.make_vec("Forearm/Reach-v0", num_envs=64)

``forearm.Env`` is one world, ``forearm.VectorEnv`` many, ``forearm.parallel_env`` one whose arms are
agents of their own. ``forearm.DatasetRecorder`` writes LeRobot datasets, ``forearm.RecordEpisodes``
records what an environment does.
"""

from gymnasium.envs.registration import register, registry

from forearm._config import TASKS, Camera, Options
from forearm._native import VERSION as __version__
from forearm._native import Snapshot
from forearm.env import Env
from forearm.parallel import ArmsEnv, parallel_env
from forearm.recording import DatasetRecorder, RecordEpisodes, SavedEpisode
from forearm.vector import VectorEnv

__all__ = [
    "TASKS",
    "ArmsEnv",
    "Camera",
    "DatasetRecorder",
    "Env",
    "Options",
    "RecordEpisodes",
    "SavedEpisode",
    "Snapshot",
    "VectorEnv",
    "__version__",
    "parallel_env",
]

for _name, _task in TASKS.items():
    if f"Forearm/{_name}" not in registry:
        register(
            id=f"Forearm/{_name}",
            entry_point="forearm.env:Env",
            vector_entry_point="forearm.vector:VectorEnv",
            kwargs={"task": _task},
        )
