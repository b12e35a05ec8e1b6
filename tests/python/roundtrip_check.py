"""Two datasets that have to be the same, both read with LeRobot.

    python roundtrip_check.py FOLDER FOLDER [--levels N]

Compares what LeRobot gives of each: features, rate, robot, tasks, episodes, statistics, and of every
frame every value, task and picture. Prints differences, one a line, and at the end a line of JSON.
Exit code 0: they are the same; 1: they differ; 2: LeRobot is missing.
"""

import argparse
import json
import sys

import numpy as np

from dataset_check import open_with_lerobot, picture

MOST_DIFFERENCES = 40
STATISTICS = ["min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"]


def plain(feature):
    """What of a feature a reader goes by. What is told of the encoder may differ."""
    return feature["dtype"], tuple(feature["shape"]), feature["names"]


def compare(first, second, levels):
    """Yields differences."""
    for name in ("fps", "robot_type", "total_episodes", "total_frames", "total_tasks"):
        pair = getattr(first.meta, name), getattr(second.meta, name)
        if pair[0] != pair[1]:
            yield f"{name}: {pair[0]} and {pair[1]}"
    features = [{key: plain(feature) for key, feature in it.meta.features.items()} for it in (first, second)]
    if features[0] != features[1] or list(features[0]) != list(features[1]):
        yield f"features: {features[0]} and {features[1]}"
        return
    tasks = [list(it.meta.tasks.index) for it in (first, second)]
    if tasks[0] != tasks[1]:
        yield f"tasks: {tasks[0]} and {tasks[1]}"
    if len(first) != len(second):
        yield f"frames: {len(first)} and {len(second)}"
        return
    for one, other in zip(first.meta.episodes, second.meta.episodes):
        for key in ("episode_index", "tasks", "length", "dataset_from_index", "dataset_to_index"):
            if one[key] != other[key]:
                yield f"episode {one['episode_index']}: {key} {one[key]} and {other[key]}"
    if first.meta.stats.keys() != second.meta.stats.keys():
        yield f"statistics of {sorted(first.meta.stats)} and of {sorted(second.meta.stats)}"
        return
    for key, told in first.meta.stats.items():
        for name in STATISTICS:
            pair = np.asarray(told[name]), np.asarray(second.meta.stats[key][name])
            if pair[0].shape != pair[1].shape or not np.allclose(*pair, rtol=1e-6, atol=1e-9):
                yield f"{name} of {key}: {pair[0].tolist()} and {pair[1].tolist()}"
    cameras = first.meta.camera_keys
    for index in range(len(first)):
        one, other = first[index], second[index]
        for key in features[0]:
            if key in cameras:
                off = np.abs(picture(one[key]) - picture(other[key])).max()
                if off > levels:
                    yield f"frame {index}: pictures of {key} differ by {off} levels"
            elif not np.array_equal(one[key].numpy(), other[key].numpy()):
                yield f"frame {index}: {key} is {one[key].tolist()} and {other[key].tolist()}"
        if one["task"] != other["task"]:
            yield f"frame {index}: task {one['task']!r} and {other['task']!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs=2, metavar="FOLDER")
    parser.add_argument("--levels", type=int, default=0, help="how much pictures may differ, of 255")
    args = parser.parse_args()
    first, second = map(open_with_lerobot, args.folders)
    differences = []
    for difference in compare(first, second, args.levels):
        if len(differences) == MOST_DIFFERENCES:
            break
        differences.append(difference)
        print(f"difference: {difference}")
    print(json.dumps({"frames": len(first), "cameras": list(first.meta.camera_keys), "differences": len(differences)}))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
