"""LeRobot's own command line programs on Forearm's virtual arms, unmodified.

    python tests/python/lerobot_cli.py STEP --follower PORT --leader PORT --id ID

STEP is one of
    calibrate-follower, calibrate-leader   lerobot-calibrate, answering its prompts; somebody has to
                                           move the arm meanwhile (`forearm emulate --hand ranges`)
    teleoperate                            lerobot-teleoperate for some seconds; any prompt is a failure
    setup-motors                           lerobot-setup-motors; `--attach COMMAND` is written to a
                                           file that makes the virtual bus have one motor only

Calibrations are kept where HF_LEROBOT_CALIBRATION says. Prints what the programs print, then one line
of JSON with what came of it. Exit code 0 only if everything went as on real arms.
"""

import argparse
import json
import os
import pty
import re
import select
import subprocess
import sys
import time

MOTORS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]


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


def program(name):
    """The installed program beside this Python."""
    return os.path.join(os.path.dirname(sys.executable), name)


def device(args, leader):
    kind, port = ("teleop", args.leader) if leader else ("robot", args.follower)
    role = "leader" if leader else "follower"
    return [f"--{kind}.type=so101_{role}", f"--{kind}.port={port}", f"--{kind}.id={args.id}"]


def calibrate(args, leader):
    run = Program([program("lerobot-calibrate"), *device(args, leader)])
    found = run.wait_for(r"type 'c' and press ENTER|middle of its range of motion and press ENTER", 90)
    if "type 'c'" in found.group():
        run.enter("c")
        run.wait_for(r"middle of its range of motion and press ENTER", 30)
    run.enter()
    run.wait_for(r"Press ENTER to stop", 30)
    # Until every measured joint has a range that a person would be content with.
    wanted = [motor for motor in MOTORS if motor != "wrist_roll"]
    until = time.monotonic() + args.secs
    ranges = {}
    while any(ranges.get(motor, 0) < args.range for motor in wanted):
        if time.monotonic() > until:
            raise SystemExit(f"\nnot every joint was moved by {args.range} ticks: {ranges}")
        if not run.read(0.1):
            raise SystemExit("\nit ended while ranges were recorded")
        for motor, low, _, high in re.findall(r"(\w+)\s*\|\s*(-?\d+)\s*\|\s*(-?\d+)\s*\|\s*(-?\d+)", run.said[run.seen :]):
            ranges[motor] = int(high) - int(low)
    run.enter()
    run.wait_for(r"Calibration saved to", 30)
    code = run.end(30)
    return {"exit": code, "ranges": ranges}


def teleoperate(args):
    run = Program(
        [
            program("lerobot-teleoperate"),
            *device(args, False),
            *device(args, True),
            f"--teleop_time_s={args.secs}",
            f"--fps={args.fps}",
        ]
    )
    code = run.end(args.secs + 90)
    if "ENTER" in run.said:
        raise SystemExit("\nit asked for a calibration although there is one")
    loops = [float(ms) for ms in re.findall(r"Teleop loop time: ([\d.]+)ms", run.said)]
    if not loops:
        raise SystemExit("\nit never went round its loop")
    loops.sort()
    return {
        "exit": code,
        "loops": len(loops),
        "median_hz": 1e3 / loops[len(loops) // 2],
        "p99_ms": loops[int(len(loops) * 0.99)],
    }


def setup_motors(args):
    run = Program([program("lerobot-setup-motors"), *device(args, False)[:2]])
    for motor in reversed(MOTORS):
        run.wait_for(rf"'{motor}' motor only and press enter", 90)
        with open(args.attach, "a", encoding="utf-8") as commands:
            commands.write(f"attach {motor}\n")
        run.enter()
        run.wait_for(rf"'{motor}' motor id set to (\d+)", 60)
    return {"exit": run.end(30)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["calibrate-follower", "calibrate-leader", "teleoperate", "setup-motors"])
    parser.add_argument("--follower", help="the follower's port")
    parser.add_argument("--leader", help="the leader's port")
    parser.add_argument("--id", default="emulated")
    parser.add_argument("--secs", type=float, default=60, help="how long at most, or how long to teleoperate")
    parser.add_argument("--fps", type=int, default=60)
    parser.add_argument("--range", type=int, default=500, help="ticks that each measured joint should move")
    parser.add_argument("--attach", help="the commands of the virtual bus, a pipe")
    args = parser.parse_args()
    came = {
        "calibrate-follower": lambda: calibrate(args, False),
        "calibrate-leader": lambda: calibrate(args, True),
        "teleoperate": lambda: teleoperate(args),
        "setup-motors": lambda: setup_motors(args),
    }[args.step]()
    print(json.dumps(came))
    if came["exit"] != 0:
        raise SystemExit(came["exit"])


if __name__ == "__main__":
    main()
