#!/usr/bin/env python3
"""Environment steps a second of a Gymnasium environment on MuJoCo, to compare Forearm's with.

The scene is Forearm's own, as the MJCF that the example `env_bench` of `forearm_sim` writes; the
observation, the reward and the actions are those of Forearm's tasks `reach` and `pick-place`, written
as one writes them with numpy. Prints one line of JSON: {"steps_per_sec": ..., "reset_us": ...,
"mujoco": ..., "gymnasium": ...}. Needs the packages `mujoco`, `gymnasium` and `numpy`.
"""

import argparse
import json
import math
import time

import gymnasium
import mujoco
import numpy as np

# As in `forearm_sim::env`.
SUBSTEPS = 17
EPISODE = 200
DELTA = 0.08
REACHED = 0.015
GRIP = np.array([-0.0125, 0.0, 0.0])
IN_TRAY = np.array([0.0, 0.0, 0.019])
PERIOD = 256


class Arm(gymnasium.Env):
    """The SO-101 in MuJoCo; a task adds what it sees and what it is worth."""

    def __init__(self, model):
        self.model = mujoco.MjModel.from_xml_path(model)
        self.data = mujoco.MjData(self.model)
        self.lower, self.upper = self.model.actuator_ctrlrange.T.copy()
        if not np.any(self.upper > self.lower):
            self.lower, self.upper = self.model.jnt_range[: self.model.nu].T.copy()
        self.tool = self.model.site("tool").id
        self.targets = np.zeros(self.model.nu)
        self.goal = np.zeros(3)
        self.steps = 0
        high = np.full(self.observe().shape, np.inf, dtype=np.float32)
        self.observation_space = gymnasium.spaces.Box(-high, high, dtype=np.float32)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (self.model.nu,), dtype=np.float32)

    def arm(self):
        """What every task sees of the arm."""
        rotation = np.empty(4)
        mujoco.mju_mat2Quat(rotation, self.data.site_xmat[self.tool])
        count = self.model.nu
        return [self.data.qpos[:count], self.data.qvel[:count], self.targets,
                self.data.site_xpos[self.tool], rotation]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        mujoco.mj_resetDataKeyframe(self.model, self.data, 0)
        count = self.model.nu
        self.data.qpos[: count - 1] += self.np_random.uniform(-0.05, 0.05, count - 1)
        self.targets[:] = self.data.qpos[:count]
        self.steps = 0
        self.place()
        mujoco.mj_forward(self.model, self.data)
        return self.observe(), {}

    def step(self, action):
        self.targets += DELTA * np.clip(action, -1.0, 1.0)
        np.clip(self.targets, self.lower, self.upper, out=self.targets)
        self.data.ctrl[:] = self.targets
        mujoco.mj_step(self.model, self.data, nstep=SUBSTEPS)
        self.steps += 1
        reward, success = self.judge()
        truncated = not success and self.steps >= EPISODE
        return self.observe(), reward, success, truncated, {"is_success": success}


class Reach(Arm):
    """The tool goes to a place above the table."""

    def place(self):
        self.goal = self.np_random.uniform((0.15, -0.15, 0.05), (0.30, 0.15, 0.25))

    def observe(self):
        to_goal = self.goal - self.data.site_xpos[self.tool]
        return np.concatenate([*self.arm(), self.goal, to_goal], dtype=np.float32)

    def judge(self):
        distance = np.linalg.norm(self.goal - self.data.site_xpos[self.tool])
        success = bool(distance < REACHED)
        return (10.0 if success else -5.0 * float(distance)), success


class PickPlace(Arm):
    """A cube goes into a tray."""

    def __init__(self, model):
        self.cube = None
        super().__init__(model)

    def find(self):
        """Where the cube is among bodies, positions and velocities."""
        joint = self.model.joint("object/cube")
        self.cube = self.model.body("object/cube").id
        self.cube_q, self.cube_v = joint.qposadr[0], joint.dofadr[0]
        self.tray = self.model.body("object/tray").id

    def place(self):
        x, y = self.np_random.uniform((0.18, 0.0), (0.25, 0.11))
        half_yaw = 0.5 * self.np_random.uniform(-0.5, 0.5)
        self.data.qpos[self.cube_q: self.cube_q + 7] = (
            x, y, 0.015, math.cos(half_yaw), 0.0, 0.0, math.sin(half_yaw))

    def observe(self):
        if self.cube is None:
            self.find()
        data = self.data
        cube, goal = data.xpos[self.cube], data.xpos[self.tray] + IN_TRAY
        grip = data.site_xpos[self.tool] + data.site_xmat[self.tool].reshape(3, 3) @ GRIP
        return np.concatenate([
            *self.arm(), cube, data.xquat[self.cube], data.qvel[self.cube_v: self.cube_v + 6],
            goal, cube - grip, goal - cube,
        ], dtype=np.float32)

    def judge(self):
        data = self.data
        cube, goal = data.xpos[self.cube], data.xpos[self.tray] + IN_TRAY
        grip = data.site_xpos[self.tool] + data.site_xmat[self.tool].reshape(3, 3) @ GRIP
        to_goal = goal - cube
        rests = np.linalg.norm(data.qvel[self.cube_v: self.cube_v + 3]) < 0.05
        success = bool(abs(to_goal[0]) < 0.06 and abs(to_goal[1]) < 0.06
                       and abs(to_goal[2]) < 0.03 and rests)
        lifted = min(max((cube[2] - 0.015) / 0.05, 0.0), 1.0)
        aside = math.hypot(to_goal[0], to_goal[1])
        if lifted > 0.1:
            score = 0.35 + 0.15 * lifted + 0.3 * lifted * 0.05 / (0.05 + aside)
        else:
            score = 0.25 * 0.05 / (0.05 + float(np.linalg.norm(cube - grip)))
        return (10.0 if success else score - 1.0), success


TASKS = {"reach": Reach, "pick-place": PickPlace}


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", choices=sorted(TASKS), required=True)
    parser.add_argument("--model", required=True, help="the scene, an MJCF file")
    parser.add_argument("--steps", type=int, default=5000)
    args = parser.parse_args()

    env = TASKS[args.task](args.model)
    count = env.action_space.shape[0]
    turn = 2 * math.pi * np.arange(PERIOD)[:, None] / PERIOD
    actions = np.sin(turn * (np.arange(count) % 6 + 3)).astype(np.float32)
    env.reset(seed=0)
    start = time.perf_counter()
    for step in range(args.steps):
        _, _, terminated, truncated, _ = env.step(actions[step % PERIOD])
        if terminated or truncated:
            env.reset()
    secs = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(200):
        env.reset()
    reset = (time.perf_counter() - start) / 200
    print(json.dumps({
        "steps_per_sec": args.steps / secs, "reset_us": reset * 1e6,
        "mujoco": mujoco.__version__, "gymnasium": gymnasium.__version__,
    }))


if __name__ == "__main__":
    main()
