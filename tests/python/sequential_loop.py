"""The loop that LeRobot teleoperates with, as fast as it goes, on Forearm's virtual arms.

    python tests/python/sequential_loop.py --forearm PROGRAM [--secs 20] [--latency-ms 1]

Reads the follower, reads the leader, writes the follower's goals, one after the other: with LeRobot's
own classes where they can be imported, else with the SDK that they are made on. Prints one line of
JSON: rounds a second, the 99th percentile of a round, and which of the two it was.
"""

import argparse
import json
import os
import tempfile
import time

from lerobot_cli import Arms


def with_lerobot(follower, leader):
    from lerobot.robots.so_follower import SO101Follower, SO101FollowerConfig
    from lerobot.teleoperators.so_leader import SO101Leader, SO101LeaderConfig

    robot = SO101Follower(SO101FollowerConfig(port=follower, id="emulated_left"))
    teleop = SO101Leader(SO101LeaderConfig(port=leader, id="emulated_right"))
    teleop.connect()
    robot.connect()

    def turn():
        robot.get_observation()
        robot.send_action(teleop.get_action())

    def end():
        robot.disconnect()
        teleop.disconnect()

    return turn, end


def with_sdk(follower, leader):
    import scservo_sdk as scs

    packets = scs.PacketHandler(0)
    ids = range(1, 7)
    ports, reads = [], []
    for path in (follower, leader):
        port = scs.PortHandler(path)
        if not port.openPort() or not port.setBaudRate(1_000_000):
            raise SystemExit(f"can't open {path}")
        read = scs.GroupSyncRead(port, packets, 56, 2)
        for motor in ids:
            read.addParam(motor)
        ports.append(port)
        reads.append(read)
    write = scs.GroupSyncWrite(ports[0], packets, 42, 2)

    def turn():
        for read in reads:
            if read.txRxPacket() != scs.COMM_SUCCESS:
                raise ConnectionError("no answer")
        for motor in ids:
            ticks = reads[1].getData(motor, 56, 2)
            write.addParam(motor, [scs.SCS_LOBYTE(ticks), scs.SCS_HIBYTE(ticks)])
        write.txPacket()
        write.clearParam()

    def end():
        for port in ports:
            port.closePort()

    return turn, end


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forearm", required=True, help="the program")
    parser.add_argument("--secs", type=float, default=20, help="how long to measure")
    parser.add_argument("--latency-ms", type=float, default=1, help="of each USB adapter")
    args = parser.parse_args()
    try:
        import lerobot  # noqa: F401

        who, connect = "LeRobot", with_lerobot
    except ImportError:
        who, connect = "LeRobot's SDK", with_sdk
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HF_LEROBOT_CALIBRATION"] = folder
        arms = Arms(
            args.forearm, folder, "--calibrated", f"--latency-ms={args.latency_ms}", "--turnaround-us=2"
        )
        arms.order("right hand ranges")
        turn, end = connect(arms.ports["left"], arms.ports["right"])
        rounds = []
        lost = 0
        until = time.perf_counter() + args.secs
        while time.perf_counter() < until:
            begin = time.perf_counter()
            try:
                turn()
            except ConnectionError:
                # It would have ended here.
                lost += 1
                continue
            rounds.append(time.perf_counter() - begin)
        end()
        arms.__exit__()
    rounds.sort()
    mean = sum(rounds) / len(rounds)
    p99 = rounds[int(len(rounds) * 0.99)]
    print(json.dumps({"who": who, "hz": 1 / mean, "p99_ms": p99 * 1e3, "lost": lost}))


if __name__ == "__main__":
    main()
