"""The arms of a world as agents of their own: dictionaries in, dictionaries out, as PettingZoo has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from forearm import _native
from forearm._config import Config, Options, Unpack, action_space, observation_space
from forearm.env import SEEDS

# PettingZoo's class if it is there: nothing of it is needed, but its tools look for it.
if TYPE_CHECKING:

    class ParallelEnv:
        """What PettingZoo's environments have in common."""
else:
    try:
        from pettingzoo import ParallelEnv
    except ImportError:
        ParallelEnv = object

_Numbers = NDArray[np.float32]
_Space = spaces.Space[_Numbers]


class ArmsEnv(ParallelEnv):
    """A world whose arms act together; made by :func:`parallel_env`."""

    def __init__(self, task: str, **options: Unpack[Options]) -> None:
        """Makes the world of a task. Numbers only are observed."""
        if options.get("obs", "state") != "state":
            raise ValueError("parallel environments observe numbers; expected obs='state'")
        config = Config.of(task, _native.cameras(task), options)
        self._native = _native.Env(config.native, True, [])
        self._config = config
        self.layout: dict[str, Any] = json.loads(self._native.spec)
        self.metadata = {"name": f"forearm_{task}_v0", "render_modes": ["rgb_array"], "is_parallelizable": True}
        self.render_mode = options.get("render_mode")
        self.possible_agents: list[str] = [agent["name"] for agent in self.layout["agents"]]
        self.agents: list[str] = []
        self.observation_spaces: dict[str, _Space] = {}
        self.action_spaces: dict[str, _Space] = {}
        #: Where an agent's numbers are among those of all: observations, actions.
        self._parts: dict[str, tuple[slice, slice]] = {}
        seen = done = 0
        for agent in self.layout["agents"]:
            name, sees, does = agent["name"], agent["observation_len"], agent["action_len"]
            self.observation_spaces[name] = observation_space(sees)
            self.action_spaces[name] = action_space(does)
            self._parts[name] = slice(seen, seen + sees), slice(done, done + does)
            seen, done = seen + sees, done + does
        self.state_space: _Space = observation_space(seen)
        self._actions = np.zeros(self._native.action_len, np.float32)
        self._state = np.zeros(self._native.observation_len, np.float32)
        self._seeds = np.random.default_rng()

    def observation_space(self, agent: str) -> _Space:
        """What an agent sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> _Space:
        """What an agent does."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, _Numbers], dict[str, dict[str, Any]]]:
        """Begins an episode; all that is random in it comes from ``seed``."""
        if seed is not None:
            self._seeds = np.random.default_rng(seed)
        self._state, info = self._native.reset(int(self._seeds.integers(SEEDS)) if seed is None else seed)
        self.agents = list(self.possible_agents)
        return self._parted(), {agent: dict(info) for agent in self.agents}

    def step(
        self, actions: dict[str, _Numbers]
    ) -> tuple[
        dict[str, _Numbers], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
    ]:
        """Takes an action of each agent. An episode ends for all of them at once."""
        if not self.agents:
            return {}, {}, {}, {}, {}
        if set(actions) != set(self.agents):
            raise ValueError(f"actions are of {sorted(actions)}; expected one of each of {self.agents}")
        for agent in self.agents:
            self._actions[self._parts[agent][1]] = actions[agent]
        self._state, _, terminated, truncated, info = self._native.step(self._actions)
        agents, rewards = self.agents, self._native.rewards()
        results = (
            self._parted(),
            dict(zip(agents, rewards)),
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            {agent: dict(info) for agent in agents},
        )
        if terminated or truncated:
            self.agents = []
        return results

    def state(self) -> _Numbers:
        """All agents' observations, one after another."""
        return self._state.copy()

    def render(self) -> Any:
        """A picture: height, width, RGB, 8 bits each; nothing without ``render_mode``."""
        camera = self._config.render_camera
        return None if camera is None else self._native.render(camera)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _parted(self) -> dict[str, _Numbers]:
        return {agent: self._state[self._parts[agent][0]].copy() for agent in self.agents}


def parallel_env(task: str = "bimanual-handover", **options: Unpack[Options]) -> ArmsEnv:
    """The arms of a task's world as agents of their own, by their names.

    It is a ``pettingzoo.ParallelEnv`` where PettingZoo is installed, and works the same without.
    """
    return ArmsEnv(task, **options)
