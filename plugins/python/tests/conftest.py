"""What tests share."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TASKS = ["reach", "push", "pick-place", "stack", "bimanual-handover"]
REPOSITORY = Path(__file__).resolve().parents[3]


def in_ci() -> bool:
    """Whether nothing may be left out."""
    return os.environ.get("CI") in ("true", "1")


def readers() -> list[tuple[str, dict[str, str], list[str]]]:
    """Who reads datasets here: a Python, its environment, and options of the check."""
    found = []
    if lerobot := os.environ.get("FOREARM_LEROBOT_PYTHON"):
        found.append((lerobot, {}, []))
    if light := os.environ.get("FOREARM_DATASET_PYTHON"):
        packages = {"PYTHONPATH": os.environ.get("FOREARM_DATASET_PACKAGES", "")}
        found.append((light, packages, ["--light"]))
    if not found and not in_ci():
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            pass
        else:
            found.append((sys.executable, {}, ["--light"]))
    return found


def assert_sound(folder: Path, episodes: int) -> dict[str, Any]:
    """Whatever third parties there are find so many episodes and nothing wrong."""
    found = readers()
    if not found:
        assert not in_ci(), "no third party can read datasets; run the tests with `cargo xtask test`"
        pytest.skip("nothing here reads datasets: FOREARM_LEROBOT_PYTHON names a Python with LeRobot")
    said: dict[str, Any] = {}
    for python, more, options in found:
        script = REPOSITORY / "tests/python/dataset_check.py"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        ended = subprocess.run(
            [python, script, folder, "--episodes", str(episodes), *options],
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"} | more,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        said = json.loads(ended.stdout.splitlines()[-1])
        assert said["problems"] == 0, said
    return said
