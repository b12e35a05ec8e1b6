#!/usr/bin/env python3
"""Forearm's simulation beside MuJoCo's, on the same models and the same targets.

Reads, from standard input, the lines of JSON that the example `validate` of `forearm_sim` prints.
Each has a scene as MJCF, the targets of every control tick and what Forearm made of them. This
program lets MuJoCo run them and prints how far the two are apart. It ends with 1 if an aim is
missed, and says which. Needs the Python package `mujoco`.

What is compared:
- joints: root mean square and largest difference over the whole run, degrees, joint by joint;
- objects: difference of place (mm) and orientation (degrees) at the end, root mean square of place
  over the run;
- energy of an arm without friction: how far it is from where it began, over the greatest kinetic
  energy. Both runs are weighed with MuJoCo's own formula;
- grasps: how many of the attempts end with the cube lifted.

Options of the reference, all written in the MJCF by Forearm (`forearm_sim::mjcf`), and why:
- the same step, 1/500 s, and `implicitfast`, MuJoCo's recommendation for damped position servos;
- elliptic cones and `impratio` 10, as published models of this arm have them for grasping: with
  MuJoCo's defaults a cube slips out of closed jaws by itself;
- `solref` of three steps for contacts, of two, the stiffest that MuJoCo takes, for joint limits and
  dry friction: by default they are ten times as soft, jaws sink into a cube by millimetres and a
  switched-off arm creeps. At two steps contact is at the edge of stability: what is grazed gets a kick;
- resistance of contacts against spinning and rolling as Forearm has it;
- MuJoCo's contact is soft by design: what is pressed on creeps along the surface, however strong
  friction is. That is why poses are compared to millimetres, not micrometres. How much of a
  difference means anything is in the last columns of the contact table: what MuJoCo says when its own
  contact is a third softer, beside MuJoCo.
"""

import argparse
import json
import math
import sys

# What is aimed at.
JOINT_RMS_DEGREES = 0.5
OBJECT_MM = 5.0
OBJECT_DEGREES = 5.0
GRASPS_SHARE = 0.05
# A cube counts as lifted above this, metres; the gripper lifts by 8 cm.
LIFTED = 0.05
# The softer contact that shows how well a scenario is conditioned.
SOFTER = 4.0 / 3.0


class Reference:
    """MuJoCo on one line's scene."""

    def __init__(self, mujoco, line, softer=1.0):
        self.mujoco = mujoco
        self.line = line
        self.model = mujoco.MjModel.from_xml_string(line["mjcf"])
        self.model.geom_solref[:, 0] *= softer
        self.data = mujoco.MjData(self.model)
        mujoco.mj_resetDataKeyframe(self.model, self.data, 0)
        self.joints = [self.model.joint(name) for name in line["joints"]]
        self.qpos = [joint.qposadr[0] for joint in self.joints]
        self.dofs = [joint.dofadr[0] for joint in self.joints]
        self.controls = [self.model.actuator(name).id for name in line["joints"]]
        self.bodies = [self.model.body(f"object/{name}").id for name in line["objects"]]

    def run(self):
        """Positions and poses after every tick, as the line has them."""
        positions, poses, energies = [], [], []
        for targets, torque in zip(self.line["targets"], self.line["torque"]):
            # Actuators belong to group 0 unless told otherwise.
            self.model.opt.disableactuator = 0 if torque else 1
            self.data.ctrl[self.controls] = targets
            self.mujoco.mj_step(self.model, self.data, self.line["steps_per_tick"])
            positions.append(self.data.qpos[self.qpos].copy())
            # A step leaves poses of bodies where it began.
            self.mujoco.mj_kinematics(self.model, self.data)
            poses.append([[*self.data.xpos[body], *self.data.xquat[body][[1, 2, 3, 0]]] for body in self.bodies])
            if self.line["group"] == "energy":
                energies.append(self.energy(positions[-1], self.data.qvel[self.dofs].copy()))
        return positions, poses, energies

    def energy(self, positions, velocities):
        """Kinetic and potential energy of a state, J."""
        probe = self.mujoco.MjData(self.model)
        probe.qpos[self.qpos] = positions
        probe.qvel[self.dofs] = velocities
        self.mujoco.mj_fwdPosition(self.model, probe)
        self.mujoco.mj_fwdVelocity(self.model, probe)
        self.mujoco.mj_energyPos(self.model, probe)
        self.mujoco.mj_energyVel(self.model, probe)
        potential, kinetic = probe.energy
        return kinetic, potential + kinetic


def rms(values):
    """Root mean square."""
    return math.sqrt(sum(value * value for value in values) / len(values))


def apart(ours, theirs):
    """Distance of two poses: mm, degrees."""
    far = 1000.0 * math.dist(ours[:3], theirs[:3])
    same = abs(sum(a * b for a, b in zip(ours[3:], theirs[3:])))
    return far, math.degrees(2.0 * math.acos(min(1.0, same)))


