//! Deleting episodes: the others get new numbers, in every table, and keep their files.

use std::collections::{BTreeMap, BTreeSet};

use super::transaction::{self, Change};
use crate::append::huggingface;
use crate::dataset::Dataset;
use crate::episodes::{self, Episode};
use crate::error::DatasetError;
use crate::layout::{self, FOREARM, INFO, STATS};
use crate::stats;
use crate::store::Store;
use crate::table::{self, Column, Form, Values};

impl Dataset {
    /// Deletes episodes; the others are counted anew. All of it happens or nothing, also on a crash
    /// ([`crate::ops::finish`]). [`Dataset::undo`] brings them back until the next change.
    ///
    /// # Errors
    /// [`DatasetError::NoEpisode`], [`DatasetError::OldVersion`], what reading and writing fail with.
    pub fn delete(&mut self, store: &mut dyn Store, episodes: &[u32]) -> Result<(), DatasetError> {
        self.writable()?;
        for episode in episodes {
            self.episode(*episode)?;
        }
        let gone: BTreeSet<u32> = episodes.iter().copied().collect();
        if gone.is_empty() {
            return Ok(());
        }
        let (kept, numbers) = self.renumbered(&gone);
        let mut change = Change::default();
        self.change_rows(store, &kept, &numbers, &mut change)?;
        self.change_tables(store, &kept, &mut change)?;
        self.change_videos(&kept, &mut change)?;
        for entry in store.list(FOREARM)? {
            match layout::episode_of(&entry.path) {
                Some(old) if gone.contains(&old) => change.remove.push(entry.path),
                Some(old) => {
                    if let Some(new) = numbers.get(&old).filter(|new| **new != old) {
                        let to = layout::for_episode(&entry.path, *new);
                        change.rename.push((entry.path, to));
                    }
                }
                None => {}
            }
        }
        let mut after = Self {
            info: self.info.clone(),
            tasks: self.tasks.clone(),
            episodes: kept,
            stats: self.stats.clone(),
        };
        after.info.total_episodes -= u32::try_from(gone.len()).unwrap_or(u32::MAX);
        after.info.total_frames = after.episodes.last().map_or(0, |last| last.to_row);
        after.info = after.info.settled()?;
        after.stats = after.stats_of(&after.episodes.iter().collect::<Vec<_>>());
        if after.episodes.is_empty() {
            after.stats.clear();
        }
        let stats = after.stats_text(&after.stats).into_bytes();
        change.write.push((STATS.to_owned(), stats));
        let info = after.info.text().into_bytes();
        change.write.push((INFO.to_owned(), info));
        transaction::apply(store, change)?;
        *self = after;
        Ok(())
    }

    /// Brings back what was deleted last; says whether there was something. Adding an episode, or
    /// [`crate::ops::forget`], throws it away.
    ///
    /// # Errors
    /// What reading and writing fail with.
    pub fn undo(&mut self, store: &mut dyn Store) -> Result<bool, DatasetError> {
        if !transaction::undo(store)? {
            return Ok(false);
        }
        *self = Self::open(store)?;
        Ok(true)
    }

    /// The episodes that stay, with their new numbers, and old number → new number.
    fn renumbered(&self, gone: &BTreeSet<u32>) -> (Vec<Episode>, BTreeMap<u32, u32>) {
        let mut kept: Vec<Episode> = Vec::new();
        let mut numbers = BTreeMap::new();
        for old in self
            .episodes
            .iter()
            .filter(|old| !gone.contains(&old.index))
        {
            let mut new = old.clone();
            new.index = u32::try_from(kept.len()).unwrap_or(u32::MAX);
            new.from_row = kept.last().map_or(0, |last| last.to_row);
            new.to_row = new.from_row + u64::from(new.length);
            numbers.insert(old.index, new.index);
            if new.index != old.index || new.from_row != old.from_row {
                for (key, stats) in &mut new.stats {
                    let values: Vec<f64> = match key.as_str() {
                        "episode_index" => vec![f64::from(new.index); new.length as usize],
                        "index" => (new.from_row..new.to_row).map(|row| row as f64).collect(),
                        _ => continue,
                    };
                    *stats = stats::of_rows_f64(&values, 1);
                }
            }
            kept.push(new);
        }
        (kept, numbers)
    }

