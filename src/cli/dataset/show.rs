//! What a dataset has, as text and as JSON.

use forearm_dataset::store::Store;
use forearm_dataset::{Dataset, sidecar};
use serde_json::{Value, json};

use super::Opened;

pub(super) fn info(opened: &Opened) -> String {
    let Opened {
        dataset,
        name,
        store,
    } = opened;
    let info = dataset.info();
    let schema = dataset.schema();
    let secs = info.total_frames as f64 / f64::from(schema.fps.max(1));
    let mut lines = vec![
        format!("{name}: a LeRobot dataset, {}", info.version.name()),
        format!(
            "{} episodes, {} rows at {} a second ({secs:.1} s), {:.1} MB",
            dataset.episodes().len(),
            info.total_frames,
            schema.fps,
            size(store) as f64 / 1e6
        ),
        format!("robot: {}", schema.robot_type),
    ];
    for feature in &schema.features {
        let what = match feature.picture_size() {
            Some((width, height)) => format!("{width}×{height} {}", feature.data_type.name()),
            None => {
                let names = feature.value_names().join(" ");
                format!(
                    "{} of {} {names}",
                    feature.width(),
                    feature.data_type.name()
                )
            }
        };
        lines.push(format!("  {}: {}", feature.key, what.trim_end()));
    }
    lines.push("tasks:".to_owned());
    lines.extend(dataset.tasks().iter().map(|task| format!("  {task}")));
    lines.push("episodes:".to_owned());
    for episode in dataset.episodes() {
        let mut line = format!(
            "  {}: {} rows, {}",
            episode.index,
            episode.length,
            episode.tasks.join("; ")
        );
        if let Ok(Some(facts)) = sidecar::facts(store, episode.index) {
            let quality = &facts.quality;
            line.push_str(&format!(
                " ({:.1} ticks/s, jitter p99 {:.2} ms, {} lost",
                quality.tick_hz,
                quality.tick_jitter_p99_secs * 1e3,
                quality.ticks_lost
            ));
            for camera in &quality.cameras {
                line.push_str(&format!(
                    "; {} {:.1}/s, {} repeated, {} dropped, {} stale",
                    camera.name, camera.rate_hz, camera.repeated, camera.dropped, camera.stale
                ));
            }
            line.push(')');
        }
        lines.push(line);
    }
    lines.join("\n")
}

pub(super) fn info_json(opened: &Opened) -> Value {
    let Opened {
        dataset,
        name,
        store,
    } = opened;
    let info = dataset.info();
    let schema = dataset.schema();
    let episodes: Vec<_> = dataset
        .episodes()
        .iter()
        .map(|episode| {
            json!({
                "index": episode.index, "rows": episode.length, "tasks": episode.tasks,
                "quality": sidecar::facts(store, episode.index).ok().flatten().map(|it| it.quality),
            })
        })
        .collect();
    let features: Vec<_> = schema
        .features
        .iter()
        .map(|it| json!({ "key": it.key, "dtype": it.data_type.name(), "names": it.value_names() }))
        .collect();
    json!({
        "name": name, "version": info.version.name(), "robot_type": schema.robot_type,
        "fps": schema.fps, "rows": info.total_frames, "bytes": size(store),
        "tasks": dataset.tasks(), "features": features, "episodes": episodes,
    })
}

pub(super) fn stats(opened: &Opened) -> String {
    let mut lines = Vec::new();
    for (key, stats) in opened.dataset.stats() {
        lines.push(format!("{key} ({} looked at)", stats.count));
        let names = names(&opened.dataset, key, stats.mean.len());
        for (index, name) in names.iter().enumerate() {
            let values = stats.named().into_iter();
            let values = values.filter_map(|(what, it)| Some((what, it.get(index)?)));
            let values: Vec<_> = values
                .map(|(what, value)| format!("{what} {value:.4}"))
                .collect();
            lines.push(format!("  {name}: {}", values.join("  ")));
        }
    }
    if lines.is_empty() {
        return format!("{} has no statistics", opened.name);
    }
    lines.join("\n")
}

pub(super) fn stats_json(opened: &Opened) -> Value {
    let features = opened.dataset.stats().iter().map(|(key, stats)| {
        let mut values: serde_json::Map<_, _> = stats
            .named()
            .into_iter()
            .map(|(what, it)| (what.to_owned(), json!(it)))
            .collect();
        values.insert("count".to_owned(), json!(stats.count));
        (key.clone(), Value::Object(values))
    });
    Value::Object(features.collect())
}

/// What to call a feature's numbers.
fn names(dataset: &Dataset, key: &str, width: usize) -> Vec<String> {
    let feature = dataset.schema().feature(key);
    if feature.is_some_and(|it| it.data_type.is_picture()) && width == 3 {
        return ["red", "green", "blue"].map(str::to_owned).to_vec();
    }
    let known = feature.map_or_else(Vec::new, |it| it.value_names());
    (0..width)
        .map(|index| {
            known
                .get(index)
                .map_or_else(|| index.to_string(), |it| (*it).to_owned())
        })
        .collect()
}

/// Size of all files, bytes.
fn size(store: &dyn Store) -> u64 {
    let files = store.list("").unwrap_or_default();
    files.iter().map(|file| file.bytes).sum()
}
