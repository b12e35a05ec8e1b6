"""Many worlds at once: the same as one by one, as Gymnasium and Stable-Baselines3 want it."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from conftest import TASKS
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from test_env import equal

import forearm

PIXELS: dict[str, Any] = {"obs": "both", "cameras": [("wrist", 24, 16), ("front", 20, 18)]}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("task", TASKS)
def test_many_are_as_one_by_one(task: str, threads: int) -> None:
    worlds = forearm.VectorEnv(task, 5, threads=threads, max_steps=7)
    one = forearm.Env(task, max_steps=7)
    observations, infos = worlds.reset(seed=20)
    random = np.random.default_rng(1)
    actions = random.uniform(-1, 1, (20, *worlds.action_space.shape)).astype(np.float32)
    rows = [worlds.step(row) for row in actions]
    for world in range(5):
        seen, info = one.reset(seed=20 + world)
        assert equal(observations[world], seen) and infos["distance_m"][world] == info["distance_m"]
        ended = False
        for step, (seen_all, rewards, terminated, truncated, infos_all) in enumerate(rows):
            if ended:
                # The step after the end begins the next episode, whose seed it says.
                seen, info = one.reset(seed=int(infos_all["seed"][world]))
                result: tuple[Any, ...] = (seen, 0.0, False, False, info)
            else:
                result = one.step(actions[step, world])
            got = (seen_all[world], rewards[world], terminated[world], truncated[world])
            assert equal(list(map(np.asarray, got)), list(map(np.asarray, result[:4]))), (world, step)
            for key, value in result[4].items():
                assert infos_all[key][world] == value and infos_all[f"_{key}"][world]
            ended = result[2] or result[3]


def test_gymnasiums_own_vector_says_the_same() -> None:
    ours = gym.make_vec("Forearm/Push-v0", num_envs=3, max_steps=30)
    theirs = SyncVectorEnv([lambda: gym.make("Forearm/Push-v0", max_steps=30, disable_env_checker=True)] * 3)
    assert isinstance(ours, forearm.VectorEnv)
    assert ours.metadata["autoreset_mode"] == theirs.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    assert ours.single_observation_space == theirs.single_observation_space
    assert ours.observation_space == theirs.observation_space and ours.action_space == theirs.action_space
    first, other = ours.reset(seed=4), theirs.reset(seed=4)
    assert np.array_equal(first[0], other[0]) and first[1].keys() == other[1].keys()
    ours.action_space.seed(1)
    for _ in range(30):
        actions = ours.action_space.sample()
        mine, yours = ours.step(actions), theirs.step(actions)
        assert all(map(np.array_equal, mine[:4], yours[:4]))
        assert [array.dtype for array in mine[:4]] == [array.dtype for array in yours[:4]]
        assert mine[4].keys() == yours[4].keys()


@pytest.mark.parametrize("copied", [True, False])
def test_pictures_of_many(copied: bool) -> None:
    worlds = forearm.VectorEnv("pick-place", 3, copy=copied, **PIXELS)
    one = forearm.Env("pick-place", **PIXELS)
    observations, _ = worlds.reset(seed=1)
    assert observations in worlds.observation_space
    kept = {key: values.copy() for key, values in observations.items()}
    actions = np.full((3, 6), 0.7, np.float32)
    after = worlds.step(actions)[0]
    assert after in worlds.observation_space
    for world in range(3):
        seen, _ = one.reset(seed=1 + world)
        assert equal({key: values[world] for key, values in kept.items()}, seen)
        assert equal({key: values[world] for key, values in after.items()}, one.step(actions[world])[0])
    # Copied: what was returned stays. Not copied: it is the same memory.
    for key, values in observations.items():
        assert np.array_equal(values, kept[key]) == copied
        assert np.shares_memory(values, after[key]) != copied


@pytest.mark.parametrize("options", [{}, PIXELS], ids=["state", "both"])
def test_episodes_may_follow_in_the_same_step(options: dict[str, Any]) -> None:
    worlds = forearm.VectorEnv("reach", 3, autoreset_mode="SameStep", max_steps=4, **options)
    assert worlds.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    one = forearm.Env("reach", max_steps=4, **options)
    actions = np.full((3, 6), -0.4, np.float32)
    worlds.reset(seed=[5, None, 6], options=None)
    worlds.reset(seed=8, options={"reset_mask": np.array([False, True, False])})
    for world, seed in ((0, 5), (1, 9), (2, 6)):
        assert worlds.state_hash(world) == (one.reset(seed=seed) and one.state_hash())
    for step in range(4):
        observations, _, terminated, truncated, infos = worlds.step(actions)
        assert ("final_obs" in infos) == (step == 3)
    assert truncated.all() and infos["_final_obs"].all() and infos["_final_info"].all()
    for world, seed in ((0, 5), (1, 9), (2, 6)):
        one.reset(seed=seed)
        for _ in range(4):
            result = one.step(actions[world])
        assert equal(infos["final_obs"][world], result[0])
        for key, value in result[4].items():
            assert infos["final_info"][key][world] == value and infos["final_info"][f"_{key}"][world]
        seen, _ = one.reset(seed=int(infos["seed"][world]))
        new = {key: values[world] for key, values in observations.items()} if options else observations[world]
        assert equal(new, seen)
    with pytest.raises(ValueError, match="DISABLED"):
        forearm.VectorEnv("reach", 1, autoreset_mode=AutoresetMode.DISABLED)


def test_worlds_are_taken_back() -> None:
    worlds = forearm.VectorEnv("stack", 2)
    worlds.reset(seed=1)
    moment = worlds.snapshot(0)
    actions = np.full((2, 6), 0.3, np.float32)
    worlds.step(actions)
    went = worlds.state_hash(0)
    worlds.restore(0, moment)
    worlds.restore(1, moment)
    worlds.step(actions)
    assert worlds.state_hash(0) == worlds.state_hash(1) == went
    with pytest.raises(IndexError, match="no world 2"):
        worlds.snapshot(2)


def test_wrong_calls_say_what_was_expected() -> None:
    worlds = forearm.VectorEnv("reach", 2, render_mode="rgb_array", render_camera=("front", 32, 24))
    worlds.reset(seed=1)
    images = worlds.render()
    assert images is not None and [image.shape for image in images] == [(24, 32, 3)] * 2
    assert forearm.VectorEnv("reach", 2).render() is None
    for wrong in (np.zeros((3, 6)), np.zeros(12, np.float32)):
        with pytest.raises(ValueError, match=r"shape \[2, 6\]"):
            worlds.step(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="2 worlds"):
        worlds.reset(seed=[1])
    with pytest.raises(ValueError, match="reset_mask"):
        worlds.reset(options={"reset_mask": [True, False]})
    with pytest.raises(ValueError, match="0 worlds"):
        forearm.VectorEnv("reach", 0)


def test_seeds_that_are_not_given_follow_from_one_that_is() -> None:
    def seeds(mode: str) -> list[int]:
        worlds = forearm.VectorEnv("reach", 2, autoreset_mode=mode, max_steps=2)
        drawn: list[int] = worlds.reset(seed=[11, None])[1]["seed"].tolist()
        for _ in range(6):
            drawn += worlds.step(np.zeros((2, 6), np.float32))[4]["seed"].tolist()
        return drawn

    for mode in ("NextStep", "SameStep"):
        assert seeds(mode) == seeds(mode)
        assert len(set(seeds(mode))) >= 6


def test_stable_baselines_learns_from_a_batch() -> None:
    sb3 = pytest.importorskip("stable_baselines3", reason="no stable_baselines3 here")
    from forearm.sb3 import SB3VecEnv

    worlds = SB3VecEnv("reach", 4, max_steps=10)
    worlds.seed(1)
    model = sb3.PPO("MlpPolicy", worlds, n_steps=16, batch_size=32, seed=1, device="cpu")
    model.learn(256)
    assert len(model.ep_info_buffer) == 24 and {info["l"] for info in model.ep_info_buffer} == {10}
    _, _, dones, infos = worlds.step(np.zeros((4, 6), np.float32))
    while not dones.any():
        _, _, dones, infos = worlds.step(np.zeros((4, 6), np.float32))
    assert infos[0]["TimeLimit.truncated"] and infos[0]["terminal_observation"].shape == (31,)
