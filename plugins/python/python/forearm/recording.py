"""LeRobot datasets: recorded frame by frame, or of whatever an environment does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import ArrayLike, NDArray

from forearm import _native
from forearm._config import Camera
from forearm.env import Env

#: H.264's quantiser, as Forearm's own recorder has it: 0 is best, 51 smallest.
QUALITY = 23
#: What is said of a task in a dataset where nothing else is.
TASK_TEXTS = {
    "reach": "Move the gripper to the target.",
    "push": "Push the cube to the target.",
    "pick-place": "Pick up the cube and place it in the tray.",
    "stack": "Stack one cube on the other.",
    "bimanual-handover": "Pick up the bar and hand it over to the other arm.",
}
_STATE, _ACTION, _IMAGES = "observation.state", "action", "observation.images."


@dataclass(frozen=True)
class SavedEpisode:
    """An episode that is in the dataset."""

    index: int
    """Its number, from 0."""
    frames: int
    """How many rows it has."""
    problems: tuple[str, ...]
    """What a person should know of it."""


class DatasetRecorder:
    """A LeRobot dataset that is recorded into, frame by frame.

    >>> with DatasetRecorder("my_dataset", fps=30, task="Wave.", cameras=[("front", 640, 480)]) as rec:
    ...     rec.add_frame({"observation.state": state, "action": action, "observation.images.front": image})
    ...     rec.save_episode()

    Frames have the names and units that LeRobot's ``LeRobotDataset.add_frame`` takes: joints in degrees,
    the gripper from 0 to 100, pictures as height, width, RGB with 8 bits each. A frame is on the disk when
    ``add_frame`` returns: what a crash, or leaving by an exception, leaves behind is an episode again when
    the dataset is opened with ``resume=True`` (``recovered`` lists them).
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        *,
        fps: int = 30,
        task: str | None = None,
        cameras: Sequence[Camera] = (),
        repo_id: str | None = None,
        robot_type: str = "so_follower",
        state_names: Sequence[str] | None = None,
        action_names: Sequence[str] | None = None,
        resume: bool = False,
        quality: int = QUALITY,
        _objects: int = 0,
    ) -> None:
        """Opens a folder to record into, and holds it until :meth:`close`.

        Args:
            root: The folder; LeRobot's own place for ``repo_id`` where none is given.
            fps: Frames a second.
            task: What is done, in words; a frame's ``task`` goes before it.
            cameras: Names of cameras, or name, width, height; without a size the first frame says it.
            repo_id: The dataset's name on a hub.
            robot_type: LeRobot's name of the robot's kind.
            state_names: Names of the state's numbers; without them those of the robot's joints.
            action_names: Names of the action's numbers; without them those of the state.
            resume: Whether to go on with a dataset that is there.
            quality: H.264's quantiser, 0 (best) to 51.
        """
        self.root = _folder(root, repo_id)
        self.repo_id = repo_id or self.root.name
        self.fps = fps
        self.task = task
        state = _lines(robot_type, state_names)
        self.state_names = tuple(name for name, _, _ in state)
        action = state if action_names is None else _lines(robot_type, action_names)
        self.action_names = tuple(name for name, _, _ in action)
        sizes = [(camera, 0, 0) if isinstance(camera, str) else camera for camera in cameras]
        self.cameras = tuple(name for name, _, _ in sizes)
        self._options: dict[str, Any] = {
            "fps": fps,
            "robot_type": robot_type,
            "state": state,
            "action": action,
            "objects": _objects,
            "cameras": sizes,
            "quality": quality,
            "resume": resume,
        }
        self._native: _native.Recorder | None = None
        self._closed = False
        self._task: str | None = None
        if all(width and height for _, width, height in sizes):
            self._open()

    def add_frame(self, frame: Mapping[str, Any]) -> None:
        """Adds a frame to the episode in hand; the first one begins it."""
        expected = {_STATE, _ACTION, *(_IMAGES + camera for camera in self.cameras)}
        got = set(frame) - {"task"}
        if got != expected:
            raise ValueError(f"a frame with {', '.join(sorted(got))}; expected {', '.join(sorted(expected))}")
        images = [_picture(camera, frame[_IMAGES + camera]) for camera in self.cameras]
        self._write(
            str(frame.get("task") or self.task or ""),
            _numbers(_STATE, frame[_STATE], self.state_names),
            _numbers(_ACTION, frame[_ACTION], self.action_names),
            np.zeros(0),
            images,
        )

    def save_episode(self) -> SavedEpisode:
        """Makes an episode of the frames: from now on it is part of the dataset."""
        self._task = None
        return _saved(self._open().save())

    def discard_episode(self) -> None:
        """Throws the frames of the episode in hand away."""
        self._task = None
        self._open().discard()

    @property
    def num_episodes(self) -> int:
        """How many episodes the dataset has."""
        return self._open().episodes

    @property
    def num_frames(self) -> int:
        """How many frames all of its episodes have."""
        return self._open().frames

    @property
    def frames_in_hand(self) -> int:
        """How many frames the episode in hand has."""
        return self._open().rows if self._native else 0

    @property
    def recovered(self) -> tuple[SavedEpisode, ...]:
        """Episodes that a crash had left, and that were saved when the dataset was opened."""
        return tuple(_saved(one) for one in self._open().recovered)

    def close(self) -> None:
        """Lets go of the folder. Frames that were not saved stay, as after a crash."""
        self._closed = True
        if self._native:
            self._native.close()
            self._native = None

    def __enter__(self) -> DatasetRecorder:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Saves an episode in hand and closes. After an exception it is left to ``resume=True``."""
        try:
            if kind is None and self.frames_in_hand:
                self.save_episode()
        finally:
            self.close()

    def _open(self) -> _native.Recorder:
        if self._closed:
            raise RuntimeError("the recorder is closed; make another one with resume=True")
        if self._native is None:
            unknown = [name for name, width, height in self._options["cameras"] if not (width and height)]
            if unknown:
                raise RuntimeError(
                    f"the size of {', '.join(unknown)} is not known yet; add a frame first, or give it with cameras="
                )
            self._native = _native.Recorder(self.root, **self._options)
        return self._native

    def _write(
        self,
        task: str,
        state: NDArray[np.float64],
        action: NDArray[np.float64],
        objects: NDArray[np.float64],
        images: list[NDArray[np.uint8]],
    ) -> None:
        """Writes a row of checked values."""
        if self._native is None:
            sizes = zip(self._options["cameras"], images)
            self._options["cameras"] = [
                (name, width or image.shape[1], height or image.shape[0]) for (name, width, height), image in sizes
            ]
        native = self._open()
        if self._task is None:
            if not task.strip():
                raise ValueError("no task is given; say what is done: task=..., or a frame's `task`")
            native.begin(task)
            self._task = task
        elif task != self._task:
            raise ValueError(f"a frame of {task!r} in an episode of {self._task!r}; save the episode first")
        native.add(state, action, objects, images)


class RecordEpisodes(gymnasium.Wrapper[Any, NDArray[np.float32], Any, NDArray[np.float32]]):
    """Records what an environment does: every episode that ends is one of a LeRobot dataset.

    A row has what was there before a step (``observation.state``, pictures) and what the step had the
    servos do (``action``: the joints' targets, in LeRobot's units, whatever actions the environment takes).
    The objects' poses are kept beside it, in `meta/forearm`.

    One row a step: a dataset's rate is whole, so that 29.4 steps a second are written as 29 rows a second
    unless ``fps`` says otherwise.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, NDArray[np.float32]],
        root: str | os.PathLike[str] | None = None,
        *,
        fps: int | None = None,
        task: str | None = None,
        repo_id: str | None = None,
        resume: bool = False,
        only_successes: bool = False,
        quality: int = QUALITY,
    ) -> None:
        """Opens a folder to record ``env`` into, with the cameras that it observes.

        With ``only_successes`` episodes that end otherwise are thrown away. What the other arguments are
        says :class:`DatasetRecorder`.
        """
        super().__init__(env)
        inner = env.unwrapped
        if not isinstance(inner, Env):
            raise TypeError(f"{type(inner).__name__} can't be recorded; expected a forearm.Env")
        self._inner = inner
        arms = inner.layout["agents"]
        prefixes = ["" if len(arms) == 1 else f"{arm['name']}_" for arm in arms]
        lines = [line for prefix in prefixes for line in _native.lerobot_channels(prefix)]
        self._zero = np.array([zero for _, zero, _ in lines])
        self._scale = np.array([scale for _, _, scale in lines])
        self._pictures = inner._config.pictures
        self._only_successes = only_successes
        self.recorder = DatasetRecorder(
            root,
            fps=fps or round(1.0 / inner.layout["step_secs"]),
            task=task or TASK_TEXTS[inner.task],
            cameras=[(name, width, height) for name, _, width, height in self._pictures],
            repo_id=repo_id,
            robot_type="so_follower" if len(arms) == 1 else "bi_so_follower",
            state_names=[name for name, _, _ in lines],
            resume=resume,
            quality=quality,
            _objects=inner._native.objects,
        )
        self._before: NDArray[np.float64] | None = None
        self._seen: list[NDArray[np.uint8]] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins an episode; one that was not at its end is saved as it is."""
        self._finish(success=False)
        observation, info = self.env.reset(seed=seed, options=options)
        self._look(observation)
        return observation, info

    def step(self, action: NDArray[np.float32]) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Takes an action and records it."""
        if self._before is None:
            raise gymnasium.error.ResetNeeded("step() before reset(); begin an episode first")
        result = self.env.step(action)
        observation, _, terminated, truncated, info = result
        before, seen, joints = self._before, self._seen, len(self._zero)
        after = self._look(observation)
        self.recorder._write(
            self.recorder.task or "",
            (before[1 : 1 + joints] - self._zero) * self._scale,
            (after[1 + joints : 1 + 2 * joints] - self._zero) * self._scale,
            before[1 + 2 * joints :].copy(),
            seen,
        )
        if terminated or truncated:
            self._finish(success=bool(info.get("is_success", False)))
        return result

    def close(self) -> None:
        """Saves what was recorded, lets go of the folder, and closes the environment."""
        self._finish(success=False)
        self.recorder.close()
        super().close()

    def _look(self, observation: Any) -> NDArray[np.float64]:
        """Keeps what is there before the next step."""
        tick: NDArray[np.float64] = self._inner._native.tick()
        self._before = tick
        seen = observation if isinstance(observation, dict) else {}
        self._seen = []
        for name, index, width, height in self._pictures:
            image = seen.get(name)
            if not (isinstance(image, np.ndarray) and image.shape == (height, width, 3) and image.dtype == np.uint8):
                image = self._inner._native.render(index)
            self._seen.append(image)
        return tick

    def _finish(self, *, success: bool) -> None:
        """Ends the episode in hand, if there is one."""
        self._before = None
        if self.recorder.frames_in_hand:
            if self._only_successes and not success:
                self.recorder.discard_episode()
            else:
                self.recorder.save_episode()


