"""What environments are made of: keyword arguments, checked, as the native half takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import numpy as np
from gymnasium import spaces
from typing_extensions import TypeAlias, Unpack

from forearm import _native

Camera: TypeAlias = "str | tuple[str, int, int]"
"""A camera of the scene: its name, or name, width, height (pixels)."""

#: Width and height of observed pictures where none are given, pixels.
OBSERVED = (96, 96)
#: Width and height of what ``render()`` draws where its camera is not observed, pixels.
RENDERED = (480, 360)
#: What ``render()`` looks through where no camera is named.
RENDER_CAMERA = "front"
#: No number of an observation is larger, in metres, radians and their rates: a bound, not a scale.
BOUND = 1e4

#: Environments by what follows ``Forearm/``: the task's name in the native half.
TASKS = {
    "Reach-v0": "reach",
    "Push-v0": "push",
    "PickPlace-v0": "pick-place",
    "Stack-v0": "stack",
    "BimanualHandover-v0": "bimanual-handover",
}


class Options(TypedDict, total=False):
    """Keyword arguments that all kinds of environments take."""

    reward: Literal["dense", "sparse"]
    """``dense`` says at every step how near success is, ``sparse`` is 1 for success."""
    actions: Literal["deltas", "targets"]
    """``deltas`` move the joints' targets, ``targets`` are the targets between the joints' limits."""
    obs: Literal["state", "pixels", "both"]
    """What is observed: numbers, pictures (a ``Dict`` by camera), or a ``Dict`` of both."""
    cameras: Sequence[Camera]
    """The cameras that are observed; all of the scene's where none are given."""
    substeps: int
    """Physics steps of 2 ms in a step."""
    max_steps: int | None
    """Steps after which an episode is cut off; the task's own number where none is given."""
    randomize: bool | Mapping[str, float]
    """By how much episodes differ: ``True`` for as much as a real arm may need, or single values."""
    render_mode: Literal["rgb_array"] | None
    """Whether ``render()`` draws."""
    render_camera: Camera
    """What ``render()`` looks through."""


@dataclass(frozen=True)
class Config:
    """The same, as the native half takes it."""

    native: str
    state: bool
    pictures: tuple[tuple[str, int, int, int], ...]
    """Observed cameras: name, its number, width, height."""
    render_camera: int | None
    """The number of the camera of ``render()``."""

    @staticmethod
    def of(task: str, known_cameras: Sequence[str], options: Options) -> Config:
        """From keyword arguments."""
        obs = one_of("obs", options.get("obs", "state"), ("state", "pixels", "both"))
        native: dict[str, Any] = {
            "task": one_of("task", task, tuple(TASKS.values())),
            "reward": one_of("reward", options.get("reward", "dense"), ("dense", "sparse")),
            "actions": one_of("actions", options.get("actions", "deltas"), ("deltas", "targets")),
        }
        for name in ("substeps", "max_steps"):
            if (value := options.get(name)) is not None:
                native[name] = value
        randomize = options.get("randomize", False)
        if isinstance(randomize, Mapping):
            native["randomize"] = dict(randomize)
        elif randomize:
            native["randomize"] = json.loads(_native.full_randomization())
        given: Iterable[Camera] = options.get("cameras", known_cameras)
        observed = [sized(camera, OBSERVED) for camera in given] if obs != "state" else []
        if obs != "state" and not observed:
            raise ValueError(f"obs={obs!r} needs cameras; expected some of {', '.join(known_cameras)}")
        names = [name for name, _, _ in observed]
        if len(set(names)) != len(names):
            raise ValueError(f"cameras are {names}; expected each once")
        drawn = list(observed)
        render_camera = None
        if one_of("render_mode", options.get("render_mode"), (None, "rgb_array")):
            wanted = options.get("render_camera", RENDER_CAMERA)
            if isinstance(wanted, str) and wanted in names:
                render_camera = names.index(wanted)
            else:
                render_camera = len(drawn)
                drawn.append(sized(wanted, RENDERED))
        native["cameras"] = [{"name": name, "resolution": [width, height]} for name, width, height in drawn]
        unknown = set(options) - set(Options.__annotations__)
        if unknown:
            allowed = ", ".join(sorted(Options.__annotations__))
            raise TypeError(f"unexpected keyword arguments: {', '.join(sorted(unknown))}; expected some of {allowed}")
        pictures = tuple((name, index, width, height) for index, (name, width, height) in enumerate(observed))
        return Config(json.dumps(native), obs != "pixels", pictures, render_camera)

    def observation_space(self, numbers: int) -> spaces.Space[Any]:
        """The space of observations with so many numbers."""
        state: spaces.Space[Any] = observation_space(numbers)
        if not self.pictures:
            return state
        parts: dict[str, spaces.Space[Any]] = {"state": state} if self.state else {}
        for name, _, width, height in self.pictures:
            parts[name] = spaces.Box(0, 255, (height, width, 3), np.uint8)
        return spaces.Dict(parts)


def observation_space(numbers: int) -> Any:
    """The space of observations that are so many numbers."""
    return spaces.Box(-BOUND, BOUND, (numbers,), np.float32)


def action_space(numbers: int) -> Any:
    """The space of actions with so many numbers."""
    return spaces.Box(-1.0, 1.0, (numbers,), np.float32)


def one_of(what: str, got: Any, allowed: Sequence[Any]) -> Any:
    """One of several values."""
    if got in allowed:
        return got
    raise ValueError(f"{what} is {got!r}; expected one of {', '.join(map(repr, allowed))}")


def sized(camera: Camera, size: tuple[int, int]) -> tuple[str, int, int]:
    """A camera with its size."""
    if isinstance(camera, str):
        return (camera, *size)
    name, width, height = camera
    return (name, int(width), int(height))


__all__ = ["BOUND", "TASKS", "Camera", "Config", "Options", "Unpack", "action_space", "observation_space"]
