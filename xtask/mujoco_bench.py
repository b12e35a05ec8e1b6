#!/usr/bin/env python3
"""How long MuJoCo takes for a step of the SO-101, to compare Forearm's simulation with.

Builds an MJCF model from the numbers of the built-in arm, moves it by the same sinusoidal targets
as `forearm_sim::bench`, and prints one line of JSON: {"us_per_step": …, "version": …}. Needs the
Python package `mujoco`; reads and writes no files.
"""

import argparse
import json
import math
import time

DT = 0.002
STALL, GRIPPER = 2.94, 1.47
CENTER = [0.0, -0.6, 0.4, 0.6, 0.0, 0.5]
SWINGS = [(0.5, 0.5), (0.3, 0.4), (0.3, 0.3), (0.4, 0.6), (0.5, 0.7), (0.3, 0.5)]

# Name, joint, lower, upper, torque, origin, roll pitch yaw, mass, centre of mass, inertia,
# collision boxes (half extents, centre) and, for the jaws, (half extents, centre, turn about Y or Z).
LINKS = [
    ("shoulder", "shoulder_pan", -1.91986, 1.91986, STALL,
     (0.0388353, -8.97657e-9, 0.0624), (math.pi, 0, -math.pi),
     0.100006, (-0.0307604, -1.66727e-5, -0.0252713),
     (8.3759e-5, 8.10403e-5, 2.39783e-5, 7.55525e-8, -1.16342e-6, 1.54663e-7),
     [((0.015, 0.010, 0.023), (-0.030399, 0.000422, -0.0387)), ((0.025, 0.020, 0.038), (-0.025, 0, 0))]),
    ("upper_arm", "shoulder_lift", -1.74533, 1.74533, STALL,
     (-0.0303992, -0.0182778, -0.0542), (-math.pi / 2, -math.pi / 2, 0),
     0.103, (-0.0898471, -0.00838224, 0.0184089),
     (4.08002e-5, 1.47318e-4, 1.42487e-4, -1.97819e-5, -4.03016e-8, 8.97326e-9),
     [((0.07, 0.01, 0.03), (-0.06, 0, 0.02)), ((0.01, 0.02, 0.015), (-0.12, -0.014, 0.0182))]),
    ("lower_arm", "elbow_flex", -1.69, 1.69, STALL,
     (-0.11257, -0.028, 0), (0, 0, math.pi / 2),
     0.104, (-0.0980701, 0.00324376, 0.0182831),
     (2.87438e-5, 1.59844e-4, 1.4529e-4, 7.41152e-6, 1.26409e-6, -4.90188e-8),
     [((0.07, 0.01, 0.03), (-0.05, 0, 0.0182)), ((0.023, 0.013, 0.018), (-0.125, 0.005, 0.018))]),
    ("wrist", "wrist_flex", -1.65806, 1.65806, STALL,
     (-0.1349, 0.0052, 0), (0, 0, -math.pi / 2),
     0.079, (-0.000103312, -0.0386143, 0.0281156),
     (3.68263e-5, 2.5391e-5, 2.1e-5, 1.7893e-8, -5.28128e-8, 3.6412e-6),
     [((0.015, 0.018, 0.029), (0, -0.0424, 0.0256)), ((0.01, 0.03, 0.027), (0, -0.02, 0.0191))]),
    ("gripper", "wrist_roll", -2.74385, 2.84121, STALL,
     (0, -0.0611, 0.0181), (math.pi / 2, 0.0486795, math.pi),
     0.087, (0.000213627, 0.000245138, -0.025187),
     (2.75087e-5, 4.33657e-5, 3.45059e-5, -3.35241e-7, -5.7352e-6, -5.17847e-8),
     [((0.01, 0.01, 0.018), (0, -0.000218, 0.00095)), ((0.0325, 0.015, 0.015), (-0.0025, 0, -0.022)),
      ((0.01, 0.015, 0.005), (-0.024, 0, -0.04)), ((0.003, 0.008, 0.0276), (-0.0137, 0, -0.0752))]),
    ("jaw", "gripper", -0.174533, 1.74533, GRIPPER,
     (0.0202, 0.0188, -0.0234), (math.pi / 2, 0, 0),
     0.012, (-0.00157495, -0.0300244, 0.0192755),
     (6.61427e-6, 1.89032e-6, 5.28738e-6, -3.19807e-7, -5.90717e-9, -1.09945e-7),
     [((0.01, 0.01, 0.015), (0, -0.013, 0.019)), ((0.003, 0.028, 0.008), (-0.0121, -0.0518, 0.01875))]),
]


def row(values):
    """Numbers as an XML attribute."""
    return " ".join(f"{value:.10g}" for value in values)


def quaternion(roll, pitch, yaw):
    """Roll, pitch, yaw about fixed axes as w, x, y, z."""
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    return (cr * cp * cy + sr * sp * sy, sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy, cr * cp * sy - sr * sp * cy)


def model(case):
    """The MJCF text. The arm collides with the floor and the cube but not with itself."""
    bodies, actuators = "", ""
    for name, joint, lower, upper, torque, xyz, rpy, mass, com, inertia, boxes in LINKS:
        bodies += (
            f'<body name="{name}" pos="{row(xyz)}" quat="{row(quaternion(*rpy))}">'
            f'<joint name="{joint}" axis="0 0 1" range="{lower} {upper}" damping="0.60" '
            f'frictionloss="0.052" armature="0.028"/>'
            f'<inertial pos="{row(com)}" mass="{mass}" fullinertia="{row(inertia)}"/>'
        )
        if case != "arm":
            for half, center in boxes:
                bodies += (f'<geom type="box" size="{row(half)}" pos="{row(center)}" mass="0" '
                           f'contype="1" conaffinity="2"/>')
        actuators += (f'<position joint="{joint}" kp="998.22" kv="2.731" '
                      f'ctrlrange="{lower} {upper}" forcerange="-{torque} {torque}"/>')
    bodies += "</body>" * len(LINKS)
    things = ""
    if case != "arm":
        things = ('<geom type="plane" size="1 1 0.1" contype="2" conaffinity="1"/>'
                  '<body pos="0.1 0.2 0.015"><freejoint/><geom type="box" size="0.015 0.015 0.015" '
                  'mass="0.03" friction="1" contype="3" conaffinity="3"/></body>')
    return (f'<mujoco><compiler angle="radian" autolimits="true"/>'
            f'<option timestep="{DT}" integrator="implicitfast"/>'
            f'<worldbody>{things}<body name="base">{bodies}</body></worldbody>'
            f'<actuator>{actuators}</actuator></mujoco>')


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=["arm", "arm-floor-cube"], required=True)
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    import mujoco
    import mujoco.rollout
    import numpy

    compiled = mujoco.MjModel.from_xml_string(model(args.case))
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
