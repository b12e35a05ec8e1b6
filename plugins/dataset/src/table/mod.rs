//! Parquet files as plain columns: numbers and texts row after row, lists flattened.
//!
//! [`read`](File) takes what any writer of LeRobot datasets wrote: lists of fixed or free length, `f32`
//! or `f64`, nested lists, structs (a picture's `bytes` and `path` become two columns). [`write()`]
//! writes what LeRobot writes: snappy, dictionaries, a row group an episode.

mod guard;
mod pages;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::File;
pub(crate) use write::write;

use crate::error::DatasetError;

/// Some rows of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Table {
    /// How many rows.
    pub(crate) rows: usize,
    /// Its columns, in the order of the file.
    pub(crate) columns: Vec<Column>,
}

/// A column of a table. A field of a struct has the name `struct/field`.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its values, row after row.
    pub values: Values,
    /// How many of them make a row.
    pub form: Form,
}

/// Values of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// `float32`; nothing there is NaN.
    F32(Vec<f32>),
    /// `float64`; nothing there is NaN.
    F64(Vec<f64>),
    /// Integers of any length.
    I64(Vec<i64>),
    /// `bool`.
    Bool(Vec<bool>),
    /// Texts; nothing there is empty.
    Text(Vec<String>),
    /// Bytes; nothing there is empty.
    Bytes(Vec<Vec<u8>>),
}

/// How many values make a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// One.
    One,
    /// So many in each row.
    Fixed(usize),
    /// As many as the row's number here says.
    Lists(Vec<u32>),
    /// The product of these, as lists in lists.
    Nested(Vec<usize>),
}

impl Values {
    /// How many values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What kind they are, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::F32(_) => "float32",
            Self::F64(_) => "float64",
            Self::I64(_) => "integers",
            Self::Bool(_) => "bool",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }

    /// As `f64`, where they are numbers.
    pub(crate) fn to_f64(&self) -> Option<Vec<f64>> {
        match self {
            Self::F32(values) => Some(values.iter().map(|v| f64::from(*v)).collect()),
            Self::F64(values) => Some(values.clone()),
            Self::I64(values) => Some(values.iter().map(|v| *v as f64).collect()),
            Self::Bool(values) => Some(values.iter().map(|v| f64::from(u8::from(*v))).collect()),
            Self::Text(_) | Self::Bytes(_) => None,
        }
    }
}

impl Column {
    /// A column with one value a row.
    pub(crate) fn one(name: impl Into<String>, values: Values) -> Self {
        Self {
            name: name.into(),
            values,
            form: Form::One,
        }
    }

    /// A column with one whole number a row.
    pub(crate) fn ints(name: impl Into<String>, values: impl Iterator<Item = i64>) -> Self {
        Self::one(name, Values::I64(values.collect()))
    }

    /// The range of `values` that is row `row`.
    pub(crate) fn row_ranges(&self, rows: usize) -> Vec<std::ops::Range<usize>> {
        let mut at = 0;
        (0..rows)
            .map(|row| {
                let start = at;
                at += match &self.form {
                    Form::One => 1,
                    Form::Fixed(width) => *width,
                    Form::Lists(lengths) => lengths[row] as usize,
                    Form::Nested(sides) => sides.iter().product(),
                };
                start..at
            })
            .collect()
    }

    /// Whether each row has `width` values.
    pub(crate) fn has_width(&self, width: usize) -> bool {
        match &self.form {
            Form::One => width == 1,
            Form::Fixed(found) => *found == width,
            Form::Lists(lengths) => lengths.iter().all(|length| *length as usize == width),
            Form::Nested(sides) => sides.iter().product::<usize>() == width,
        }
    }
}

impl Table {
    /// A column by its name.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The whole numbers of a column.
    ///
    /// # Errors
    /// [`DatasetError::Format`] of `path` when it is not there or something else.
    pub(crate) fn ints(&self, path: &str, name: &str) -> Result<&[i64], DatasetError> {
        match self.column(name) {
            Some(Column {
                values: Values::I64(values),
                form: Form::One,
                ..
            }) => Ok(values),
            other => Err(DatasetError::format(
                path,
                format!(
                    "column {name:?} is {}; expected whole numbers",
                    other.map_or("missing", |column| column.values.kind())
                ),
            )),
        }
    }
}
