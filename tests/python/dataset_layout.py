"""The rules that a LeRobot dataset of version 3.0 has to keep, checked without LeRobot.

Needs pyarrow and numpy. With PyAV pictures of videos are checked too, with Pillow those in tables;
what could not be checked for want of a package is told.

`check(folder)` answers a `Dataset`: what was read, and every problem that was found.

Statistics are computed again. Tolerances, and why:

- Numbers: mean within 1e-5 of the greatest magnitude, variance within 1e-5 of the mean square, because
  LeRobot computes both in single precision. Minimum and maximum exactly, up to rounding to a float.
- Quantiles: LeRobot reads them from a histogram of 5000 bins. A bin and one sample to either side.
- Pictures: written statistics are of the camera's pictures, ours are of the decoded ones. Mean within
  0.02 (of 0 to 1), standard deviation within 0.03; a quantile, minimum and maximum within 0.06 or 5 % of
  the pixels; minimum and maximum also within 0.6 (compression changes single pixels most). Pictures are
  sampled as LeRobot does: about length^0.75 of the frames, at least 100, every n-th pixel of large ones.
- The dataset's statistics are those of its episodes, aggregated: within 1e-6. A quantile is the mean
  over the episodes, weighted by their counts, or the outermost one (both are LeRobot's, of different
  versions).
"""

import io
import json
import os
from fractions import Fraction

import numpy as np
import pyarrow.parquet as pq

try:
    import av
except ImportError:
    av = None
try:
    from PIL import Image
except ImportError:
    Image = None

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
STATISTICS = ["min", "max", "mean", "std", "count", *QUANTILES]
DEFAULTS = {"timestamp": "float32", "frame_index": "int64", "episode_index": "int64", "index": "int64", "task_index": "int64"}
PIXELS = ("image", "video")
MOST_PROBLEMS = 40


class Dataset:
    """What was read of a dataset."""

    def __init__(self, root):
        self.root = root
        self.problems = []
        self.unchecked = []
        self.info = {}
        self.tasks = []
        # Those that info.json counts.
        self.episodes = []
        # Those written after them by a program that was killed before it counted them.
        self.uncounted = []
        # Columns by name: one row a frame, sorted by index.
        self.columns = {}
        # For each camera: the frames, thinned out, one after another.
        self.frames = {}

    def problem(self, text):
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(text)

    def unless(self, good, text):
        if not good:
            self.problem(text)
        return good

    def not_checked(self, text):
        if text not in self.unchecked:
            self.unchecked.append(text)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def features(self, *kinds):
        wanted = self.info.get("features", {}).items()
        return [key for key, feature in wanted if feature.get("dtype") in kinds]

    @property
    def cameras(self):
        return self.features(*PIXELS)

    def rows_of(self, episode):
        return range(episode["dataset_from_index"], episode["dataset_to_index"])


def check(root, episodes=None, picture_std=True, killed=False):
    """Reads everything in the dataset and checks it.

    `episodes` is how many there have to be. Without `picture_std` deviations of pictures may be anything:
    LeRobot 0.4.4 squares pictures in 8 bits, which wraps. With `killed` there may be one more episode that
    info.json does not count yet: the moment of a kill was between two files. It need not be whole, all
    others do.
    """
    data = Dataset(root)
    try:
        if read_info(data, episodes) and read_tasks(data, killed) and read_episodes(data, killed) and read_rows(data):
            check_rows(data)
            for camera in data.features("video"):
                check_video(data, camera)
            for camera in data.features("image"):
                read_images(data, camera)
            check_statistics(data, picture_std)
    except Exception as error:  # Whatever a damaged file leads to is a problem of the dataset.
        data.problem(f"{type(error).__name__}: {error}")
    return data


