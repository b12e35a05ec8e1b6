"""LeRobot's own command line programs on Forearm's virtual arms, unmodified.

    python tests/python/lerobot_cli.py --forearm PROGRAM [STEP ...]

Starts `forearm emulate` with a follower and a leader and runs, all or those that are named, in this
order:

    setup-motors    lerobot-setup-motors, one motor after the other alone on the bus
    calibrate       lerobot-calibrate for both arms, which a hand moves as the prompts say
    teleoperate     lerobot-teleoperate with these calibrations; a prompt is a failure
    theirs          forearm, which must take the calibrations that LeRobot made
    ours            lerobot-teleoperate with calibrations that Forearm made; a prompt is a failure

Prints what the programs print and for each step one line of JSON with what came of it. Exit code 0
only if everything went as on real arms.
"""

import argparse
import json
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

MOTORS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]
STEPS = ["setup-motors", "calibrate", "teleoperate", "theirs", "ours"]


class Program:
    """A program on a terminal of its own, whose prompts are answered."""

    def __init__(self, command):
        print("$", " ".join(command), flush=True)
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
        os.close(theirs)
        self.terminal = ours
        self.said = ""
        self.seen = 0

    def read(self, secs):
        """Takes what it says within this time; False when it has ended."""
        ready, _, _ = select.select([self.terminal], [], [], secs)
        if not ready:
            return True
        try:
            text = os.read(self.terminal, 65536).decode(errors="replace")
        except OSError:
            return False
        if not text:
            return False
        sys.stdout.write(text)
        sys.stdout.flush()
        self.said += text
        return True

    def wait_for(self, pattern, secs):
        """Waits until it says this, after what was waited for before."""
        until = time.monotonic() + secs
        while True:
            found = re.search(pattern, self.said[self.seen :])
            if found:
                self.seen += found.end()
                return found
            if time.monotonic() > until or not self.read(0.1):
                raise SystemExit(f"\nexpected /{pattern}/ within {secs} s; it said:\n{self.said[self.seen:]}")

    def enter(self, text=""):
        os.write(self.terminal, (text + "\n").encode())

    def end(self, secs):
        """Waits for its end; answers its exit code."""
        until = time.monotonic() + secs
        while self.read(0.1):
            if time.monotonic() > until:
                self.process.kill()
                raise SystemExit(f"\nit did not end within {secs} s")
        return self.process.wait(10)


