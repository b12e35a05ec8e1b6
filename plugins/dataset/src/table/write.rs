//! Writes columns as a Parquet file, as LeRobot's (pyarrow's) are: snappy, dictionaries, lists of fixed
//! length where every row has as many values, elements named `element`, everything nullable.

use std::collections::HashMap;
use std::iter::repeat_n;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeListArray, Float32Array, Float64Array,
    Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::{Column, Form, Values};
use crate::error::DatasetError;

/// The columns as a file, `notes` in its footer, a row group for each number of rows in `groups`.
///
/// Two neighbouring columns `x/bytes` and `x/path` become a struct `x`, as pictures are.
///
/// # Errors
/// [`DatasetError::Format`] of `path` when columns have different numbers of rows.
pub(crate) fn write(
    path: &str,
    columns: Vec<Column>,
    notes: &[(&str, String)],
    groups: &[usize],
) -> Result<Vec<u8>, DatasetError> {
    // A few small groups are what our tables are; many columns with a minimum and maximum each would
    // make most of a footer that every loader reads.
    let statistics = if columns.len() > 32 {
        EnabledStatistics::None
    } else {
        EnabledStatistics::Chunk
    };
    let wrong = |why: String| DatasetError::format(path, format!("can't be written: {why}"));
    let rows: usize = groups.iter().sum();
    let mut fields: Vec<FieldRef> = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut columns = columns.into_iter().peekable();
    while let Some(column) = columns.next() {
        let picture = column.name.strip_suffix("/bytes").map(str::to_owned);
        let paths = picture.and_then(|name| {
            columns
                .next_if(|next| next.name == format!("{name}/path"))
                .map(|paths| (name, paths))
        });
        let (name, array) = match paths {
            Some((name, paths)) => {
                let array = pictures(column, paths).map_err(|e| wrong(e.to_string()))?;
                (name, array)
            }
            None => {
                let name = column.name.clone();
                let array = array(column).map_err(|e| wrong(format!("{name}: {e}")))?;
                (name, array)
            }
        };
        if array.len() != rows {
            return Err(wrong(format!(
                "column {name:?} has {} rows; expected {rows}",
                array.len()
            )));
        }
        fields.push(Arc::new(Field::new(name, array.data_type().clone(), true)));
        arrays.push(array);
    }
    let metadata: HashMap<String, String> = notes
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    let schema = Arc::new(Schema::new(fields).with_metadata(metadata));
    let notes = notes
        .iter()
        .map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()))
        .collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(statistics)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(None)
        .set_key_value_metadata(Some(notes))
        .build();
    let write = || -> Result<Vec<u8>, ParquetError> {
        let batch = RecordBatch::try_new(schema.clone(), arrays)?;
        let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
        let mut first = 0;
        for rows in groups {
            writer.write(&batch.slice(first, *rows))?;
            writer.flush()?;
            first += rows;
        }
        writer.into_inner()
    };
    write().map_err(|error| wrong(error.to_string()))
}

fn element(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("element", data_type, true))
}

/// Values one after the other.
fn flat(values: Values) -> ArrayRef {
    match values {
        Values::F32(values) => Arc::new(Float32Array::from(values)),
        Values::F64(values) => Arc::new(Float64Array::from(values)),
        Values::I64(values) => Arc::new(Int64Array::from(values)),
        Values::Bool(values) => Arc::new(BooleanArray::from(values)),
        Values::Text(values) => Arc::new(StringArray::from(values)),
        Values::Bytes(values) => Arc::new(BinaryArray::from_iter_values(values)),
    }
}

fn array(column: Column) -> Result<ArrayRef, ArrowError> {
    match column.form {
        Form::One => Ok(flat(column.values)),
        Form::Fixed(width) => fixed(width, flat(column.values)),
        Form::Lists(lengths) => {
            let lengths = lengths.iter().map(|length| *length as usize);
            lists(lengths, flat(column.values))
        }
        Form::Nested(sides) => nested(&sides, column.values),
    }
}

fn fixed(width: usize, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let width = i32::try_from(width)
        .map_err(|error| ArrowError::InvalidArgumentError(error.to_string()))?;
    let list =
        FixedSizeListArray::try_new(element(values.data_type().clone()), width, values, None)?;
    Ok(Arc::new(list))
}

/// Lists around `values`, of these lengths.
fn lists(
    lengths: impl ExactSizeIterator<Item = usize> + Clone,
    values: ArrayRef,
) -> Result<ArrayRef, ArrowError> {
    let total = lengths
        .clone()
        .try_fold(0_usize, usize::checked_add)
        .filter(|total| *total == values.len() && i32::try_from(*total).is_ok());
    if total.is_none() {
        return Err(ArrowError::InvalidArgumentError(format!(
            "{} values, which are not what its lists hold",
            values.len()
        )));
    }
    let list = ListArray::try_new(
        element(values.data_type().clone()),
        OffsetBuffer::from_lengths(lengths),
        values,
        None,
    )?;
    Ok(Arc::new(list))
}

/// Lists in lists, the innermost last, as statistics of pictures (3, 1, 1) and features with several sides are.
fn nested(sides: &[usize], values: Values) -> Result<ArrayRef, ArrowError> {
    let mut array = flat(values);
    for side in sides.iter().rev().map(|side| (*side).max(1)) {
        array = lists(repeat_n(side, array.len() / side), array)?;
    }
    Ok(array)
}

/// Pictures as a struct of their bytes and a name.
fn pictures(bytes: Column, paths: Column) -> Result<ArrayRef, ArrowError> {
    let arrays = [("bytes", flat(bytes.values)), ("path", flat(paths.values))];
    let fields: Fields = arrays
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = arrays.into_iter().map(|(_, array)| array).collect();
    Ok(Arc::new(StructArray::try_new(fields, arrays, None)?))
}
