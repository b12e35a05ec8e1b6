"""Stable-Baselines3 on :class:`forearm.VectorEnv`: its algorithms see one vector environment, and no
Python runs for each world.

>>> from stable_baselines3 import PPO
>>> from forearm.sb3 import SB3VecEnv
>>> model = PPO("MlpPolicy", SB3VecEnv("reach", num_envs=64))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from forearm._config import Options, Unpack
from forearm.vector import VectorEnv


class SB3VecEnv(VecEnv):
    """Many worlds, as Stable-Baselines3 wants them.

    Of an episode that ends the step says ``episode`` (return and length), ``is_success``,
    ``terminal_observation`` and ``TimeLimit.truncated``, as SB3's own monitor does.
    """

    def __init__(self, task: str, num_envs: int, *, threads: int = 0, **options: Unpack[Options]) -> None:
        """Makes the worlds; see :class:`forearm.VectorEnv`."""
        self.worlds = VectorEnv(
            task, num_envs, threads=threads, autoreset_mode=AutoresetMode.SAME_STEP, **options
        )
        # SB3 asks for it while it is made.
        self.render_mode = self.worlds.render_mode
        super().__init__(num_envs, self.worlds.single_observation_space, self.worlds.single_action_space)
        self._actions: NDArray[np.float32] = np.zeros(self.worlds.action_space.shape or (), np.float32)
        self._returns = np.zeros(num_envs)
        self._lengths = np.zeros(num_envs, np.int64)

    def reset(self) -> Any:
        """Begins episodes in all worlds, with the seeds of :meth:`seed` the first time."""
        seeds = [seed for seed in self._seeds if seed is not None]
        observations, _ = self.worlds.reset(seed=seeds if len(seeds) == self.num_envs else None)
        self._reset_seeds()
        self._reset_options()
        self._returns[:] = 0.0
        self._lengths[:] = 0
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Takes note of the actions."""
        self._actions = np.ascontiguousarray(actions, np.float32)

    def step_wait(self) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Takes the actions."""
        observations, rewards, terminated, truncated, more = self.worlds.step(self._actions)
        self._returns += rewards
        self._lengths += 1
        dones = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for world in np.flatnonzero(dones).tolist():
            infos[world] = {
                "episode": {"r": float(self._returns[world]), "l": int(self._lengths[world])},
                "is_success": bool(more["final_info"]["is_success"][world]),
                "terminal_observation": more["final_obs"][world],
                "TimeLimit.truncated": bool(truncated[world] and not terminated[world]),
            }
        self._returns[dones] = 0.0
        self._lengths[dones] = 0
        return observations, rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Lets go of the worlds."""
        self.worlds.close()

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """A picture of each world."""
        return self.worlds.render() or [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute: all worlds have the same."""
        return [getattr(self.worlds, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Worlds of a batch have nothing of their own to be set."""
        raise NotImplementedError(f"{attr_name} can't be set: the worlds of a batch are alike")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Calls ``snapshot``, ``restore`` or ``state_hash`` of worlds."""
        method = getattr(self.worlds, method_name)
        return [method(world, *method_args, **method_kwargs) for world in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No world is wrapped."""
        return [False for _ in self._get_indices(indices)]
