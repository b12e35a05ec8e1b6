"""The native half; see the crate `forearm_python`."""

import os
from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "VERSION",
    "Batch",
    "Env",
    "Recorder",
    "Snapshot",
    "cameras",
    "full_randomization",
    "lerobot_channels",
]

VERSION: str

def cameras(task: str) -> list[str]: ...
def full_randomization() -> str: ...
def lerobot_channels(prefix: str = "") -> list[tuple[str, float, float]]: ...
@final
class Snapshot:
    def __copy__(self) -> Snapshot: ...
    def __deepcopy__(self, memo: object) -> Snapshot: ...

@final
class Env:
    def __new__(cls, config: str, state: bool, pictures: Sequence[tuple[str, int]]) -> Env: ...
    spec: str
    observation_len: int
    action_len: int
    objects: int
    def reset(self, seed: int) -> tuple[Any, dict[str, Any]]: ...
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]: ...
    def rewards(self) -> list[float]: ...
    def render(self, camera: int) -> NDArray[np.uint8]: ...
    def tick(self) -> NDArray[np.float64]: ...
    def snapshot(self) -> Snapshot: ...
    def restore(self, snapshot: Snapshot) -> Any: ...
    def state_hash(self) -> bytes: ...

@final
class Batch:
    def __new__(
        cls,
        config: str,
        worlds: int,
        threads: int,
        state: bool,
        pictures: Sequence[tuple[str, int]],
        copy: bool,
    ) -> Batch: ...
    spec: str
    observation_len: int
    action_len: int
    threads: int
    def reset(self, seeds: Sequence[int | None]) -> tuple[Any, dict[str, Any]]: ...
    def step(
        self, actions: Any
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]: ...
    def restart(self, seeds: Sequence[int | None]) -> dict[str, Any]: ...
    def render(self, world: int, camera: int) -> NDArray[np.uint8]: ...
    def snapshot(self, world: int) -> Snapshot: ...
    def restore(self, world: int, snapshot: Snapshot) -> None: ...
    def state_hash(self, world: int) -> bytes: ...

@final
class Recorder:
    def __new__(
        cls,
        root: str | os.PathLike[str],
        *,
        fps: int,
        robot_type: str,
        state: Sequence[tuple[str, float, float]],
        action: Sequence[tuple[str, float, float]],
        objects: int,
        cameras: Sequence[tuple[str, int, int]],
        quality: int,
        resume: bool,
    ) -> Recorder: ...
    episodes: int
    frames: int
    rows: int
    recovered: list[tuple[int, int, list[str]]]
    def begin(self, task: str) -> None: ...
    def add(
        self,
        state: NDArray[np.float64],
        action: NDArray[np.float64],
        objects: NDArray[np.float64],
        images: Sequence[NDArray[np.uint8]],
    ) -> None: ...
    def save(self) -> tuple[int, int, list[str]]: ...
    def discard(self) -> None: ...
    def close(self) -> None: ...
