//! A sound dataset from whatever is left of one.
//!
//! An episode stays when its rows and all its videos are whole. Its entry in the tables is used or made
//! anew; the others get new numbers where one is gone. All of it happens at once or not at all. Nothing
//! is destroyed: files that can't be read are moved below `.forearm/broken`.

use std::collections::BTreeMap;

use super::found::{self, Broken, Run, Videos};
use super::{RepairError, describe, leftover, save, unknown_pixels};
use crate::append::{form_of, huggingface};
use crate::dataset::{Dataset, stats_from_json};
use crate::episodes::{self, Episode, EpisodeVideo};
use crate::error::DatasetError;
use crate::info::{Info, Version};
use crate::layout::{self, EPISODES, FOREARM, FileIndex, INFO, STATS, TASKS};
use crate::ops::{self, Change};
use crate::store::{Store, StoreError};
use crate::table::{self, Column};
use crate::tasks;

/// The folder of files that could not be read.
pub const BROKEN: &str = ".forearm/broken";

/// What was repaired.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What was done, one line each; empty when nothing had to be.
    pub done: Vec<String>,
    /// How many episodes the dataset has now.
    pub episodes: u32,
}

/// Repairs a dataset: finishes or forgets what a crash cut off, sorts out files that can't be read,
/// makes `info.json`, the tables and statistics fit what is there, and turns journals into episodes.
///
/// # Errors
/// [`DatasetError::NoDataset`] when nothing is there, [`DatasetError::OldVersion`], and what reading and
/// writing fails with.
pub fn repair(store: &mut dyn Store) -> Result<Report, RepairError> {
    let mut report = Report::default();
    if ops::finish(store)? {
        report
            .done
            .push("finished a change that was cut off".to_owned());
    }
    let info = info(store, &mut report)?;
    if info.version != Version::V30 {
        return Err(DatasetError::OldVersion {
            got: info.version.name().to_owned(),
        }
        .into());
    }
    // First what was recorded: an episode that was not saved to its end is then written over, with all
    // that its journal knows.
    if let Ok(mut dataset) = Dataset::open(store) {
        journals(store, &mut dataset, &mut report)?;
    }
    let info = self::info(store, &mut report)?;
    tables(store, info, &mut report)?;
    let mut dataset = Dataset::open(store)?;
    journals(store, &mut dataset, &mut report)?;
    report.episodes = dataset.info().total_episodes;
    Ok(report)
}

/// Turns journals into episodes.
fn journals(
    store: &mut dyn Store,
    dataset: &mut Dataset,
    report: &mut Report,
) -> Result<(), RepairError> {
    for journal in leftover(store, dataset)? {
        match save(store, dataset, &journal.path) {
            Ok(saved) => report.done.push(match journal.saved {
                Some(episode) => {
                    format!("{}: is episode {episode} already; removed", journal.path)
                }
                None => format!(
                    "{}: {} rows became episode {}",
                    journal.path, saved.rows, saved.episode
                ),
            }),
            Err(RepairError::Store(error)) => return Err(error.into()),
            Err(RepairError::Dataset(DatasetError::Store(error))) => return Err(error.into()),
            Err(error) => set_aside(store, &(journal.path, error.to_string()), report)?,
        }
    }
    Ok(())
}

/// Moves a file that can't be used out of the way.
fn set_aside(
    store: &mut dyn Store,
    (path, why): &Broken,
    report: &mut Report,
) -> Result<(), StoreError> {
    let to = format!("{BROKEN}/{}", path.trim_start_matches(".forearm/"));
    store.rename(path, &to)?;
    let why = why.strip_prefix(&format!("{path}: ")).unwrap_or(why);
    report.done.push(format!("{path}: moved to {to}: {why}"));
    Ok(())
}