def json_file(data, name):
    path = data.path("meta", name)
    if not data.unless(os.path.isfile(path), f"meta/{name} is missing"):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_info(data, episodes):
    info = json_file(data, "info.json")
    if info is None:
        return False
    data.info = info
    version = info.get("codebase_version")
    if not data.unless(version == "v3.0", f"codebase_version is {version!r}, expected 'v3.0'"):
        return False
    fps, features = info.get("fps"), info.get("features")
    data.unless(isinstance(fps, int) and fps > 0, f"fps is {fps!r}, expected a positive whole number")
    if not data.unless(isinstance(features, dict), "info.json names no features"):
        return False
    data.unless(isinstance(info.get("robot_type"), str), f"robot_type is {info.get('robot_type')!r}")
    total = info.get("total_episodes")
    data.unless(info.get("splits") == {"train": f"0:{total}"}, f"splits are {info.get('splits')}, expected 0:{total}")
    if episodes is not None:
        data.unless(total == episodes, f"{total} episodes, expected {episodes}")
    for key, feature in features.items():
        data.unless("/" not in key, f"the name of feature {key} has a slash")
        shape, names = feature.get("shape"), feature.get("names")
        good = isinstance(shape, list) and shape and all(isinstance(n, int) and n > 0 for n in shape)
        if not data.unless(good, f"{key}: shape is {shape}"):
            return False
        if feature.get("dtype") in PIXELS:
            good = len(shape) == 3 and shape[2] == 3 and names == ["height", "width", "channels"]
            data.unless(good, f"{key}: shape {shape}, names {names}; expected height, width, channels")
        elif isinstance(names, list):
            data.unless(len(names) == shape[0], f"{key}: {len(names)} names for {shape[0]} numbers")
    for key, dtype in DEFAULTS.items():
        found = features.get(key, {})
        good = found.get("dtype") == dtype and found.get("shape") == [1]
        data.unless(good, f"feature {key} is {found}, expected {dtype} [1]")
    if data.features("video"):
        data.unless(info.get("video_path"), "video_path is missing")
    return not data.problems


def tables(data, folder):
    """All tables below a folder, in order of their paths, each with its path."""
    found = []
    for above, _, names in os.walk(data.path(folder)):
        for name in names:
            path = os.path.join(above, name)
            relative = os.path.relpath(path, data.root)
            if data.unless(name.endswith(".parquet"), f"{relative} does not belong there"):
                found.append(path)
    for path in sorted(found):
        try:
            yield os.path.relpath(path, data.root).replace(os.sep, "/"), pq.read_table(path, partitioning=None)
        except Exception as error:  # pyarrow has many.
            data.problem(f"{os.path.relpath(path, data.root)} can't be read: {error}")


def read_tasks(data, killed=False):
    path = data.path("meta", "tasks.parquet")
    if not data.unless(os.path.isfile(path), "meta/tasks.parquet is missing"):
        return False
    table = pq.read_table(path)
    pandas = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    index = pandas.get("index_columns", [])
    good = len(index) == 1 and index[0] in table.column_names
    # Without it a loader takes numbers for the tasks' names, and says nothing.
    if not data.unless(good, "tasks.parquet has no pandas metadata that names its index"):
        return False
    numbers = table.column("task_index").to_pylist()
    data.tasks = table.column(index[0]).to_pylist()
    data.unless(numbers == list(range(len(numbers))), f"tasks are numbered {numbers}")
    data.unless(all(isinstance(task, str) for task in data.tasks), "a task is no text")
    data.unless(len(set(data.tasks)) == len(data.tasks), "a task is there twice")
    total = data.info.get("total_tasks")
    more = killed and len(data.tasks) - total == 1
    return data.unless(more or len(data.tasks) == total, f"{len(data.tasks)} tasks, info.json says {total}")


