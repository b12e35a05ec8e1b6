"""One world: what Gymnasium, Stable-Baselines3 and PettingZoo want of it, and what it promises."""

import copy
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from conftest import TASKS
from gymnasium.utils.env_checker import check_env

import forearm

IDS = [f"Forearm/{name}" for name in forearm.TASKS]
VIEWS: list[dict[str, Any]] = [
    {},
    {"obs": "pixels", "cameras": [("front", 48, 36)]},
    {"obs": "both", "cameras": ["front", ("front", 40, 40)][:1], "actions": "targets", "reward": "sparse"},
]


@pytest.mark.parametrize("options", VIEWS, ids=["state", "pixels", "both"])
@pytest.mark.parametrize("name", IDS)
def test_gymnasium_finds_nothing_wrong(name: str, options: dict[str, Any]) -> None:
    # Warnings are errors here.
    env = gym.make(name, render_mode="rgb_array", **options)
    check_env(env.unwrapped)
    env.close()


@pytest.mark.parametrize("name", IDS)
def test_stable_baselines_finds_nothing_wrong(name: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="no stable_baselines3 here")
    for options in VIEWS:
        checker.check_env(gym.make(name, **options).unwrapped, warn=True)


def rolled(env: forearm.Env, seed: int, steps: int) -> list[Any]:
    """Everything that happens after random actions."""
    random = np.random.default_rng(5)
    seen: list[Any] = list(env.reset(seed=seed))
    for _ in range(steps):
        seen.extend(env.step(random.uniform(-1, 1, env.action_space.shape).astype(np.float32)))
    return [*seen, env.state_hash()]