/// `info.json`, or what it must have been.
fn info(store: &mut dyn Store, report: &mut Report) -> Result<Info, RepairError> {
    let why = match store.read(INFO) {
        Ok(bytes) => match Info::parse(&bytes) {
            Ok(info) => return Ok(info),
            Err(error @ DatasetError::Version { .. }) => return Err(error.into()),
            Err(error) => Some(error.to_string()),
        },
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let schema = describe::schema(store)?;
    schema.check()?;
    if let Some(why) = why {
        set_aside(store, &(INFO.to_owned(), why), report)?;
    }
    report
        .done
        .push(format!("{INFO}: made anew from what is there"));
    Ok(Info::new(schema))
}

/// Makes rows, tables, statistics and `info.json` fit each other.
fn tables(store: &mut dyn Store, info: Info, report: &mut Report) -> Result<(), RepairError> {
    let (entries, listed, broken_tables) = found::entries(store, &info.schema)?;
    let (runs, broken_rows) = found::runs(store, &info.schema)?;
    for broken in broken_tables.iter().chain(&broken_rows) {
        set_aside(store, broken, report)?;
    }
    let old_tasks = tasks::read(store).map(|tasks| tasks.texts);
    let tasks = task_texts(old_tasks.as_deref().unwrap_or_default(), &runs, &entries);
    let agree = found::files_agree(store, &info.schema, &runs, &entries)?;
    let mut videos = Videos::default();
    let mut kept: Vec<Kept> = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        let mut episode = episode_of(run, &entries, &tasks);
        let known = episode.1;
        let episode = &mut episode.0;
        if !known && agree {
            for feature in info.schema.videos() {
                episode.videos.push(EpisodeVideo {
                    key: feature.key.clone(),
                    file: run.file,
                    from_secs: 0.0,
                    to_secs: f64::from(run.rows) / f64::from(info.schema.fps),
                });
                episode.stats.push((feature.key.clone(), unknown_pixels()));
            }
        }
        let lacks = info.schema.videos().find(|feature| {
            episode.video(&feature.key).is_none_or(|video| {
                let whole = videos.has(store, &info, video, run.rows);
                let frames = videos.frames(&info, &feature.key, video.file);
                !whole || (!known && frames != Some(run.rows as usize))
            })
        });
        let twice = kept.iter().any(|kept| kept.run.episode == run.episode);
        if let Some(feature) = lacks {
            report.done.push(format!(
                "episode {}: left out, its video of {:?} is missing or not whole",
                run.episode, feature.key
            ));
        } else if twice {
            report.done.push(format!(
                "episode {}: rows that are there twice left out",
                run.episode
            ));
        } else {
            kept.push(Kept {
                place,
                run,
                known,
                episode: episode.clone(),
            });
        }
    }
    let lost = (entries.len()).saturating_sub(kept.len());
    let tables_fit = listed == kept.len() && broken_tables.is_empty();
    let change = Repaired {
        info: &info,
        tasks: &tasks,
        runs: &runs,
        kept: &kept,
    }
    .change(store, tables_fit, old_tasks.as_deref().ok(), report)?;
    if let Some(change) = change {
        if lost > 0 {
            report.done.push(format!(
                "{lost} episodes are lost; the others are counted anew"
            ));
        }
        ops::apply(store, change)?;
    }
    Ok(())
}

/// An episode that stays.
struct Kept<'a> {
    /// Its place among all rows.
    place: usize,
    run: &'a Run,
    /// Whether its entry was there.
    known: bool,
    episode: Episode,
}

/// The episode of some rows: as its entry says, if that fits.
fn episode_of(run: &Run, entries: &BTreeMap<u32, Episode>, tasks: &[String]) -> (Episode, bool) {
    let entry = u32::try_from(run.episode)
        .ok()
        .and_then(|number| entries.get(&number))
        .filter(|entry| entry.data == run.file && entry.length == run.rows);
    if let Some(entry) = entry {
        return (entry.clone(), true);
    }
    let named = run.tasks.iter().filter_map(|task| {
        let task = usize::try_from(*task).ok()?;
        tasks.get(task).cloned()
    });
    let episode = Episode {
        length: run.rows,
        data: run.file,
        tasks: named.collect(),
        stats: run.stats.clone(),
        ..Episode::default()
    };
    (episode, false)
}