def read_episodes(data, killed=False):
    for path, table in tables(data, "meta/episodes"):
        rows = table.to_pylist()
        for row in rows:
            place = (row.get("meta/episodes/chunk_index"), row.get("meta/episodes/file_index"))
            if None not in place:
                expected = "meta/episodes/chunk-{:03d}/file-{:03d}.parquet".format(*place)
                data.unless(path == expected, f"{path} says that it is {expected}")
        data.episodes += rows
    total = data.info["total_episodes"]
    if killed and len(data.episodes) == total + 1:
        data.uncounted = [data.episodes.pop()]
    if not data.unless(len(data.episodes) == total, f"{len(data.episodes)} episodes, info.json says {total}"):
        return False
    begin = 0
    for number, episode in enumerate(data.episodes):
        # They are looked up by their position.
        index, length = episode["episode_index"], episode["length"]
        data.unless(index == number, f"episode {index} stands where {number} should")
        data.unless(length > 0, f"episode {number} has {length} frames")
        rows = (episode["dataset_from_index"], episode["dataset_to_index"])
        data.unless(rows == (begin, begin + length), f"episode {number} has rows {rows}, expected {(begin, begin + length)}")
        begin += length
    frames = data.info.get("total_frames")
    data.unless(begin == frames, f"{begin} frames, info.json says {frames}")
    return not data.problems


def values(column, shape):
    """A column of numbers: as many rows as it has, as many numbers as the shape says."""
    if column.null_count:
        raise ValueError("there are empty cells")
    flat = column.combine_chunks()
    while hasattr(flat, "flatten") and hasattr(flat.type, "value_type"):
        flat = flat.flatten()
    return flat.to_numpy(zero_copy_only=False).reshape(len(column), int(np.prod(shape)))


def read_rows(data):
    features = data.info["features"]
    stored = [key for key in features if features[key]["dtype"] != "video"]
    parts, places = {key: [] for key in stored}, {}
    for path, table in tables(data, "data"):
        extra = set(table.column_names) - set(stored)
        missing = set(stored) - set(table.column_names)
        # LeRobot refuses columns that info.json does not name.
        data.unless(not extra, f"{path} has columns that info.json does not name: {sorted(extra)}")
        if not data.unless(not missing, f"{path} lacks the columns {sorted(missing)}"):
            return False
        for key in stored:
            if features[key]["dtype"] in ("image", "string"):
                parts[key] += table.column(key).to_pylist()
            else:
                parts[key].append(values(table.column(key), features[key]["shape"]))
        for index in table.column("index").to_pylist():
            places[index] = path
    if not data.unless(places, "there are no rows"):
        return False
    for key in stored:
        if parts[key] and isinstance(parts[key][0], np.ndarray):
            parts[key] = np.concatenate(parts[key])
    order = np.argsort(parts["index"][:, 0], kind="stable")
    data.columns = {
        key: part[order] if isinstance(part, np.ndarray) else [part[row] for row in order]
        for key, part in parts.items()
    }
    for number, episode in enumerate(data.episodes):
        place = (episode["data/chunk_index"], episode["data/file_index"])
        expected = data.info["data_path"].format(chunk_index=place[0], file_index=place[1])
        found = {places.get(row) for row in data.rows_of(episode)}
        data.unless(found == {expected}, f"rows of episode {number} are in {found}, expected {expected}")
    return not data.problems


def check_rows(data):
    total, fps = data.info["total_frames"], data.info["fps"]
    index = data.columns["index"][:, 0]
    most = total + sum(episode["length"] for episode in data.uncounted)
    good = total <= len(index) <= most and np.array_equal(index, np.arange(len(index)))
    if not data.unless(good, f"rows are not numbered from 0 to {total - 1}"):
        return
    for number, episode in enumerate(data.episodes):
        rows = slice(episode["dataset_from_index"], episode["dataset_to_index"])
        count = np.arange(episode["length"])
        got = {key: data.columns[key][rows, 0] for key in DEFAULTS}
        data.unless((got["episode_index"] == number).all(), f"rows of episode {number} say that they are of another")
        data.unless(np.array_equal(got["frame_index"], count), f"frame_index of episode {number} does not count from 0")
        off = np.abs(got["timestamp"] - count / fps).max()
        data.unless(off < 1e-5, f"timestamps of episode {number} are off by {off:.2e} s")
        tasks = got["task_index"]
        if data.unless(((tasks >= 0) & (tasks < len(data.tasks))).all(), f"episode {number} has a task that is not listed"):
            named = [data.tasks[task] for task in dict.fromkeys(tasks.tolist())]
            listed = episode["tasks"]
            data.unless(set(named) == set(listed), f"episode {number}: its rows have tasks {named}, it lists {listed}")
    for key in data.features("float32", "float64"):
        data.unless(np.isfinite(data.columns[key]).all(), f"{key} has a value that is no finite number")