    /// The files of rows: what is in none of the episodes that stay goes, what has other numbers is
    /// written again.
    fn change_rows(
        &self,
        store: &dyn Store,
        kept: &[Episode],
        numbers: &BTreeMap<u32, u32>,
        change: &mut Change,
    ) -> Result<(), DatasetError> {
        let mut used = BTreeSet::new();
        for group in groups(kept, |episode| episode.data) {
            let path = self.data_path(group[0])?;
            used.insert(path.clone());
            let before: Vec<&Episode> = self
                .episodes
                .iter()
                .filter(|episode| episode.data == group[0].data)
                .collect();
            let same = before.len() == group.len()
                && before
                    .iter()
                    .zip(&group)
                    .all(|(old, new)| old.index == new.index && old.from_row == new.from_row);
            if same {
                continue;
            }
            let mut columns: Vec<Column> = Vec::new();
            for old in &before {
                let Some(new) = numbers
                    .get(&old.index)
                    .and_then(|new| kept.get(*new as usize))
                else {
                    continue;
                };
                let mut rows = self.rows(store, old.index)?;
                for column in &mut rows.columns {
                    renumber(column, new);
                }
                append_columns(&path, &mut columns, rows.columns)?;
            }
            for column in &mut columns {
                if let Some(feature) = self.schema().feature(&column.name) {
                    column.form = crate::append::form_of(feature);
                }
            }
            let rows: Vec<usize> = group
                .iter()
                .map(|episode| episode.length as usize)
                .collect();
            let notes = [("huggingface", huggingface(self.schema()))];
            let bytes = table::write(&path, columns, &notes, &rows)?;
            change.write.push((path, bytes));
        }
        // Also what was never finished: a loader would read it.
        for entry in store.list("data")? {
            if entry.path.ends_with(".parquet") && !used.contains(&entry.path) {
                change.remove.push(entry.path);
            }
        }
        Ok(())
    }

    /// The tables of episodes.
    fn change_tables(
        &self,
        store: &dyn Store,
        kept: &[Episode],
        change: &mut Change,
    ) -> Result<(), DatasetError> {
        let mut used = BTreeSet::new();
        for group in groups(kept, |episode| episode.meta) {
            let path = episodes::path(group[0].meta)?;
            used.insert(path.clone());
            let before = self.episodes.iter().filter(|e| e.meta == group[0].meta);
            if !before.eq(group.iter().copied()) {
                change
                    .write
                    .push((path, episodes::write(self.schema(), &group)?));
            }
        }
        for (path, _) in episodes::files(store)? {
            if !used.contains(&path) {
                change.remove.push(path);
            }
        }
        Ok(())
    }

    /// Videos that no episode needs any more.
    fn change_videos(&self, kept: &[Episode], change: &mut Change) -> Result<(), DatasetError> {
        let mut used = BTreeSet::new();
        for episode in kept {
            for video in &episode.videos {
                used.insert((video.key.as_str(), video.file));
            }
        }
        for episode in &self.episodes {
            for video in &episode.videos {
                if used.insert((video.key.as_str(), video.file)) {
                    change.remove.push(self.video_path(episode, &video.key)?);
                }
            }
        }
        Ok(())
    }
}

/// The episodes of each file together; they stand next to each other.
fn groups<K: PartialEq>(episodes: &[Episode], key: impl Fn(&Episode) -> K) -> Vec<Vec<&Episode>> {
    episodes
        .chunk_by(|a, b| key(a) == key(b))
        .map(|group| group.iter().collect())
        .collect()
}

/// Gives a column the numbers of an episode.
pub(crate) fn renumber(column: &mut Column, episode: &Episode) {
    if let Values::I64(values) = &mut column.values {
        match column.name.as_str() {
            "episode_index" => values.fill(i64::from(episode.index)),
            "index" => {
                let first = i64::try_from(episode.from_row).unwrap_or(i64::MAX);
                for (value, row) in values.iter_mut().zip(first..) {
                    *value = row;
                }
            }
            _ => {}
        }
    }
}

/// Puts the rows of another episode below.
pub(crate) fn append_columns(
    path: &str,
    columns: &mut Vec<Column>,
    more: Vec<Column>,
) -> Result<(), DatasetError> {
    if columns.is_empty() {
        *columns = more;
        return Ok(());
    }
    let different = || DatasetError::format(path, "its parts have different columns");
    if columns.len() != more.len() {
        return Err(different());
    }
    for (column, more) in columns.iter_mut().zip(more) {
        match (&mut column.values, more.values) {
            (Values::F32(values), Values::F32(more)) => values.extend(more),
            (Values::F64(values), Values::F64(more)) => values.extend(more),
            (Values::I64(values), Values::I64(more)) => values.extend(more),
            (Values::Bool(values), Values::Bool(more)) => values.extend(more),
            (Values::Text(values), Values::Text(more)) => values.extend(more),
            (Values::Bytes(values), Values::Bytes(more)) => values.extend(more),
            _ => return Err(different()),
        }
        if let (Form::Lists(lengths), Form::Lists(more)) = (&mut column.form, more.form) {
            lengths.extend(more);
        }
    }
    Ok(())
}
