#!/usr/bin/env python3
"""How long MuJoCo takes for a step of the SO-101, to compare Forearm's simulation with.

Reads the MJCF that `forearm_sim::bench` wrote of its scene, moves the arm by the same sinusoidal
targets, and prints one line of JSON: {"us_per_step": …, "version": …}. Needs the Python package
`mujoco`.
"""

import argparse
import json
import math
import time

DT = 0.002
CENTER = [0.0, -0.6, 0.4, 0.6, 0.0, 0.5]
SWINGS = [(0.5, 0.5), (0.3, 0.4), (0.3, 0.3), (0.4, 0.6), (0.5, 0.7), (0.3, 0.5)]


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="MJCF file")
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    import mujoco
    import mujoco.rollout
    import numpy

    compiled = mujoco.MjModel.from_xml_path(args.model)
    data = mujoco.MjData(compiled)
    spec = mujoco.mjtState.mjSTATE_FULLPHYSICS
    warm_up = 2000
    clock = numpy.arange(warm_up + args.rounds * args.steps)[:, None] * DT
    amplitude, hz = numpy.array(SWINGS).T
    control = numpy.array(CENTER) + amplitude * numpy.sin(2 * math.pi * hz * clock)

    state = numpy.zeros(mujoco.mj_stateSize(compiled, spec))
    data.qpos[:6] = CENTER
    mujoco.mj_getState(compiled, data, state, spec)
    best, start = math.inf, 0
    # The first round settles everything and is not counted.
    for steps in [warm_up] + [args.steps] * args.rounds:
        begin = time.perf_counter()
        states, _ = mujoco.rollout.rollout(compiled, data, state[None, :], control[None, start:start + steps])
        spent = time.perf_counter() - begin
        if start:
            best = min(best, spent / steps * 1e6)
        start += steps
        state = states[0, -1]
    print(json.dumps({"us_per_step": round(best, 3), "version": mujoco.__version__}))


if __name__ == "__main__":
    main()
