"""The package: its types, its stub of the native half, its bench."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import forearm

HERE = Path(__file__).parent


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python, run in a folder where its tools may leave what they like."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ, cwd=folder)


def test_types_are_right(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="no mypy here")
    package = Path(forearm.__file__).parent
    for what in ([str(package)], [str(HERE / "user_script.py")]):
        ended = python(tmp_path, "mypy", "--strict", *what)
        # The bridge to Stable-Baselines3 needs it, for its types too.
        lines = [line for line in ended.stdout.splitlines() if "stable_baselines3" in line or "sb3.py" in line]
        wrong = [line for line in ended.stdout.splitlines() if "error:" in line and line not in lines]
        assert not wrong and (ended.returncode == 0 or lines), ended.stdout + ended.stderr


def test_the_native_half_is_what_its_stub_says(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="no mypy here")
    ended = python(tmp_path, "mypy.stubtest", "forearm._native")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_persons_script_runs(tmp_path: Path) -> None:
    import user_script

    assert user_script.main(str(tmp_path / "dataset")) < 1.0 + 9 * 1.0 + 5 * 1.0


def test_the_bench_measures(tmp_path: Path) -> None:
    options = ["--json", "--task", "reach", "--secs", "0.05", "--rounds", "1", "--worlds", "4"]
    ended = python(tmp_path, "forearm.bench", *options)
    assert ended.returncode == 0, ended.stderr
    rates = json.loads(ended.stdout)["steps_per_sec"]["reach"]
    assert set(rates) == {"single", "batched_one_thread", "batched"} and min(rates.values()) > 0
