"""One world as a Gymnasium environment."""

from __future__ import annotations

import json
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from forearm import _native
from forearm._config import Config, Options, Unpack, action_space

#: Seeds that episodes get where none is given are below this.
SEEDS = 1 << 63


class Env(gymnasium.Env[Any, NDArray[np.float32]]):
    """One world: ``gymnasium.make("Forearm/Reach-v0")``, or made directly.

    Observations are new arrays, written by the simulation; what was returned earlier never changes.
    Equal seeds and actions give equal bits, on every machine.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 29}

    def __init__(self, task: str, **options: Unpack[Options]) -> None:
        """Makes the world of a task; see :class:`forearm.Options` for the options."""
        config = Config.of(task, _native.cameras(task), options)
        self._native = _native.Env(config.native, config.state, [picture[:2] for picture in config.pictures])
        self._config = config
        self.task = task
        self.layout: dict[str, Any] = json.loads(self._native.spec)
        self.observation_space = config.observation_space(self._native.observation_len)
        self.action_space = action_space(self._native.action_len)
        self.render_mode = options.get("render_mode")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins an episode. All that is random in it comes from ``seed``; without one, from the last."""
        super().reset(seed=seed)
        return self._native.reset(int(self.np_random.integers(SEEDS)) if seed is None else seed)

    def step(self, action: NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Takes an action: one number from -1 to 1 for each joint. What is no number counts as 0."""
        return self._native.step(action)

    def render(self) -> Any:
        """A picture: height, width, RGB, 8 bits each."""
        if self._config.render_camera is None:
            gymnasium.logger.warn("render() draws nothing without render_mode='rgb_array'")
            return None
        return self._native.render(self._config.render_camera)

    def snapshot(self) -> _native.Snapshot:
        """All that the future depends on, to go back to with :meth:`restore`."""
        return self._native.snapshot()

    def restore(self, snapshot: _native.Snapshot) -> Any:
        """Goes back to a snapshot, bit for bit; the observation there."""
        return self._native.restore(snapshot)

    def state_hash(self) -> bytes:
        """32 bytes that are equal where two worlds are."""
        return self._native.state_hash()