class Arms:
    """A follower, called left, and a leader, called right, served by Forearm."""

    def __init__(self, forearm, folder, *more):
        self.ports = {arm: os.path.join(folder, arm) for arm in ["left", "right"]}
        links = [f"--port-link={port}" for port in self.ports.values()]
        self.process = subprocess.Popen(
            [forearm, "emulate", "--scene", "two_arms", "--json", *links, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.until("arms")

    def until(self, what, value=None):
        """Reads on until it tells this."""
        for line in self.process.stdout:
            told = json.loads(line)
            if "error" in told:
                raise SystemExit(f"the virtual arms: {told['error']}")
            if what in told and value in (None, told[what]):
                return
        raise SystemExit("the virtual arms have ended")

    def order(self, text):
        """Has something done, and waits until it is."""
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        self.until("done", text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.write("quit\n")
        self.process.stdin.close()
        self.process.wait(30)


def program(name):
    """The installed program beside this Python."""
    return os.path.join(os.path.dirname(sys.executable), name)


def device(arms, leader, name):
    kind, role, arm = ("teleop", "leader", "right") if leader else ("robot", "follower", "left")
    return [f"--{kind}.type=so101_{role}", f"--{kind}.port={arms.ports[arm]}", f"--{kind}.id={name}"]


def setup_motors(arms, _):
    run = Program([program("lerobot-setup-motors"), *device(arms, False, "x")[:2]])
    for motor in reversed(MOTORS):
        run.wait_for(rf"'{motor}' motor only and press enter", 90)
        arms.order(f"left attach {motor}")
        run.enter()
        run.wait_for(rf"'{motor}' motor id set to {MOTORS.index(motor) + 1}", 60)
    code = run.end(30)
    arms.order("left attach all")
    return {"exit": code}


def calibrate(arms, args):
    return [calibrate_one(arms, args, leader) for leader in (False, True)]


def calibrate_one(arms, args, leader):
    arm = "right" if leader else "left"
    run = Program([program("lerobot-calibrate"), *device(arms, leader, "made_by_lerobot")])
    run.wait_for(r"middle of its range of motion and press ENTER", 90)
    arms.order(f"{arm} hand middle")
    run.enter()
    run.wait_for(r"Press ENTER to stop", 30)
    arms.order(f"{arm} hand ranges")
    # Until every measured joint has a range that a person would be content with.
    wanted = [motor for motor in MOTORS if motor != "wrist_roll"]
    until = time.monotonic() + args.patience
    ranges = {}
    while any(ranges.get(motor, 0) < args.range for motor in wanted):
        if time.monotonic() > until:
            raise SystemExit(f"\nnot every joint was moved by {args.range} ticks: {ranges}")
        if not run.read(0.1):
            raise SystemExit("\nit ended while ranges were recorded")
        rows = re.findall(r"(\w+)\s*\|\s*(-?\d+)\s*\|\s*-?\d+\s*\|\s*(-?\d+)", run.said[run.seen :])
        ranges.update((motor, int(high) - int(low)) for motor, low, high in rows)
    run.enter()
    run.wait_for(r"Calibration saved to", 30)
    arms.order(f"{arm} hand middle")
    return {"exit": run.end(30), "ranges": ranges}


def teleoperate(arms, args, names=("made_by_lerobot", "made_by_lerobot")):
    follower, leader = names
    run = Program(
        [
            program("lerobot-teleoperate"),
            *device(arms, False, follower),
            *device(arms, True, leader),
            f"--teleop_time_s={args.secs}",
            f"--fps={args.fps}",
        ]
    )
    code = run.end(args.secs + args.patience)
    if "ENTER" in run.said:
        raise SystemExit("\nit asked for a calibration although there is one")
    loops = sorted(float(ms) for ms in re.findall(r"Teleop loop time: ([\d.]+)ms", run.said))
    if not loops:
        raise SystemExit("\nit never went round its loop")
    return {
        "exit": code,
        "loops": len(loops),
        "median_hz": 1e3 / loops[len(loops) // 2],
        "p99_ms": loops[int(len(loops) * 0.99)],
    }


def theirs(arms, args):
    """Forearm drives with the calibration that LeRobot made and wrote into the motors."""
    run = subprocess.run(
        [
            *[args.forearm, "teleoperate", "--headless", "--json", "--duration", "3"],
            *["--arm", arms.ports["left"], "--id", "made_by_lerobot"],
            *["--leader", arms.ports["right"], "--leader-id", "made_by_lerobot"],
        ],
        stdout=subprocess.PIPE,
        text=True,
        timeout=args.patience,
    )
    print(run.stdout)
    return {"exit": run.returncode}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(STEPS))
    parser.add_argument("--forearm", required=True, help="the program")
    parser.add_argument("--secs", type=float, default=5, help="how long to teleoperate")
    parser.add_argument("--fps", type=int, default=60)
    parser.add_argument("--range", type=int, default=500, help="ticks that each measured joint should move")
    parser.add_argument("--patience", type=float, default=120, help="how long a program may take beside that")
    args = parser.parse_args()
    # LeRobot gives up 50 ms after a request, also when it did not get to run meanwhile.
    try:
        os.nice(-15)
    except OSError:
        pass
    unknown = set(args.steps) - set(STEPS)
    if unknown:
        parser.error(f"no such step: {', '.join(unknown)}; expected {', '.join(STEPS)}")
    steps = {
        "setup-motors": setup_motors,
        "calibrate": calibrate,
        "teleoperate": teleoperate,
        "ours": lambda arms, args: teleoperate(arms, args, ("emulated_left", "emulated_right")),
        "theirs": theirs,
    }
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HF_LEROBOT_CALIBRATION"] = os.path.join(folder, "calibration")
        arms = None
        for step in [step for step in STEPS if step in (args.steps or STEPS)]:
            # Forearm's own calibrations are those of motors that were never calibrated otherwise.
            if arms is None or step == "ours":
                if arms:
                    arms.__exit__()
                arms = Arms(args.forearm, folder, *(["--calibrated"] if step == "ours" else []))
            came = steps[step](arms, args)
            print(json.dumps({"step": step, "came": came}), flush=True)
            parts = came if isinstance(came, list) else [came]
            failed += [step for part in parts if part["exit"] != 0]
        arms.__exit__()
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
