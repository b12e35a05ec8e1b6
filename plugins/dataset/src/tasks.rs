//! `meta/tasks.parquet`: what robots were told to do. Rows refer to a task by its position.
//!
//! The texts are the index of a pandas table. Without the note that says so in the footer LeRobot
//! takes the numbers for the texts.

use crate::error::DatasetError;
use crate::json::Json;
use crate::layout::TASKS;
use crate::store::Store;
use crate::table::{self, Column, File, Form, Values};

/// The note in the footer, as LeRobot 0.5.1 and later write it.
const PANDAS: &str = r#"{"index_columns": ["task"], "column_indexes": [], "columns": [{"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64", "metadata": null}, {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": null}], "creator": {"library": "pyarrow", "version": "21.0.0"}, "pandas_version": "2.2.3"}"#;

/// What the file has, and what it should not have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tasks {
    /// The texts in the order of the file.
    pub(crate) texts: Vec<String>,
    /// What LeRobot would stumble over.
    pub(crate) problems: Vec<String>,
}

/// Reads the file.
pub(crate) fn read(store: &dyn Store) -> Result<Tasks, DatasetError> {
    let file = File::open(store, TASKS)?;
    let mut problems = Vec::new();
    let names = file.names();
    let index = file
        .note("pandas")
        .and_then(|note| Json::parse(note.as_bytes()).ok())
        .and_then(|note| {
            let index = note.get("index_columns")?.values().first()?;
            index.text().map(str::to_owned)
        });
    let index = match index {
        Some(index) if names.contains(&index) => Some(index),
        _ => {
            problems.push(
                "no note of pandas which column is the index: LeRobot reads numbers instead of texts"
                    .to_owned(),
            );
            ["task", "__index_level_0__"]
                .into_iter()
                .find(|name| names.iter().any(|known| known == name))
                .map(str::to_owned)
        }
    };
    let index = index.ok_or_else(|| {
        DatasetError::format(TASKS, "no column with the tasks; expected \"task\"")
    })?;
    let table = file.read_all(store, &|name| name == index || name == "task_index")?;
    let texts = match table.column(&index) {
        Some(Column {
            values: Values::Text(texts),
            form: Form::One,
            ..
        }) => texts.clone(),
        _ => {
            return Err(DatasetError::format(
                TASKS,
                format!("column {index:?} is no text"),
            ));
        }
    };
    let numbers = table.ints(TASKS, "task_index")?;
    if numbers.iter().enumerate().any(|(i, n)| *n != i as i64) {
        problems.push(format!(
            "task_index is {numbers:?}; expected 0, 1, 2, …: LeRobot counts rows"
        ));
    }
    Ok(Tasks { texts, problems })
}

/// The file's bytes.
pub(crate) fn write(texts: &[String]) -> Result<Vec<u8>, DatasetError> {
    table::write(
        TASKS,
        vec![
            Column::ints("task_index", (0..).take(texts.len())),
            Column::one("task", Values::Text(texts.to_vec())),
        ],
        &[("pandas", PANDAS.to_owned())],
        &[texts.len()],
    )
}