def equal(one: Any, other: Any) -> bool:
    """Whether two rows of results are the same to the bit."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and bool(np.array_equal(one, other))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(one == other)


@pytest.mark.parametrize("task", TASKS)
def test_equal_seeds_give_equal_bits(task: str) -> None:
    one, other = forearm.Env(task), forearm.Env(task)
    other.reset(seed=99)
    first = rolled(one, 7, 30)
    assert equal(first, rolled(other, 7, 30))
    assert equal(first, rolled(one, 7, 30))
    assert not equal(first, rolled(other, 8, 30))


@pytest.mark.parametrize("task", TASKS)
def test_snapshots_take_a_world_back(task: str) -> None:
    env, other = forearm.Env(task), forearm.Env(task)
    env.reset(seed=3)
    env.step(np.ones(env.action_space.shape, np.float32))
    moment = env.snapshot()
    there = env.state_hash()
    actions = [np.full(env.action_space.shape, 0.1 * index, np.float32) for index in range(10)]
    went = [env.step(action) for action in actions]
    # A snapshot doesn't change, nor do its copies.
    for world in (env, other):
        seen = world.restore(copy.deepcopy(moment))
        assert seen in world.observation_space and world.state_hash() == there
        assert equal(went, [world.step(action) for action in actions])
    with pytest.raises(ValueError, match="snapshot"):
        forearm.Env("stack" if task != "stack" else "reach").restore(moment)


def test_what_was_returned_does_not_change() -> None:
    env = forearm.Env("reach", obs="both", cameras=["wrist"])
    seen, _ = env.reset(seed=1)
    kept = copy.deepcopy(seen)
    env.step(np.ones(6, np.float32))
    assert equal(seen, kept)


def test_actions_may_be_whatever_numpy_takes() -> None:
    env = forearm.Env("push")
    results = []
    wide = np.zeros((6, 2), np.float32)
    wide[:, 0] = 0.5
    for action in (np.full(6, 0.5, np.float32), np.full(6, 0.5), [0.5] * 6, wide[:, 0]):
        env.reset(seed=1)
        results.append(env.step(action))  # type: ignore[arg-type]
    assert all(equal(results[0], result) for result in results)
    for wrong in (np.zeros(5, np.float32), np.zeros((1, 6)), "left"):
        with pytest.raises(ValueError, match="action|could not convert"):
            env.step(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"reward": "shaped"}, "'dense', 'sparse'"),
        ({"obs": "pixels", "cameras": ["behind"]}, "behind.*front, wrist"),
        ({"obs": "both", "cameras": []}, "needs cameras"),
        ({"substeps": 0}, "substeps"),
        ({"randomize": {"weight": 0.1}}, "weight"),
        ({"randomize": {"mass": 7}}, "randomize.mass"),
        ({"render_mode": "human"}, "rgb_array"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        forearm.Env("reach", **options)
    with pytest.raises(ValueError, match="pick-place"):
        forearm.Env("pick")
    with pytest.raises(TypeError, match="colour"):
        forearm.Env("reach", colour="red")  # type: ignore[call-arg]


def test_randomised_episodes_differ_by_their_seeds() -> None:
    plain, varied = forearm.Env("pick-place"), forearm.Env("pick-place", randomize=True)
    hashes = set()
    for seed in (1, 2):
        for env in (plain, varied):
            for _ in range(2):
                hashes.add(rolled(env, seed, 10)[-1])
    assert len(hashes) == 4


def test_pictures_show_the_world() -> None:
    env = forearm.Env("reach", render_mode="rgb_array", render_camera=("front", 64, 48))
    env.reset(seed=1)
    first = env.render()
    assert first.shape == (48, 64, 3) and first.dtype == np.uint8 and first.std() > 5
    for _ in range(10):
        env.step(np.ones(6, np.float32))
    assert not np.array_equal(first, env.render())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert forearm.Env("reach").render() is None


def test_arms_are_agents_of_their_own() -> None:
    env = forearm.parallel_env("bimanual-handover", max_steps=12, render_mode="rgb_array")
    seen, infos = env.reset(seed=2)
    assert list(seen) == list(infos) == env.agents == ["left", "right"]
    assert all(seen[agent] in env.observation_space(agent) for agent in env.agents)
    whole = forearm.Env("bimanual-handover", max_steps=12)
    together, _ = whole.reset(seed=2)
    assert np.array_equal(np.concatenate([seen["left"], seen["right"]]), together)
    random = np.random.default_rng(1)
    for step in range(12):
        actions = {agent: random.uniform(-1, 1, 6).astype(np.float32) for agent in ("left", "right")}
        seen, rewards, terminated, truncated, _ = env.step(actions)
        together, reward, *_ = whole.step(np.concatenate([actions["left"], actions["right"]]))
        assert np.array_equal(env.state(), together)
        assert np.isclose(np.mean(list(rewards.values())), reward)
        assert set(truncated.values()) == {step == 11} and not any(terminated.values())
    assert env.agents == [] and env.step({}) == ({}, {}, {}, {}, {})
    env.reset()
    with pytest.raises(ValueError, match="left.*right"):
        env.step({"left": np.zeros(6, np.float32)})


@pytest.mark.parametrize("task", ["reach", "bimanual-handover"])
def test_pettingzoo_finds_nothing_wrong(task: str) -> None:
    pettingzoo = pytest.importorskip("pettingzoo", reason="no pettingzoo here")
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    env = forearm.parallel_env(task)  # type: ignore[arg-type]
    assert isinstance(env, pettingzoo.ParallelEnv)
    parallel_api_test(env, num_cycles=200)
    parallel_seed_test(lambda: forearm.parallel_env(task, max_steps=20), num_cycles=30)


def test_episodes_are_recorded(tmp_path: Path) -> None:
    from conftest import assert_sound

    for task, arms in (("pick-place", [""]), ("bimanual-handover", ["left_", "right_"])):
        root = tmp_path / task
        env = forearm.Env(task, obs="both", cameras=[("front", 64, 48)], max_steps=10)  # type: ignore[arg-type]
        rows = []
        recorded = forearm.RecordEpisodes(env, root)
        for seed in (1, 2):
            seen, _ = recorded.reset(seed=seed)
            ended = False
            while not ended:
                rows.append(seen)
                seen, _, terminated, truncated, _ = recorded.step(recorded.action_space.sample())
                ended = terminated or truncated
        recorded.reset(seed=3)
        recorded.step(recorded.action_space.sample())
        recorded.close()
        said = assert_sound(root, 3)
        assert said["frames"] == 21 and said["cameras"] == ["observation.images.front"]
        parquet = pytest.importorskip("pyarrow.parquet")
        table = parquet.read_table(root / "data")
        states = np.array(table["observation.state"].to_pylist())[:20]
        # Each arm has its joints first in its observation.
        width = rows[0]["state"].size // len(arms)
        for number in range(len(arms)):
            pan = [np.rad2deg(row["state"][number * width]) for row in rows]
            assert np.allclose(states[:, 6 * number], pan, atol=1e-3)
            assert states[:, 6 * number + 5].min() >= -5 and states[:, 6 * number + 5].max() <= 105


def test_only_successes_are_kept_if_asked_for(tmp_path: Path) -> None:
    env = forearm.RecordEpisodes(forearm.Env("stack", max_steps=3), tmp_path / "none", only_successes=True)
    env.reset(seed=1)
    for _ in range(3):
        env.step(np.zeros(6, np.float32))
    assert env.recorder.num_episodes == 0
    env.close()
    with pytest.raises(TypeError, match="forearm.Env"):
        forearm.RecordEpisodes(gym.make("CartPole-v1"), tmp_path / "cart")  # type: ignore[arg-type]
