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
- grasps: how many of the attempts end with the cube lifted;
- a real servo's law (`forearm_sim::sts3215`), written a second time here and applied to MuJoCo's joints as
  plain torque, damping, friction and inertia.

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


class Servo:
    """An STS3215 as `forearm_sim::sts3215` describes it, written a second time."""

    STEPS_PER_RADIAN = 4096.0 / math.tau

    def __init__(self, numbers, effort, armature, friction, position):
        self.numbers = numbers
        part = min(1.0, effort / numbers["full_stall_torque"])
        self.max_duty = numbers["max_duty"] * part
        self.limit = numbers["stall_torque"] * part
        self.armature, self.dry = armature, friction
        self.goal = self.nearest(position * self.STEPS_PER_RADIAN)
        self.goal_speed = self.last_error = self.duty = self.until = 0.0
        self.ahead = self.speed = self.exerted = 0.0
        self.apart = False

    @staticmethod
    def nearest(value):
        """The nearest whole number."""
        return math.floor(value + 0.5)

    def friction(self):
        """Dry friction, which grows with the load."""
        return self.dry + self.numbers["load_friction"] * abs(self.exerted)

    def look(self, position, target):
        """What the firmware does every period."""
        n = self.numbers
        target = self.nearest(target * self.STEPS_PER_RADIAN)
        way = target - self.goal
        speed = min(n["max_speed"], abs(way) / n["period"])
        if n["acceleration"] > 0.0:
            gain = n["acceleration"] * n["period"]
            brake = math.sqrt(2.0 * n["acceleration"] * abs(way) + gain * gain / 4.0)
            wanted = math.copysign(min(speed, max(brake - gain / 2.0, 0.0)), way)
            speed = min(max(wanted, self.goal_speed - gain), self.goal_speed + gain)
        else:
            speed = math.copysign(speed, way)
        self.goal += speed * n["period"]
        self.goal_speed = speed
        if abs(target - self.goal) < 0.5 and abs(speed) * n["period"] < 1.0:
            self.goal, self.goal_speed = target, 0.0
        error = self.nearest(self.goal) - self.nearest(position * self.STEPS_PER_RADIAN)
        change, self.last_error = error - self.last_error, error
        if abs(error) <= n["dead_band"]:
            self.duty = 0.0
            return
        duty = n["error_gain"] / self.STEPS_PER_RADIAN * (n["p"] * error + n["d"] * change)
        duty = min(max(duty, -self.max_duty), self.max_duty)
        self.duty = self.nearest(duty * n["duty_steps"]) / n["duty_steps"]

    def drive(self, position, velocity, target, dt):
        """Constant torque, damping and armature that the joint has in this step."""
        n = self.numbers
        elapsed = area = 0.0
        while self.until < dt - 1e-9:
            area += self.duty * (self.until - elapsed)
            elapsed = self.until
            self.look(position + velocity * self.until, target)
            self.until += n["period"]
        area += self.duty * (dt - elapsed)
        self.until = max(0.0, self.until - dt)
        torque = n["torque_per_volt"] * n["voltage"] * area / dt
        impulse = self.mesh(velocity, torque, dt)
        if self.apart:
            return 0.0, 0.0, 0.0
        net = torque - n["back_emf"] * velocity
        if abs(net) > self.limit:
            return math.copysign(self.limit, net), 0.0, impulse
        return torque, n["back_emf"], impulse

    def mesh(self, velocity, torque, dt):
        """The gears' play; answers the impulse where teeth meet."""
        n, half = self.numbers, self.numbers["half_play"]
        if half == 0.0:
            return 0.0
        if not self.apart:
            self.speed = velocity
        net = min(max(torque - n["back_emf"] * self.speed, -self.limit), self.limit)
        pushes = (self.ahead >= half and net >= 0.0) or (self.ahead <= -half and net <= 0.0)
        if not self.apart and pushes:
            return 0.0
        speed = self.speed + (net - n["viscous"] * self.speed) * dt / self.armature
        self.speed = math.copysign(max(abs(speed) - self.friction() * dt / self.armature, 0.0), speed)
        ahead = self.ahead + (self.speed - velocity) * dt
        self.ahead = min(max(ahead, -half), half)
        self.apart = abs(ahead) < half
        return 0.0 if self.apart else self.armature * (self.speed - velocity)


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
        self.servos = []
        if line["servo"]:
            limits = self.model.actuator_forcerange[self.controls, 1]
            for effort, dof, adr in zip(limits, self.dofs, self.qpos):
                armature, friction = self.model.dof_armature[dof], self.model.dof_frictionloss[dof]
                position = self.data.qpos[adr]
                self.servos.append(Servo(line["servo"], effort, armature, friction, position))
        self.bodies = [self.model.body(f"object/{name}").id for name in line["objects"]]

    def run(self):
        """Positions and poses after every tick, as the line has them."""
        positions, poses, energies = [], [], []
        for targets, torque in zip(self.line["targets"], self.line["torque"]):
            # Actuators belong to group 0 unless told otherwise.
            self.model.opt.disableactuator = 0 if torque else 1
            if self.servos:
                for _ in range(self.line["steps_per_tick"]):
                    self.servo_step(targets)
            else:
                self.data.ctrl[self.controls] = targets
                self.mujoco.mj_step(self.model, self.data, self.line["steps_per_tick"])
            positions.append(self.data.qpos[self.qpos].copy())
            # A step leaves poses of bodies where it began.
            self.mujoco.mj_kinematics(self.model, self.data)
            poses.append([[*self.data.xpos[body], *self.data.xquat[body][[1, 2, 3, 0]]] for body in self.bodies])
            if self.line["group"] == "energy":
                energies.append(self.energy(positions[-1], self.data.qvel[self.dofs].copy()))
        return positions, poses, energies

    def servo_step(self, targets):
        """A step in which the servos are simulated here; targets stop at the joints' limits."""
        model, data, dt = self.model, self.data, self.line["dt"]
        exerting = []
        for servo, joint, adr, dof, target in zip(self.servos, self.joints, self.qpos, self.dofs, targets):
            low, high = model.jnt_range[joint.id]
            target = min(max(target, low), high)
            constant, damping, impulse = servo.drive(data.qpos[adr], data.qvel[dof], target, dt)
            data.qfrc_applied[dof] = constant + impulse / dt
            model.dof_damping[dof] = 0.0 if servo.apart else servo.numbers["viscous"] + damping
            model.dof_armature[dof] = 0.0 if servo.apart else servo.armature
            model.dof_frictionloss[dof] = 0.0 if servo.apart else servo.friction()
            exerting.append((constant, damping))
        self.mujoco.mj_step(model, data)
        for servo, dof, (constant, damping) in zip(self.servos, self.dofs, exerting):
            servo.exerted = constant - damping * data.qvel[dof]

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
