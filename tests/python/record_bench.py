"""How LeRobot records: what its loop, its buttons and its user wait for.

    python record_bench.py --frames DATASET [--secs 60] [--mode default|streaming|state] [--codec NAME]

Records one episode with LeRobot's own classes, at the rate of a dataset and with its pictures (the first
ten seconds of them, there and back), in a loop like that of `lerobot-record`: an observation, add_frame,
sleep until the next one is due. Arm and cameras take no time. The loop runs before without recording.

    default     pictures are written as files, four threads a camera, and encoded after the episode
    streaming   pictures are encoded while recording (LeRobot 0.5 and later)
    state       no cameras, as fast as it goes

Prints one line of JSON: milliseconds for add_frame (median, 99th percentile, longest), the 99th percentile
of how much a round is off its time with and without recording, seconds until the episode is saved and the
dataset closed, frames that are in the dataset.
"""

import argparse
import inspect
import json
import os
import shutil
import sys
import tempfile
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np  # noqa: E402

import dataset_layout  # noqa: E402

NAMES = [f"{joint}.pos" for joint in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")]
POOL_SECS = 10
THREADS_A_CAMERA = 4


def pictures(folder):
    """For each camera its first seconds, and the dataset's rate."""
    import av

    data = dataset_layout.Dataset(folder)
    if not (dataset_layout.read_info(data, None) and dataset_layout.read_tasks(data) and dataset_layout.read_episodes(data)):
        sys.exit(f"{folder}: {data.problems}")
    fps, pools = data.info["fps"], {}
    for camera in data.features("video"):
        first = data.episodes[0]
        place = {name: first[f"videos/{camera}/{name}"] for name in ("chunk_index", "file_index")}
        pool = []
        with av.open(data.path(data.info["video_path"].format(video_key=camera, **place))) as file:
            for frame in file.decode(video=0):
                pool.append(frame.to_ndarray(format="rgb24"))
                if len(pool) == POOL_SECS * fps:
                    break
        pools[camera] = pool
    return fps, pools


def there_and_back(pool, number):
    last = len(pool) - 1
    place = number % (2 * last) if last else 0
    return pool[place if place <= last else 2 * last - place]


def observation(pools, number):
    phase = number / 30 + np.arange(6)
    state = (40 * np.sin(phase)).astype(np.float32)
    frame = {"observation.state": state, "action": state + 1}
    return frame | {camera: there_and_back(pool, number) for camera, pool in pools.items()}


def loop(fps, rounds, turn):
    """Runs at this rate; answers how much each round was off its time, seconds."""
    off, last, due = [], None, time.perf_counter()
    for number in range(rounds):
        now = time.perf_counter()
        if last is not None:
            off.append(abs(now - last - 1 / fps))
        last = now
        turn(number)
        # A round that is late is not made up for, as in LeRobot.
        due = max(due + 1 / fps, time.perf_counter())
        time.sleep(max(0.0, due - time.perf_counter()))
    return off


def part(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def create(root, fps, pools, mode, codec):
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    six = {"dtype": "float32", "shape": (6,), "names": NAMES}
    features = {"action": six, "observation.state": six}
    for camera, pool in pools.items():
        names = ["height", "width", "channels"]
        features[camera] = {"dtype": "video", "shape": pool[0].shape, "names": names}
    known = inspect.signature(LeRobotDataset.create).parameters
    more = {"image_writer_threads": THREADS_A_CAMERA * len(pools)}
    if mode == "streaming":
        if "streaming_encoding" not in known:
            sys.exit("this LeRobot has no streaming encoding")
        more["streaming_encoding"] = True
    if codec:
        if "rgb_encoder" in known:
            from lerobot.configs.video import RGBEncoderConfig

            more["rgb_encoder"] = RGBEncoderConfig(vcodec=codec)
        else:
            more["vcodec"] = codec
    return LeRobotDataset.create("forearm/bench", fps, features, root=root, robot_type="so_follower", **more)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", required=True, metavar="DATASET", help="whose pictures and rate are used")
    parser.add_argument("--secs", type=float, default=60, help="how long the episode is")
    parser.add_argument("--mode", choices=["default", "streaming", "state"], default="default")
    parser.add_argument("--codec", help="another encoder than LeRobot's own choice")
    args = parser.parse_args()
    import lerobot
    import torch

    fps, pools = pictures(args.frames)
    if args.mode == "state":
        pools = {}
    rounds = round(args.secs * fps)
    rate = fps if pools else 1e9
    alone = loop(rate, min(rounds, 10 * fps), lambda number: observation(pools, number))
    folder = tempfile.mkdtemp()
    try:
        dataset = create(os.path.join(folder, "dataset"), fps, pools, args.mode, args.codec)
        took = []

        def turn(number):
            frame = observation(pools, number) | {"task": "bench"}
            begin = time.perf_counter()
            dataset.add_frame(frame)
            took.append(time.perf_counter() - begin)

        off = loop(rate, rounds, turn)
        begin = time.perf_counter()
        dataset.save_episode()
        saved = time.perf_counter()
        dataset.finalize()
        closed = time.perf_counter()
        written = dataset_layout.check(os.path.join(folder, "dataset"), 1, picture_std=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = {
        "who": f"LeRobot {lerobot.__version__}",
        "mode": args.mode,
        "codec": args.codec or "its own",
        "threads": torch.get_num_threads(),
        "accepted": rounds,
        "written": written.info.get("total_frames"),
        "problems": written.problems,
        "add_p50_ms": part(took, 0.5) * 1e3,
        "add_p99_ms": part(took, 0.99) * 1e3,
        "add_max_ms": max(took) * 1e3,
        "jitter_alone_p99_ms": part(alone, 0.99) * 1e3 if pools else None,
        "jitter_p99_ms": part(off, 0.99) * 1e3 if pools else None,
        "jitter_max_ms": max(off) * 1e3 if pools else None,
        "saved_secs": saved - begin,
        "closed_secs": closed - begin,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