class Report:
    """What is printed, and which aims are missed."""

    def __init__(self):
        self.missed = []

    def aim(self, name, what, found, most, unit):
        """Notes whether an aim is met."""
        if not found < most:
            self.missed.append(f"{name}: {what} is {found:.2f} {unit}, the aim is below {most:g}")

    def joints(self, line, theirs):
        """A row of joint errors."""
        errors = [[math.degrees(a - b) for a, b in zip(*rows)] for rows in zip(line["positions"], theirs)]
        columns = list(zip(*errors))
        each = [rms(column) for column in columns]
        most = [max(map(abs, column)) for column in columns]
        cells = "  ".join(f"{a:6.3f}{b:7.2f}" for a, b in zip(each, most))
        print(f"  {line['name']:<26} {cells}")
        if line["group"] in ("free", "servo"):
            for joint, error in zip(line["joints"], each):
                self.aim(line["name"], f"RMS of {joint}", error, JOINT_RMS_DEGREES, "degrees")

    def objects(self, line, theirs, softer):
        """A row for each object."""
        for index, name in enumerate(line["objects"]):
            pairs = [apart(a[index], b[index]) for a, b in zip(line["poses"], theirs)]
            far, turned = pairs[-1]
            start, end = line["poses"][0][index], line["poses"][-1][index]
            moved = 1000.0 * math.dist(start[:3], end[:3])
            own_far, own_turned = apart(softer[-1][index], theirs[-1][index])
            print(f"  {line['name']:<26} {name:<6} moved {moved:6.1f} mm  at the end {far:6.2f} mm {turned:6.2f}°"
                  f"  RMS {rms([pair[0] for pair in pairs]):6.2f} mm {rms([pair[1] for pair in pairs]):6.2f}°"
                  f"  MuJoCo, softer {own_far:6.2f} mm {own_turned:6.2f}°")
            self.aim(line["name"], f"place of {name}", far, OBJECT_MM, "mm")
            self.aim(line["name"], f"orientation of {name}", turned, OBJECT_DEGREES, "degrees")

    def energy(self, line, reference, theirs):
        """Drift of both."""
        ours = [reference.energy(q, v) for q, v in zip(line["positions"], line["velocities"])]
        for who, run in (("Forearm", ours), ("MuJoCo", theirs)):
            greatest = max(kinetic for kinetic, _ in run)
            start = run[0][1]
            worst = max(abs(total - start) for _, total in run) / greatest
            end = (run[-1][1] - start) / greatest
            print(f"  {line['name']:<26} {who:<8} at the end {100 * end:+7.3f} %   at most {100 * worst:6.3f} % of {greatest:.3f} J")


def main():
    """Compares and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="only scenarios whose name contains this")
    args = parser.parse_args()

    import mujoco

    print(f"Forearm beside MuJoCo {mujoco.__version__}")
    report = Report()
    headings = {
        "free": "free motion, degrees: RMS and largest of each joint",
        "servo": "a real servo's law on both, degrees: RMS and largest of each joint",
        "limp": "switched off, degrees: RMS and largest of each joint",
        "energy": "energy without friction",
        "contact": "contact",
    }
    last = None
    grasps, disagree = [], []
    for text in sys.stdin:
        line = json.loads(text)
        if args.only and args.only not in line["name"]:
            continue
        reference = Reference(mujoco, line)
        positions, poses, energies = reference.run()
        group = line["group"]
        if group != last and group in headings:
            print(f"\n{headings[group]}")
            if group in ("free", "servo", "limp"):
                print(" " * 29 + "  ".join(f"{name[:13]:>13}" for name in line["joints"]))
        last = group
        if group == "trial":
            ours, theirs = (end[0][2] > LIFTED for end in (line["poses"][-1], poses[-1]))
            grasps.append((ours, theirs))
            if ours != theirs:
                disagree.append(line["name"].split()[-1])
        elif group == "energy":
            report.energy(line, reference, energies)
        else:
            if group == "contact":
                softer = Reference(mujoco, line, SOFTER).run()[1]
                report.objects(line, poses, softer)
            else:
                report.joints(line, positions)
    if grasps:
        ours, theirs = (sum(column) for column in zip(*grasps))
        count = len(grasps)
        print(f"\ngrasps of {count}: Forearm {ours}, MuJoCo {theirs}, {len(disagree)} end differently"
              + (f" (seeds {', '.join(disagree)})" if disagree else ""))
        report.aim("grasps", "difference of success", 100 * abs(ours - theirs) / count, 100 * GRASPS_SHARE, "%")
    if report.missed:
        print("\nmissed:")
        for line in report.missed:
            print(f"  {line}")
        sys.exit(1)
    print("\nall aims met")


if __name__ == "__main__":
    main()
