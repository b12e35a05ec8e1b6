"""Many worlds as one Gymnasium vector environment, stepped on all cores without Python in between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv as GymnasiumVectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from forearm import _native
from forearm._config import Config, Options, Unpack, action_space

#: Seeds that episodes get where none is given are below this.
SEEDS = 1 << 63
_Bools = NDArray[np.bool_]


class VectorEnv(GymnasiumVectorEnv[Any, NDArray[np.float32], NDArray[Any]]):
    """Many worlds: ``gymnasium.make_vec("Forearm/Reach-v0", num_envs=64)``, or made directly.

    ``copy=True`` returns new arrays from every call; with ``copy=False`` observations are views of the
    same memory, which the next call overwrites. Neither copies anything on the way.

    An episode's end is followed by its world's next episode: in the step after it (``NEXT_STEP``,
    whose action does not count), or in the same step (``SAME_STEP``, with ``final_obs`` and
    ``final_info``).
    """

    def __init__(
        self,
        task: str,
        num_envs: int = 1,
        *,
        threads: int = 0,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **options: Unpack[Options],
    ) -> None:
        """Makes the worlds, stepped by so many threads (0: one a core)."""
        mode = AutoresetMode(autoreset_mode)
        if mode == AutoresetMode.DISABLED:
            raise ValueError("autoreset_mode is DISABLED; expected NEXT_STEP or SAME_STEP")
        config = Config.of(task, _native.cameras(task), options)
        pictures = [picture[:2] for picture in config.pictures]
        self._native = _native.Batch(config.native, num_envs, threads, config.state, pictures, copy)
        self._config = config
        self._same_step = mode == AutoresetMode.SAME_STEP
        self.task = task
        self.layout: dict[str, Any] = json.loads(self._native.spec)
        self.num_envs = num_envs
        self.single_observation_space = config.observation_space(self._native.observation_len)
        self.single_action_space = action_space(self._native.action_len)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.render_mode = options.get("render_mode")
        self.metadata = {"autoreset_mode": mode, "render_modes": ["rgb_array"], "render_fps": 29}

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Begins episodes: in all worlds, or where ``options["reset_mask"]`` says so.

        Of one seed world ``i`` gets ``seed + i``, as in Gymnasium's own vector environments.
        """
        # What is drawn later follows from the first seed that is given.
        given = [seed] if seed is None or isinstance(seed, int) else list(seed)
        super().reset(seed=next((one for one in given if one is not None), None))
        seeds: list[int | None]
        if isinstance(seed, int):
            seeds = [seed + index for index in range(self.num_envs)]
        else:
            seeds = [None] * self.num_envs if seed is None else given
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds for {self.num_envs} worlds; expected as many")
        mask = reset_mask(options, self.num_envs)
        if mask is None:
            mask = [True] * self.num_envs
        if any(seed is None for seed in seeds):
            draws = self.np_random.integers(SEEDS, size=self.num_envs).tolist()
            seeds = [draw if one is None else one for one, draw in zip(seeds, draws)]
        return self._native.reset([one if chosen else None for one, chosen in zip(seeds, mask)])

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Any, NDArray[np.float64], _Bools, _Bools, dict[str, Any]]:
        """Takes an action in every world."""
        result = self._native.step(actions)
        if self._same_step:
            return self._begun_anew(*result)
        return result

    def _begun_anew(
        self,
        observations: Any,
        rewards: NDArray[np.float64],
        terminated: _Bools,
        truncated: _Bools,
        infos: dict[str, Any],
    ) -> tuple[Any, NDArray[np.float64], _Bools, _Bools, dict[str, Any]]:
        """What a step says where episodes that end are followed at once by the next."""
        done = terminated | truncated
        if not done.any():
            return observations, rewards, terminated, truncated, infos
        final_obs = np.full(self.num_envs, None, object)
        final_info: dict[str, Any] = {}
        for key, values in infos.items():
            final_info[key] = values & done if key.startswith("_") else np.where(done, values, np.zeros_like(values))
        seeds: list[int | None] = [None] * self.num_envs
        for world in np.flatnonzero(done).tolist():
            final_obs[world] = row(observations, world)
            seeds[world] = int(self.np_random.integers(SEEDS))
        infos = self._native.restart(seeds)
        infos |= {"final_obs": final_obs, "_final_obs": done, "final_info": final_info, "_final_info": done.copy()}
        return observations, rewards, terminated, truncated, infos

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """A picture of each world."""
        camera = self._config.render_camera
        if camera is None:
            return None
        return tuple(self._native.render(world, camera) for world in range(self.num_envs))

    def snapshot(self, world: int) -> _native.Snapshot:
        """All that a world's future depends on, to go back to with :meth:`restore`."""
        return self._native.snapshot(world)

    def restore(self, world: int, snapshot: _native.Snapshot) -> None:
        """Takes a world back to a snapshot, of this world or another one."""
        self._native.restore(world, snapshot)

    def state_hash(self, world: int) -> bytes:
        """32 bytes that are equal where two worlds are."""
        return self._native.state_hash(world)


def row(observations: Any, world: int) -> Any:
    """A world's observation, of its own."""
    if isinstance(observations, dict):
        return {key: values[world].copy() for key, values in observations.items()}
    return observations[world].copy()


def reset_mask(options: dict[str, Any] | None, worlds: int) -> list[bool] | None:
    """Which worlds are to be reset; nothing for all."""
    if not options or "reset_mask" not in options:
        return None
    mask = options["reset_mask"]
    if not (isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == (worlds,) and mask.any()):
        raise ValueError(f"options['reset_mask'] is {mask!r}; expected {worlds} bools as an array, one of them true")
    chosen: list[bool] = mask.tolist()
    return chosen
