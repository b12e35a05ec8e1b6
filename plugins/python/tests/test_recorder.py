"""LeRobot datasets: recorded frame by frame, killed at any moment, read by third parties."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import assert_sound

from forearm import DatasetRecorder

NAMES = [f"{joint}.pos" for joint in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")]


def frame(index: int, cameras: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """A row that no other index has."""
    made: dict[str, Any] = {
        "observation.state": np.arange(6, dtype=np.float32) + 0.25 * index,
        "action": np.arange(6, dtype=np.float32) - 0.5 * index,
    }
    for camera, (width, height) in cameras.items():
        ramp = np.linspace(0, 255, width, dtype=np.float32)
        image = np.zeros((height, width, 3), np.uint8)
        image[..., 0] = ramp
        image[..., 1] = (7 * index) % 256
        image[..., 2] = ramp[::-1]
        made[f"observation.images.{camera}"] = image
    return made


def test_what_is_recorded_is_what_others_read(tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    cameras = {"front": (128, 96), "wrist": (64, 48)}
    sizes = [(name, *size) for name, size in cameras.items()]
    with DatasetRecorder(root, fps=25, task="Wave.", cameras=sizes) as recorder:
        for index in range(30):
            recorder.add_frame(frame(index, cameras))
        saved = recorder.save_episode()
        assert (saved.index, saved.frames, saved.problems) == (0, 30, ())
        for index in range(12):
            recorder.add_frame(frame(index, cameras) | {"task": "Wave back."})
        assert recorder.frames_in_hand == 12
        assert (recorder.num_episodes, recorder.num_frames) == (1, 30)
    assert_sound(root, 2)
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(root / "data")
    rows = [frame(index, {}) for index in [*range(30), *range(12)]]
    for key in ("observation.state", "action"):
        assert np.array_equal(np.array(table[key].to_pylist(), np.float32), [row[key] for row in rows])


def test_names_are_those_of_lerobots_arm(tmp_path: Path) -> None:
    with DatasetRecorder(tmp_path / "one", task="Wave.") as one:
        assert list(one.state_names) == NAMES and list(one.action_names) == NAMES
    with DatasetRecorder(tmp_path / "two", task="Wave.", robot_type="bi_so_follower") as two:
        assert list(two.state_names) == [f"left_{name}" for name in NAMES] + [f"right_{name}" for name in NAMES]


def test_other_robots_have_names_of_their_own(tmp_path: Path) -> None:
    names = {"robot_type": "mine", "state_names": ["x", "y", "z"], "action_names": ["push", "turn"]}
    with DatasetRecorder(tmp_path / "mine", task="Push.", **names) as recorder:
        for index in range(5):
            recorder.add_frame({"observation.state": [index, 0.1, -1.5], "action": [0.5 * index, 1.0]})
    assert_sound(tmp_path / "mine", 1)


def test_a_cameras_size_is_that_of_its_first_frame(tmp_path: Path) -> None:
    with DatasetRecorder(tmp_path / "sized", task="Look.", cameras=["front"]) as recorder:
        with pytest.raises(RuntimeError, match="front"):
            _ = recorder.num_episodes
        recorder.add_frame(frame(0, {"front": (64, 48)}))
        with pytest.raises(ValueError, match=r"observation.images.front.*\[48, 64, 3\]"):
            recorder.add_frame(frame(1, {"front": (64, 64)}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"observation.state": np.zeros(5)}, "6 numbers"),
        ({"action": np.full(6, np.nan)}, "no number"),
        ({"observation.images.front": np.zeros((48, 64, 3))}, "uint8"),
        ({"extra": 1}, "extra"),
    ],
)
def test_wrong_frames_are_refused_and_change_nothing(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    cameras = {"front": (64, 48)}
    with DatasetRecorder(tmp_path / "wrong", task="Wave.", cameras=[("front", 64, 48)]) as recorder:
        recorder.add_frame(frame(0, cameras))
        with pytest.raises(ValueError, match=said):
            recorder.add_frame(frame(1, cameras) | change)
        recorder.add_frame(frame(1, cameras))
        assert recorder.save_episode().frames == 2
    assert_sound(tmp_path / "wrong", 1)


def test_a_dataset_is_gone_on_with_only_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "resumed"
    with DatasetRecorder(root, task="Wave.") as recorder:
        recorder.add_frame(frame(0, {}))
    with pytest.raises(FileExistsError, match="resume=True"):
        DatasetRecorder(root, task="Wave.")
    with pytest.raises(ValueError, match="fps"):
        DatasetRecorder(root, task="Wave.", fps=10, resume=True)
    with DatasetRecorder(root, task="Wave.", resume=True) as recorder:
        assert recorder.num_episodes == 1
        recorder.add_frame(frame(0, {}))
    assert_sound(root, 2)


def test_a_folder_is_recorded_into_once_at_a_time(tmp_path: Path) -> None:
    with DatasetRecorder(tmp_path / "held", task="Wave."):
        with pytest.raises(OSError, match="process"):
            DatasetRecorder(tmp_path / "held", task="Wave.")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="notes.txt"):
        DatasetRecorder(tmp_path / "other", task="Wave.")


def test_calls_at_the_wrong_time_say_so(tmp_path: Path) -> None:
    recorder = DatasetRecorder(tmp_path / "early")
    with pytest.raises(RuntimeError, match="no episode"):
        recorder.save_episode()
    with pytest.raises(ValueError, match="no task"):
        recorder.add_frame(frame(0, {}))
    recorder.add_frame(frame(0, {}) | {"task": "Wave."})
    with pytest.raises(ValueError, match="save the episode first"):
        recorder.add_frame(frame(0, {}) | {"task": "Push."})
    recorder.discard_episode()
    assert recorder.num_episodes == 0
    recorder.close()
    with pytest.raises(RuntimeError, match="closed"):
        recorder.add_frame(frame(0, {}))


def test_an_exception_keeps_what_was_recorded(tmp_path: Path) -> None:
    root = tmp_path / "interrupted"
    with pytest.raises(KeyboardInterrupt), DatasetRecorder(root, task="Wave.") as recorder:
        for index in range(7):
            recorder.add_frame(frame(index, {}))
        raise KeyboardInterrupt
    with DatasetRecorder(root, task="Wave.", resume=True) as recorder:
        assert [(saved.index, saved.frames) for saved in recorder.recovered] == [(0, 7)]
    assert_sound(root, 1)


RECORD_FOREVER = """
import sys
import numpy as np
from forearm import DatasetRecorder
recorder = DatasetRecorder(sys.argv[1], task="Wave.", cameras=[("front", 64, 48)])
index = 0
while True:
    image = np.full((48, 64, 3), index % 256, np.uint8)
    recorder.add_frame({"observation.state": np.full(6, index), "action": np.full(6, -index),
                        "observation.images.front": image})
    index += 1
    if index == 40:
        recorder.save_episode()
    print(index, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes can't be killed so here")
@pytest.mark.parametrize("frames", [1, 40, 41, 90])
def test_no_frame_is_lost_when_its_recorder_is_killed(tmp_path: Path, frames: int) -> None:
    root = tmp_path / "killed"
    with subprocess.Popen(
        [sys.executable, "-c", RECORD_FOREVER, root], stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if int(line) == frames:
                process.kill()
                break
        accepted = [int(line) for line in process.stdout]
    last = accepted[-1] if accepted else frames
    with DatasetRecorder(root, task="Wave.", cameras=[("front", 64, 48)], resume=True) as recorder:
        # One more may have been written whose number was not said any more.
        assert last <= recorder.num_frames <= last + 1
        episodes = recorder.num_episodes
    assert_sound(root, episodes)


def test_where_datasets_are_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    with DatasetRecorder(repo_id="me/waves", task="Wave.") as recorder:
        assert recorder.root == tmp_path / "me" / "waves"
        assert recorder.repo_id == "me/waves"
    with pytest.raises(ValueError, match="repo_id"):
        DatasetRecorder()