/// The tasks' texts: those of the file, else those of the entries, else made up.
fn task_texts(old: &[String], runs: &[Run], entries: &BTreeMap<u32, Episode>) -> Vec<String> {
    /// More tasks than any dataset has: a number beyond is damage.
    const MOST: i64 = 1_000_000;
    let greatest = runs.iter().flat_map(|run| run.tasks.last()).copied();
    let greatest = greatest.filter(|task| *task < MOST).max().unwrap_or(-1);
    let mut texts = old.to_vec();
    for task in (0..=greatest).skip(old.len()) {
        // An episode with one task has the text of it.
        let named = runs.iter().find_map(|run| {
            let entry = entries.get(&u32::try_from(run.episode).ok()?)?;
            match (&run.tasks[..], &entry.tasks[..]) {
                ([one], [text]) if *one == task => Some(text.clone()),
                _ => None,
            }
        });
        texts.push(named.unwrap_or_else(|| format!("Task {task} (its text is lost).")));
    }
    texts
}

/// The episodes that stay, and where they are now.
struct Repaired<'a> {
    info: &'a Info,
    tasks: &'a [String],
    /// All rows, in the order of the files.
    runs: &'a [Run],
    kept: &'a [Kept<'a>],
}

impl Repaired<'_> {
    /// What has to be written; `None` when all fits.
    fn change(
        &self,
        store: &dyn Store,
        mut tables_fit: bool,
        old_tasks: Option<&[String]>,
        report: &mut Report,
    ) -> Result<Option<Change>, RepairError> {
        let mut change = Change::default();
        let mut after: Vec<Episode> = Vec::new();
        for kept in self.kept {
            let from_row = after.last().map_or(0, |last| last.to_row);
            let index = u32::try_from(after.len()).unwrap_or(u32::MAX);
            let mut episode = kept.episode.clone();
            tables_fit &= kept.known && episode.index == index && episode.from_row == from_row;
            episode.index = index;
            episode.from_row = from_row;
            episode.to_row = from_row + u64::from(episode.length);
            after.push(episode);
        }
        self.rows(store, &after, &mut change)?;
        if !tables_fit {
            let mut meta = FileIndex::default();
            for episode in &mut after {
                renumber_stats(episode);
                episode.meta = meta;
                meta = meta.next(self.info.chunks_size);
                let table = episodes::write(&self.info.schema, &[&*episode])?;
                change.write.push((episodes::path(episode.meta)?, table));
            }
            for entry in store.list(EPISODES)? {
                if !change.write.iter().any(|(path, _)| *path == entry.path) {
                    change.remove.push(entry.path);
                }
            }
            self.sidecars(store, &mut change)?;
            report.done.push(format!("{EPISODES}: made anew"));
        }
        if old_tasks != Some(self.tasks) && !self.tasks.is_empty() {
            change
                .write
                .push((TASKS.to_owned(), tasks::write(self.tasks)?));
            report.done.push(format!("{TASKS}: made anew"));
        }
        let old_stats = store.read(STATS).ok();
        let old_stats = old_stats.and_then(|bytes| stats_from_json(&bytes, STATS).ok());
        let mut dataset = Dataset {
            info: self.info.clone(),
            tasks: self.tasks.to_vec(),
            episodes: after,
            stats: old_stats.clone().unwrap_or_default(),
        };
        dataset.info.total_episodes = u32::try_from(dataset.episodes.len()).unwrap_or(u32::MAX);
        dataset.info.total_frames = dataset.episodes.last().map_or(0, |last| last.to_row);
        dataset.info.total_tasks = u32::try_from(dataset.tasks.len()).unwrap_or(u32::MAX);
        let counted = dataset.info.total_episodes != self.info.total_episodes
            || dataset.info.total_frames != self.info.total_frames
            || dataset.info.total_tasks != self.info.total_tasks;
        let has_stats = old_stats.is_some_and(|stats| !stats.is_empty());
        if !change.write.is_empty() || counted || has_stats == dataset.episodes.is_empty() {
            let stats = dataset.stats_of(&dataset.episodes.iter().collect::<Vec<_>>());
            let text = dataset.stats_text(&stats).into_bytes();
            change.write.push((STATS.to_owned(), text));
            report.done.push(format!("{STATS}: made anew"));
        }
        if counted || store.size(INFO)?.is_none() {
            if counted {
                report.done.push(format!(
                    "{INFO}: {} episodes where it had {}",
                    dataset.info.total_episodes, self.info.total_episodes
                ));
            }
            let text = dataset.info.settled()?.text().into_bytes();
            change.write.push((INFO.to_owned(), text));
        }
        let nothing = change.write.is_empty() && change.remove.is_empty();
        Ok((!nothing).then_some(change))
    }

    /// Files of rows with other numbers than their episodes have now, or with rows of none.
    fn rows(
        &self,
        store: &dyn Store,
        after: &[Episode],
        change: &mut Change,
    ) -> Result<(), DatasetError> {
        let mut place = 0;
        for group in self.runs.chunk_by(|one, other| one.path == other.path) {
            let path = &group[0].path;
            let places = place..place + group.len();
            place = places.end;
            let kept: Vec<(&Kept<'_>, &Episode)> = self
                .kept
                .iter()
                .zip(after)
                .filter(|(kept, _)| places.contains(&kept.place))
                .collect();
            let same = kept.len() == group.len()
                && kept.iter().all(|(kept, episode)| {
                    kept.run.episode == i64::from(episode.index)
                        && u64::try_from(kept.run.index) == Ok(episode.from_row)
                });
            if same {
                continue;
            }
            if kept.is_empty() {
                change.remove.push(path.clone());
                continue;
            }
            let mut columns: Vec<Column> = Vec::new();
            for (kept, episode) in &kept {
                let mut rows = kept.run.read(store)?;
                for column in &mut rows {
                    ops::renumber(column, episode);
                }
                ops::append_columns(path, &mut columns, rows)?;
            }
            for column in &mut columns {
                if let Some(feature) = self.info.schema.feature(&column.name) {
                    column.form = form_of(feature);
                }
            }
            let lengths: Vec<usize> = kept
                .iter()
                .map(|(_, episode)| episode.length as usize)
                .collect();
            let notes = [("huggingface", huggingface(&self.info.schema))];
            let bytes = table::write(path, columns, &notes, &lengths)?;
            change.write.push((path.clone(), bytes));
        }
        Ok(())
    }

    /// What stands beside episodes goes with them.
    fn sidecars(&self, store: &dyn Store, change: &mut Change) -> Result<(), DatasetError> {
        for entry in store.list(FOREARM)? {
            let Some(old) = layout::episode_of(&entry.path) else {
                continue;
            };
            let new = self
                .kept
                .iter()
                .position(|kept| kept.run.episode == i64::from(old));
            match new.and_then(|new| u32::try_from(new).ok()) {
                Some(new) if new == old => {}
                Some(new) => {
                    let to = layout::for_episode(&entry.path, new);
                    change.rename.push((entry.path, to));
                }
                None => change.remove.push(entry.path),
            }
        }
        Ok(())
    }
}

/// The statistics that depend on where an episode is.
fn renumber_stats(episode: &mut Episode) {
    let (index, rows) = (episode.index, episode.from_row..episode.to_row);
    for (key, stats) in &mut episode.stats {
        let values: Vec<f64> = match key.as_str() {
            "episode_index" => rows.clone().map(|_| f64::from(index)).collect(),
            "index" => rows.clone().map(|row| row as f64).collect(),
            _ => continue,
        };
        *stats = crate::stats::of_rows_f64(&values, 1);
    }
}
