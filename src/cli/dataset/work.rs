//! What changes datasets: merge, split, delete, repair; and the check that says whether it has to be.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use forearm_dataset::check::{self, Severity};
use forearm_dataset::{Dataset, ops, repair};
use forearm_record::store::{Access, Directory};
use serde_json::json;

use super::{open, say};
use crate::cli::{Failure, OrFail, print_json};

/// Says what is wrong with a dataset; errors are a failure.
pub(super) fn check(root: &Path, as_json: bool) -> Result<(), Failure> {
    let store = Directory::open(root, Access::Read).or_bad_input()?;
    let report = check::check(&store);
    let errors = report.findings.iter();
    let errors = errors.filter(|it| it.severity == Severity::Error).count();
    let name = root.display();
    if as_json {
        print_json(&json!({
            "errors": errors,
            "findings": report.findings.iter().map(|it| json!({
                "path": it.path, "what": it.what, "error": it.severity == Severity::Error,
            })).collect::<Vec<_>>(),
        }))?;
    } else {
        for finding in &report.findings {
            say(&finding.to_string())?;
        }
        if report.findings.is_empty() {
            say(&format!("{name} is sound: LeRobot loads all of it"))?;
        }
    }
    match errors {
        0 => Ok(()),
        1 => Err(anyhow!("{name} has one error")).or_failed(),
        _ => Err(anyhow!("{name} has {errors} errors")).or_failed(),
    }
}

/// Makes one dataset of several.
pub(super) fn merge(roots: &[PathBuf], out: &Path) -> Result<(), Failure> {
    let sources: Vec<_> = roots
        .iter()
        .map(|root| open(root))
        .collect::<Result<_, _>>()
        .or_bad_input()?;
    let parts: Vec<_> = sources
        .iter()
        .map(|it| (&it.dataset, &it.store as &dyn forearm_dataset::store::Store))
        .collect();
    let mut to = new_folder(out)?;
    let merged = ops::merge(&parts, &mut to)
        .with_context(|| format!("{} was not made", out.display()))
        .or_failed()?;
    say(&format!("{}: {}", out.display(), size(&merged)))
}

/// Makes several datasets of one.
pub(super) fn split(root: &Path, fractions: &[f64], out: &Path) -> Result<(), Failure> {
    let source = open(root).or_bad_input()?;
    let total = source.dataset.info().total_episodes;
    let parts = ops::fractions(total, fractions).or_bad_input()?;
    for (number, episodes) in parts.iter().enumerate() {
        let mut name = out.as_os_str().to_owned();
        name.push(format!("_{number}"));
        let folder = PathBuf::from(name);
        let mut to = new_folder(&folder)?;
        let part = ops::split(&source.dataset, &source.store, episodes, &mut to)
            .with_context(|| format!("{} was not made", folder.display()))
            .or_failed()?;
        say(&format!("{}: {}", folder.display(), size(&part)))?;
    }
    Ok(())
}

/// Deletes episodes, or brings back those that were deleted last.
pub(super) fn delete(root: &Path, episodes: &[u32], undo: bool) -> Result<(), Failure> {
    // A folder that is no dataset is not made one.
    open(root).or_bad_input()?;
    let mut store = Directory::open(root, Access::Write).or_bad_input()?;
    let mut dataset = Dataset::open(&store).or_bad_input()?;
    if undo {
        return if dataset.undo(&mut store).or_failed()? {
            say(&format!(
                "brought back; {} has {}",
                root.display(),
                size(&dataset)
            ))
        } else {
            Err(anyhow!(
                "nothing was deleted last, or something was recorded since"
            ))
            .or_bad_input()
        };
    }
    dataset.delete(&mut store, episodes).or_bad_input()?;
    say(&format!(
        "deleted, the others are counted anew; {} has {}. To bring them back: \
         forearm dataset delete-episodes {} --undo",
        root.display(),
        size(&dataset),
        root.display()
    ))
}

/// Mends what a crash left behind.
pub(super) fn mend(root: &Path, as_json: bool) -> Result<(), Failure> {
    Directory::open(root, Access::Read).or_bad_input()?;
    let mut store = Directory::open(root, Access::Write).or_bad_input()?;
    let report = repair::repair(&mut store)
        .with_context(|| format!("{} can't be mended", root.display()))
        .or_failed()?;
    if as_json {
        return print_json(&json!({ "done": report.done, "episodes": report.episodes }));
    }
    for line in &report.done {
        say(line)?;
    }
    if report.done.is_empty() {
        say(&format!("{}: nothing had to be done", root.display()))?;
    }
    Ok(())
}

/// A folder that has nothing in it yet.
fn new_folder(folder: &Path) -> Result<Directory, Failure> {
    let is_free = match folder.read_dir() {
        Ok(mut files) => files.next().is_none(),
        Err(_) => !folder.exists(),
    };
    if !is_free {
        let name = folder.display();
        return Err(anyhow!("{name} is there already; name a new folder")).or_bad_input();
    }
    Directory::open(folder, Access::Write).or_bad_input()
}

fn size(dataset: &Dataset) -> String {
    let info = dataset.info();
    format!(
        "{} episodes, {} rows",
        info.total_episodes, info.total_frames
    )
}