def thinned(frame):
    """Enough of a picture to know it by."""
    step = max(1, min(frame.shape[:2]) // 60)
    return frame[::step, ::step].copy()


def sampled(length):
    """The frames of an episode that LeRobot computes statistics of."""
    count = max(min(100, length), min(int(length**0.75), 10_000))
    return np.round(np.linspace(0, length - 1, count)).astype(int)


def downsampled(frame):
    """The pixels of a picture that LeRobot computes statistics of."""
    height, width = frame.shape[:2]
    if max(height, width) < 300:
        return frame
    step = int((width if width > height else height) / 150)
    return frame[::step, ::step]


class Histogram:
    """How often each level of each colour is there, in some pictures."""

    def __init__(self):
        self.counts = np.zeros((3, 256))

    def add(self, frame):
        for colour in range(3):
            self.counts[colour] += np.bincount(frame[..., colour].ravel(), minlength=256)


def check_video(data, camera):
    """Every frame of a camera: there, of its size, at its time."""
    spans = {}
    for number, episode in enumerate(data.episodes):
        part = {name: episode.get(f"videos/{camera}/{name}") for name in ("chunk_index", "file_index", "from_timestamp", "to_timestamp")}
        if not data.unless(None not in part.values(), f"episode {number} does not say where its video of {camera} is"):
            return
        path = data.info["video_path"].format(video_key=camera, chunk_index=part["chunk_index"], file_index=part["file_index"])
        spans.setdefault(path, []).append((number, part["from_timestamp"], part["to_timestamp"]))
    if av is None:
        data.not_checked("videos: PyAV is not installed")
    frames = [None] * len(data.episodes)
    for path, parts in spans.items():
        if not data.unless(os.path.isfile(data.path(path)), f"{path} is missing"):
            continue
        fps, begin = data.info["fps"], 0
        wanted = {}
        for number, start, end in sorted(parts, key=lambda part: part[1]):
            length = data.episodes[number]["length"]
            good = abs(start - begin / fps) < 1e-5 and abs(end - (begin + length) / fps) < 1e-5
            data.unless(good, f"{path}: episode {number} is said to be from {start} to {end} s, expected {begin / fps} to {(begin + length) / fps}")
            kept = set(sampled(length).tolist())
            frames[number] = []
            data.episodes[number].setdefault("histograms", {})[camera] = Histogram()
            for row in range(length):
                wanted[begin + row] = (number, row in kept)
            begin += length
        if av is not None:
            decode(data, camera, path, wanted, frames)
    data.frames[camera] = [frame for part in frames for frame in part or []]


def decode(data, camera, path, wanted, frames):
    """Decodes a file from its start to its end and hands the frames to their episodes."""
    fps, shape = data.info["fps"], tuple(data.info["features"][camera]["shape"])
    block = data.info["features"][camera].get("info") or {}
    with av.open(data.path(path)) as file:
        data.unless(len(file.streams.video) == 1 and not file.streams.audio, f"{path} has more than one stream")
        stream = file.streams.video[0]
        context = stream.codec_context
        timescale = stream.time_base.denominator
        data.unless(timescale % fps == 0, f"{path}: timescale {timescale} is no multiple of {fps}")
        rate = stream.average_rate
        data.unless(rate == fps, f"{path}: {rate} frames a second, expected {fps}")
        data.unless(context.pix_fmt == "yuv420p", f"{path}: pixel format {context.pix_fmt}, expected yuv420p")
        said = block.get("video.codec", context.codec.canonical_name)
        data.unless(said == context.codec.canonical_name, f"{path} is {context.codec.canonical_name}, info.json says {said}")
        count = 0
        for frame in file.decode(stream):
            at = frame.pts * frame.time_base
            data.unless(at == Fraction(count, fps), f"{path}: frame {count} is at {at} s, expected {count}/{fps}")
            picture = frame.to_ndarray(format="rgb24")
            if data.unless(picture.shape == shape, f"{path}: frame {count} is {picture.shape}, expected {shape}") and count in wanted:
                number, kept = wanted[count]
                frames[number].append(thinned(picture))
                if kept:
                    data.episodes[number]["histograms"][camera].add(downsampled(picture))
            count += 1
    data.unless(count == len(wanted), f"{path} has {count} frames, its episodes have {len(wanted)}")


def read_images(data, camera):
    """Pictures that are kept in the table."""
    if Image is None:
        data.not_checked(f"pictures of {camera}: Pillow is not installed")
        return
    shape = tuple(data.info["features"][camera]["shape"])
    data.frames[camera] = []
    for number, episode in enumerate(data.episodes):
        histogram = episode.setdefault("histograms", {})[camera] = Histogram()
        kept = set(sampled(episode["length"]).tolist())
        for row, index in enumerate(data.rows_of(episode)):
            with Image.open(io.BytesIO(data.columns[camera][index]["bytes"])) as image:
                picture = np.asarray(image.convert("RGB"))
            data.unless(picture.shape == shape, f"{camera}: frame {row} of episode {number} is {picture.shape}")
            data.frames[camera].append(thinned(picture))
            if row in kept:
                histogram.add(downsampled(picture))


def near(got, wanted, tolerance):
    return got.shape == wanted.shape and bool((np.abs(got - wanted) <= tolerance).all())


def check_numbers(told, rows, count):
    """What is wrong with the statistics of these rows, if anything."""
    rows = rows.astype(np.float64)
    low, high, mean = rows.min(axis=0), rows.max(axis=0), rows.mean(axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    if not near(told["min"], low, 1e-6 * size) or not near(told["max"], high, 1e-6 * size):
        return f"min {told['min']}, max {told['max']}; expected {low}, {high}"
    if not near(told["mean"], mean, 1e-5 * size + 1e-12):
        return f"mean {told['mean']}, expected {mean}"
    if not near(told["std"] ** 2, rows.var(axis=0), 1e-5 * (rows**2).mean(axis=0) + 1e-12):
        return f"std {told['std']}, expected {rows.std(axis=0)}"
    if told["count"].tolist() != [count]:
        return f"count {told['count']}, expected {count}"
    ordered, bin_width = np.sort(rows, axis=0), (high - low) / 5000
    for name, part in QUANTILES.items():
        place = part * (len(rows) - 1)
        least = ordered[max(0, int(np.floor(place)) - 1)] - bin_width - 1e-6 * size - 1e-9
        most = ordered[min(len(rows) - 1, int(np.ceil(place)) + 1)] + bin_width + 1e-6 * size + 1e-9
        if len(rows) == 1:
            least, most = mean - 1e-6 * size, mean + 1e-6 * size
        if told[name].shape != mean.shape or not ((told[name] >= least) & (told[name] <= most)).all():
            return f"{name} {told[name]}, expected between {least} and {most}"
    return None


def check_pixels(told, counts, picture_std):
    """What is wrong with the statistics of pictures with these levels, if anything."""
    levels = np.arange(256) / 255
    total = counts.sum(axis=1)
    for name, got in told.items():
        if name != "count" and got.shape != (3, 1, 1):
            return f"{name} has shape {got.shape}, expected (3, 1, 1)"
    if told["count"].shape != (1,) or told["count"][0] < 1:
        return f"count {told['count']}"
    flat = {name: got.ravel() for name, got in told.items()}
    mean = (counts * levels).sum(axis=1) / total
    std = np.sqrt(np.maximum(0, (counts * levels**2).sum(axis=1) / total - mean**2))
    there = [np.nonzero(row)[0] for row in counts]
    ends = {"min": np.array([row[0] for row in there]) / 255, "max": np.array([row[-1] for row in there]) / 255}
    wanted = [("mean", mean, 0.02), ("min", ends["min"], 0.6), ("max", ends["max"], 0.6)]
    for name, value, tolerance in [*wanted, ("std", std, 0.03)] if picture_std else wanted:
        if not near(flat[name], value, tolerance):
            return f"{name} {flat[name]}, expected {value}"
    for name, part in {"min": 0, **QUANTILES, "max": 1}.items():
        for colour in range(3):
            below = counts[colour][levels < flat[name][colour] - 0.06].sum() / total[colour]
            up_to = counts[colour][levels <= flat[name][colour] + 0.06].sum() / total[colour]
            if not below - 0.05 <= part <= up_to + 0.05:
                return f"{name} of colour {colour} is {flat[name][colour]}: {below:.1%} are darker, {1 - up_to:.1%} brighter"
    return None


def aggregated(parts):
    """LeRobot's statistics of several episodes, from theirs."""
    counts = np.stack([part["count"] for part in parts]).astype(np.float64)
    weights = counts.reshape(counts.shape[0], *[1] * parts[0]["mean"].ndim) / counts.sum()
    stacked = {name: np.stack([part[name] for part in parts]) for name in STATISTICS}
    mean = (stacked["mean"] * weights).sum(axis=0)
    variance = ((stacked["std"] ** 2 + (stacked["mean"] - mean) ** 2) * weights).sum(axis=0)
    wanted = {"min": stacked["min"].min(axis=0), "max": stacked["max"].max(axis=0), "mean": mean}
    wanted |= {"std": np.sqrt(variance), "count": stacked["count"].sum(axis=0)}
    outermost = {}
    for name, part in QUANTILES.items():
        wanted[name] = (stacked[name] * weights).sum(axis=0)
        outermost[name] = stacked[name].min(axis=0) if part <= 0.5 else stacked[name].max(axis=0)
    return wanted, outermost


def arrays(told):
    return {name: np.asarray(told[name], dtype=np.float64) for name in STATISTICS}


def check_statistics(data, picture_std):
    """Those of each episode by its values, those of the dataset by its episodes'.

    Those of the dataset may already have an episode in them that is not counted yet.
    """
    stats = json_file(data, "stats.json")
    if stats is None:
        return
    features = [key for key, feature in data.info["features"].items() if feature["dtype"] != "string"]
    for key in features:
        parts = []
        for number, episode in enumerate(data.episodes):
            told = {name: episode.get(f"stats/{key}/{name}") for name in STATISTICS}
            missing = [name for name in STATISTICS if told[name] is None]
            if not data.unless(not missing, f"episode {number} has no {', '.join(missing)} of {key}"):
                break
            parts.append(arrays(told))
            if key not in data.cameras:
                rows = data.columns[key][list(data.rows_of(episode))]
                wrong = check_numbers(parts[-1], rows, len(rows))
            elif key in episode.get("histograms", {}) and data.frames.get(key):
                wrong = check_pixels(parts[-1], episode["histograms"][key].counts, picture_std)
            else:
                wrong = None
            data.unless(wrong is None, f"statistics of {key} in episode {number}: {wrong}")
        if len(parts) < len(data.episodes):
            continue
        missing = [name for name in STATISTICS if name not in stats.get(key, {})]
        if not data.unless(not missing, f"stats.json has no {', '.join(missing)} of {key}"):
            continue
        told = arrays(stats[key])
        later = [arrays({name: episode[f"stats/{key}/{name}"] for name in STATISTICS}) for episode in data.uncounted]
        if later and (told["count"] != aggregated(parts)[0]["count"]).any():
            parts += later
        wanted, outermost = aggregated(parts)
        for name in STATISTICS:
            size = 1e-6 * np.maximum(np.abs(wanted["min"]), np.abs(wanted["max"])) + 1e-9
            size = size if name != "count" else 0
            good = near(told[name], wanted[name], size) or name in outermost and near(told[name], outermost[name], size)
            data.unless(good, f"stats.json: {name} of {key} is {told[name].tolist()}, its episodes' make {wanted[name].tolist()}")
    extra = set(stats) - set(features)
    data.unless(not extra, f"stats.json has statistics of what is no feature: {sorted(extra)}")
