"""A dataset, opened and read whole with LeRobot (0.4.4, 0.6.1).

    python dataset_check.py FOLDER [--episodes N] [--light] [--killed]

First the rules of the format and all statistics, without LeRobot: see dataset_layout.py. Then LeRobot
opens the folder; every frame of every camera is read through it and has to be the one that stands at
this place in the video; so are all values, timestamps, tasks and the bounds of episodes. Last a training
batch is drawn, shuffled, with a history of states and a chunk of actions.

With --light that is left out: pyarrow and numpy are enough then, PyAV checks the videos as well. With
--killed one episode may be there that is not counted yet, see dataset_layout.py.

Prints problems, one a line, and at the end a line of JSON. Exit code 0: all is well; 1: there are
problems; 2: a package is missing.
"""

import argparse
import json
import os
import sys

# A dataset that is not whole is looked for on the hub otherwise.
os.environ["HF_HUB_OFFLINE"] = "1"

try:
    import numpy as np

    import dataset_layout
except ImportError as error:
    print(f"{error}: pip install pyarrow numpy")
    sys.exit(2)

# How much a picture may differ, in levels of 255: conversions to RGB round differently.
LEVELS = 3
BATCH = 16


def open_with_lerobot(folder, **more):
    """LeRobot's dataset. `lerobot.datasets` names it since 0.5."""
    try:
        from lerobot.datasets.lerobot_dataset import LeRobotDataset
    except ImportError as error:
        print(f"{error}: pip install 'lerobot[dataset]'")
        sys.exit(2)
    # torchcodec, the default, needs FFmpeg's libraries.
    return LeRobotDataset("forearm/check", root=folder, video_backend="pyav", **more)


def picture(tensor):
    """Height, width, channel; levels from 0 to 255."""
    return np.round(tensor.numpy() * 255).astype(np.int16).transpose(1, 2, 0)


def check_items(data, dataset):
    """Every frame, one after another."""
    info = data.info
    if not data.unless(len(dataset) == info["total_frames"], f"LeRobot finds {len(dataset)} frames"):
        return
    numbers = [key for key in info["features"] if key not in data.cameras]
    for number, episode in enumerate(data.episodes):
        for row, index in enumerate(data.rows_of(episode)):
            item, at = dataset[index], f"frame {row} of episode {number}"
            for key in numbers:
                got, wanted = np.ravel(item[key].numpy()), data.columns[key][index]
                data.unless(np.array_equal(got, wanted), f"{at}: LeRobot reads {key} as {got}, it is {wanted}")
            task = data.tasks[data.columns["task_index"][index, 0]]
            data.unless(item["task"] == task, f"{at}: LeRobot reads task {item['task']!r}, it is {task!r}")
            for camera in data.cameras:
                shape = tuple(info["features"][camera]["shape"])
                got = picture(item[camera])
                if not data.unless(got.shape == shape, f"{at}: {camera} is {got.shape}, expected {shape}"):
                    continue
                if data.frames.get(camera):
                    off = np.abs(dataset_layout.thinned(got) - data.frames[camera][index]).max()
                    data.unless(off <= LEVELS, f"{at}: LeRobot shows another picture of {camera} ({off} levels off)")


def check_meta(data, dataset):
    meta = dataset.meta
    data.unless(meta.fps == data.info["fps"], f"LeRobot says {meta.fps} frames a second")
    data.unless(meta.robot_type == data.info["robot_type"], f"LeRobot says robot {meta.robot_type}")
    data.unless(meta.total_episodes == len(data.episodes), f"LeRobot finds {meta.total_episodes} episodes")
    data.unless(set(meta.camera_keys) == set(data.cameras), f"LeRobot finds cameras {meta.camera_keys}")
    data.unless(list(meta.tasks.index) == data.tasks, f"LeRobot finds tasks {list(meta.tasks.index)}")
    data.unless(meta.stats is not None, "LeRobot finds no statistics")
    for number, episode in enumerate(data.episodes):
        got = meta.episodes[number]
        for key in ("episode_index", "length", "tasks", "dataset_from_index", "dataset_to_index"):
            data.unless(got[key] == episode[key], f"LeRobot: {key} of episode {number} is {got[key]}, not {episode[key]}")


def check_batch(data, folder):
    """What training does: a shuffled batch of several episodes."""
    import torch

    fps = data.info["fps"]
    windows = {"observation.state": [-1 / fps, 0.0], "action": [step / fps for step in range(4)]}
    windows = {key: steps for key, steps in windows.items() if key in data.info["features"]}
    dataset = open_with_lerobot(folder, delta_timestamps=windows)
    torch.manual_seed(1)
    size = min(BATCH, len(dataset))
    loader = torch.utils.data.DataLoader(dataset, batch_size=size, shuffle=True, num_workers=0)
    episodes = set()
    # Chance may draw one episode only, of a dataset with few.
    for _, batch in zip(range(8), loader):
        episodes |= set(batch["episode_index"].tolist())
        for key, steps in windows.items():
            shape = (len(batch["index"]), len(steps), *data.info["features"][key]["shape"])
            data.unless(tuple(batch[key].shape) == shape, f"batch: {key} is {tuple(batch[key].shape)}, expected {shape}")
            now = batch[key][:, steps.index(0.0)].numpy()
            rows = data.columns[key][batch["index"].numpy()]
            data.unless(np.array_equal(now, rows), f"batch: {key} has values of other rows")
        for camera in data.cameras:
            height, width, channels = data.info["features"][camera]["shape"]
            shape = (len(batch["index"]), channels, height, width)
            data.unless(tuple(batch[camera].shape) == shape, f"batch: {camera} is {tuple(batch[camera].shape)}")
        if len(episodes) > 1:
            break
    wanted = min(2, len(data.episodes))
    data.unless(len(episodes) >= wanted, f"batches have frames of {len(episodes)} episodes, expected {wanted}")
    return size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="the dataset")
    parser.add_argument("--episodes", type=int, help="how many there have to be")
    parser.add_argument("--light", action="store_true", help="without LeRobot")
    parser.add_argument("--killed", action="store_true", help="its writer was killed, and nothing mended yet")
    parser.add_argument(
        "--any-picture-std", action="store_true", help="for datasets written by LeRobot 0.4.4, which gets these wrong"
    )
    args = parser.parse_args()
    data = dataset_layout.check(args.folder, args.episodes, picture_std=not args.any_picture_std, killed=args.killed)
    told = {"episodes": len(data.episodes), "frames": data.info.get("total_frames"), "cameras": data.cameras}
    # LeRobot would look for what is missing elsewhere.
    if not args.light and not data.problems:
        dataset = open_with_lerobot(args.folder)
        import lerobot

        told["lerobot"] = lerobot.__version__
        check_meta(data, dataset)
        check_items(data, dataset)
        told["batch"] = check_batch(data, args.folder)
    for problem in data.problems:
        print(f"problem: {problem}")
    for text in data.unchecked:
        print(f"not checked: {text}")
    print(json.dumps(told | {"problems": len(data.problems), "not_checked": data.unchecked}))
    return 1 if data.problems else 0


if __name__ == "__main__":
    sys.exit(main())