def _folder(root: str | os.PathLike[str] | None, repo_id: str | None) -> Path:
    """Where a dataset is."""
    if root is not None:
        return Path(root)
    if not repo_id:
        raise ValueError("neither root nor repo_id is given; expected a folder, or a dataset's name")
    if "HF_LEROBOT_HOME" in os.environ:
        return Path(os.environ["HF_LEROBOT_HOME"]).expanduser() / repo_id
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    return Path(home).expanduser() / "lerobot" / repo_id


def _lines(robot_type: str, names: Sequence[str] | None) -> list[tuple[str, float, float]]:
    """Name, zero and scale of each number: how it is written is how a joint's radians are."""
    prefixes = ["left_", "right_"] if robot_type.startswith("bi_") else [""]
    known = [line for prefix in prefixes for line in _native.lerobot_channels(prefix)]
    if names is None:
        return known
    by_name = {line[0]: line for line in known}
    return [by_name.get(name, (name, 0.0, 1.0)) for name in names]


def _numbers(key: str, values: ArrayLike, names: Sequence[str]) -> NDArray[np.float64]:
    """Values of a row, as many as there are names."""
    numbers = np.ascontiguousarray(values, dtype=np.float64)
    if numbers.shape != (len(names),):
        raise ValueError(f"{key} has shape {numbers.shape}; expected {len(names)} numbers: {', '.join(names)}")
    return numbers


def _picture(camera: str, image: Any) -> NDArray[np.uint8]:
    """A picture of a row."""
    picture = np.ascontiguousarray(image)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(
            f"{_IMAGES}{camera} is {picture.dtype} with shape {picture.shape}; expected uint8 as height, width, 3"
        )
    return picture


def _saved(told: tuple[int, int, list[str]]) -> SavedEpisode:
    index, frames, problems = told
    return SavedEpisode(index, frames, tuple(problems))
