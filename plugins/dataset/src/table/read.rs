//! Reads columns of a Parquet file out of a store: the footer, then only what is wanted.

use std::io::Cursor;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnDescriptor;

use super::pages::Checked;
use super::{Column, Form, Table, Values, guard};
use crate::error::DatasetError;
use crate::store::Store;

/// What stands at both ends of the file.
const MAGIC: &[u8; 4] = b"PAR1";

/// A Parquet file whose footer was read.
pub(crate) struct File {
    path: String,
    bytes: u64,
    metadata: ParquetMetaData,
    rows: u64,
}

impl File {
    /// Reads the footer.
    ///
    /// # Errors
    /// What the store fails with; [`DatasetError::Format`] for a file without or with a damaged footer.
    pub(crate) fn open(store: &dyn Store, path: &str) -> Result<Self, DatasetError> {
        let wrong = |why: &str| DatasetError::format(path, why);
        let bytes = store
            .size(path)?
            .ok_or_else(|| crate::store::StoreError::NotFound {
                path: path.to_owned(),
            })?;
        let no_footer = "no whole Parquet file: its end is missing, writing it was cut off";
        if bytes < 12 {
            return Err(wrong(no_footer));
        }
        let tail = piece(store, path, bytes - 8, 8)?;
        let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
        if tail[4..] != *MAGIC || length > bytes - 12 {
            return Err(wrong(no_footer));
        }
        let footer = piece(store, path, bytes - 8 - length, length)?;
        guard::check_footer(&footer).map_err(|why| wrong(&why))?;
        let metadata = ParquetMetaDataReader::decode_metadata(&footer)
            .map_err(|error| wrong(&format!("its footer is damaged ({error})")))?;
        let mut rows = 0_u64;
        for group in metadata.row_groups() {
            rows = u64::try_from(group.num_rows())
                .ok()
                .and_then(|count| rows.checked_add(count))
                .ok_or_else(|| wrong("its footer is damaged (a negative number of rows)"))?;
        }
        Ok(Self {
            path: path.to_owned(),
            bytes,
            metadata,
            rows,
        })
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// What is noted in its footer under `key`.
    pub(crate) fn note(&self, key: &str) -> Option<&str> {
        self.metadata
            .file_metadata()
            .key_value_metadata()?
            .iter()
            .find(|entry| entry.key == key)?
            .value
            .as_deref()
    }

    /// The names of its columns; a struct's fields are one each.
    pub(crate) fn names(&self) -> Vec<String> {
        let schema = self.metadata.file_metadata().schema_descr();
        schema.columns().iter().map(|c| name(c)).collect()
    }

    /// Reads all rows of the columns that are wanted.
    ///
    /// # Errors
    /// What the store fails with; [`DatasetError::Format`] for damaged and unsupported files.
    pub(crate) fn read_all(
        &self,
        store: &dyn Store,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Table, DatasetError> {
        self.read(store, 0..self.rows, wanted)
    }

    /// Reads some rows of the columns that are wanted.
    ///
    /// # Errors
    /// As [`File::read_all`], and when there are fewer rows.
    pub(crate) fn read(
        &self,
        store: &dyn Store,
        rows: Range<u64>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Table, DatasetError> {
        let wrong = |why: String| DatasetError::format(&self.path, why);
        if rows.end > self.rows || rows.start > rows.end {
            return Err(wrong(format!(
                "it has {} rows; expected {} at least",
                self.rows, rows.end
            )));
        }
        let count = usize::try_from(rows.end - rows.start)
            .map_err(|error| wrong(format!("too many rows ({error})")))?;
        let schema = self.metadata.file_metadata().schema_descr();
        let mut table = Table {
            rows: count,
            columns: Vec::new(),
        };
        for (i, column) in schema.columns().iter().enumerate() {
            let name = name(column);
            if wanted(&name) {
                let wrong = |why: String| wrong(format!("column {name:?}: {why}"));
                let mut leaf = Leaf::new(column).map_err(wrong)?;
                let mut first = 0_u64;
                for group in self.metadata.row_groups() {
                    let end = first + group.num_rows().unsigned_abs();
                    let (from, to) = (rows.start.max(first), rows.end.min(end));
                    if from < to {
                        let chunk = group
                            .columns()
                            .get(i)
                            .ok_or_else(|| wrong("missing in a part of the file".to_owned()))?;
                        let window = self.window(store, chunk)?;
                        let part = Part {
                            skip: from - first,
                            take: to - from,
                            of: end - first,
                        };
                        leaf.read(chunk, window, &part).map_err(wrong)?;
                    }
                    first = end;
                }
                table
                    .columns
                    .push(leaf.finish(name.clone(), count).map_err(wrong)?);
            }
        }
        Ok(table)
    }

    /// The bytes of a column's pages, checked.
    fn window(
        &self,
        store: &dyn Store,
        chunk: &ColumnChunkMetaData,
    ) -> Result<Window, DatasetError> {
        let wrong = |why: &str| DatasetError::format(&self.path, why);
        let start = chunk
            .dictionary_page_offset()
            .unwrap_or_else(|| chunk.data_page_offset());
        let (Ok(start), Ok(length)) =
            (u64::try_from(start), u64::try_from(chunk.compressed_size()))
        else {
            return Err(wrong("its footer is damaged (a negative offset)"));
        };
        if start.checked_add(length).is_none_or(|end| end > self.bytes) {
            return Err(wrong(
                "its footer is damaged (a column reaches beyond the end)",
            ));
        }
        let snappy = match chunk.compression() {
            Compression::UNCOMPRESSED => false,
            Compression::SNAPPY => true,
            other => {
                return Err(wrong(&format!(
                    "packed with {other:?}; expected snappy, as LeRobot writes it, or nothing: write it again with that"
                )));
            }
        };
        let bytes = piece(store, &self.path, start, length)?;
        guard::check_pages(&bytes, snappy, self.bytes).map_err(|why| wrong(&why))?;
        Ok(Window {
            start,
            bytes: Bytes::from(bytes),
        })
    }
}

/// The name of a column: of a list its own, of a struct's field `struct/field`.
fn name(column: &ColumnDescriptor) -> String {
    let parts = column.path().parts();
    if column.max_rep_level() > 0 {
        parts.first().cloned().unwrap_or_default()
    } else {
        parts.join("/")
    }
}

/// Some bytes of a file; fewer are an error.
fn piece(store: &dyn Store, path: &str, offset: u64, length: u64) -> Result<Vec<u8>, DatasetError> {
    let short = || DatasetError::format(path, "it became shorter while it was read");
    let length = usize::try_from(length).ok().ok_or_else(short)?;
    let mut bytes = vec![0; length];
    let mut done = 0;
    while done < length {
        match store.read_at(path, offset + done as u64, &mut bytes[done..])? {
            0 => return Err(short()),
            count => done += count,
        }
    }
    Ok(bytes)
}

/// A part of a file, in memory, addressed by offsets in the file.
struct Window {
    start: u64,
    bytes: Bytes,
}

impl Window {
    fn from(&self, offset: u64) -> Result<Bytes, ParquetError> {
        offset
            .checked_sub(self.start)
            .and_then(|at| usize::try_from(at).ok())
            .filter(|at| *at <= self.bytes.len())
            .map(|at| self.bytes.slice(at..))
            .ok_or_else(|| ParquetError::EOF("a page beyond its column".to_owned()))
    }
}

impl Length for Window {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Window {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        self.from(start).map(Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.from(start)?;
        if length > bytes.len() {
            return Err(ParquetError::EOF("a page beyond its column".to_owned()));
        }
        Ok(bytes.slice(..length))
    }
}

/// Which rows of a row group.
struct Part {
    skip: u64,
    take: u64,
    of: u64,
}

/// A column as it is put together from row groups.
struct Leaf {
    values: Values,
    /// For lists: how many values each row has.
    lengths: Option<Vec<u32>>,
    rows: u64,
    /// The definition level of a value that is there, and whether one level less is an empty place in
    /// a list rather than an empty list.
    present: i16,
    optional: bool,
    text: bool,
}

impl Leaf {
    fn new(column: &ColumnDescriptor) -> Result<Self, String> {
        let text = column.converted_type() == parquet::basic::ConvertedType::UTF8
            || column.logical_type_ref() == Some(&parquet::basic::LogicalType::String);
        let values = match column.physical_type() {
            Physical::BOOLEAN => Values::Bool(Vec::new()),
            Physical::INT32 | Physical::INT64 => Values::I64(Vec::new()),
            Physical::FLOAT => Values::F32(Vec::new()),
            Physical::DOUBLE => Values::F64(Vec::new()),
            Physical::BYTE_ARRAY if text => Values::Text(Vec::new()),
            Physical::BYTE_ARRAY => Values::Bytes(Vec::new()),
            other => {
                return Err(format!(
                    "values of type {other}, which no LeRobot dataset has"
                ));
            }
        };
        Ok(Self {
            values,
            lengths: (column.max_rep_level() > 0).then(Vec::new),
            rows: 0,
            present: column.max_def_level(),
            optional: column.self_type().is_optional(),
            text,
        })
    }

    /// Reads some rows of a row group.
    fn read(
        &mut self,
        chunk: &ColumnChunkMetaData,
        window: Window,
        part: &Part,
    ) -> Result<(), String> {
        let failed = |error: ParquetError| format!("not readable ({error})");
        let total = usize::try_from(part.of).map_err(|error| format!("too many rows ({error})"))?;
        let pages =
            SerializedPageReader::new(Arc::new(window), chunk, total, None).map_err(failed)?;
        let pages = Checked::new(pages, chunk.column_type());
        let reader = get_column_reader(chunk.column_descr_ptr(), Box::new(pages));
        match (reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(r), Values::Bool(_)) => {
                let (found, values) = records(r, part)?;
                self.push(&found, values, false, |all| match all {
                    Values::Bool(all) => Some(all),
                    _ => None,
                })
            }
            (ColumnReader::Int32ColumnReader(r), Values::I64(_)) => {
                let (found, values) = records(r, part)?;
                let values = values.into_iter().map(i64::from).collect();
                self.push_ints(&found, values)
            }
            (ColumnReader::Int64ColumnReader(r), Values::I64(_)) => {
                let (found, values) = records(r, part)?;
                self.push_ints(&found, values)
            }
            (ColumnReader::FloatColumnReader(r), Values::F32(_)) => {
                let (found, values) = records(r, part)?;
                self.push(&found, values, true, |all| match all {
                    Values::F32(all) => Some(all),
                    _ => None,
                })
            }
            (ColumnReader::DoubleColumnReader(r), Values::F64(_)) => {
                let (found, values) = records(r, part)?;
                self.push(&found, values, true, |all| match all {
                    Values::F64(all) => Some(all),
                    _ => None,
                })
            }
            (ColumnReader::ByteArrayColumnReader(r), _) => {
                let (found, values) = records(r, part)?;
                self.push_bytes(&found, &values)
            }
            _ => Err("another type than the footer says".to_owned()),
        }
    }

    fn push_ints(&mut self, found: &Levels, values: Vec<i64>) -> Result<(), String> {
        self.push(found, values, false, |all| match all {
            Values::I64(all) => Some(all),
            _ => None,
        })
    }

    fn push_bytes(&mut self, found: &Levels, values: &[ByteArray]) -> Result<(), String> {
        if self.text {
            let texts: Option<Vec<String>> = values
                .iter()
                .map(|text| Some(text.as_utf8().ok()?.to_owned()))
                .collect();
            let texts = texts.ok_or("text that is not UTF-8")?;
            self.push(found, texts, true, |all| match all {
                Values::Text(all) => Some(all),
                _ => None,
            })
        } else {
            let bytes = values.iter().map(|value| value.data().to_vec()).collect();
            self.push(found, bytes, true, |all| match all {
                Values::Bytes(all) => Some(all),
                _ => None,
            })
        }
    }

    /// Takes over values with their levels; `fill` says whether an empty place can be filled.
    fn push<T: Empty>(
        &mut self,
        found: &Levels,
        values: Vec<T>,
        fill: bool,
        into: impl FnOnce(&mut Values) -> Option<&mut Vec<T>>,
    ) -> Result<(), String> {
        self.rows += found.rows as u64;
        let into = into(&mut self.values).ok_or("another type than the footer says")?;
        let levels = found
            .defined
            .len()
            .max(found.repeated.len())
            .max(values.len());
        let mut values = values.into_iter();
        for i in 0..levels {
            let defined = found.defined.get(i).copied().unwrap_or(self.present);
            if let Some(lengths) = &mut self.lengths
                && found.repeated.get(i).is_none_or(|repeated| *repeated == 0)
            {
                lengths.push(0);
            }
            let place = defined >= self.present - i16::from(self.optional);
            let value = if defined >= self.present {
                Some(values.next().ok_or("fewer values than places")?)
            } else if self.lengths.is_some() && !place {
                None
            } else if fill {
                Some(T::empty())
            } else {
                return Err("a place without a value".to_owned());
            };
            if let Some(value) = value {
                into.push(value);
                if let Some(length) = self.lengths.as_mut().and_then(|l| l.last_mut()) {
                    *length += 1;
                }
            }
        }
        Ok(())
    }

    fn finish(self, name: String, rows: usize) -> Result<Column, String> {
        let found = self.lengths.as_ref().map_or(self.values.len(), Vec::len);
        if found != rows || self.rows != rows as u64 {
            return Err(format!("{found} rows; expected {rows}"));
        }
        Ok(Column {
            name,
            values: self.values,
            form: self.lengths.map_or(Form::One, Form::Lists),
        })
    }
}

/// What stands where nothing is.
trait Empty {
    fn empty() -> Self;
}

impl Empty for f32 {
    fn empty() -> Self {
        Self::NAN
    }
}

impl Empty for f64 {
    fn empty() -> Self {
        Self::NAN
    }
}

impl Empty for i64 {
    fn empty() -> Self {
        0
    }
}

impl Empty for bool {
    fn empty() -> Self {
        false
    }
}

impl Empty for String {
    fn empty() -> Self {
        Self::new()
    }
}

impl Empty for Vec<u8> {
    fn empty() -> Self {
        Self::new()
    }
}

/// Where values stand: whether one is there, and whether it goes on with the row before.
struct Levels {
    rows: usize,
    defined: Vec<i16>,
    repeated: Vec<i16>,
}

/// The values of some rows, and where they stand.
fn records<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    part: &Part,
) -> Result<(Levels, Vec<T::T>), String> {
    let failed = |error: ParquetError| format!("not readable ({error})");
    let size =
        |count: u64| usize::try_from(count).map_err(|error| format!("too many rows ({error})"));
    let (skip, take) = (size(part.skip)?, size(part.take)?);
    if skip > 0 && reader.skip_records(skip).map_err(failed)? != skip {
        return Err(format!("fewer rows than {}", part.of));
    }
    let mut levels = Levels {
        rows: 0,
        defined: Vec::new(),
        repeated: Vec::new(),
    };
    let mut values = Vec::new();
    while levels.rows < take {
        let (rows, _, found) = reader
            .read_records(
                take - levels.rows,
                Some(&mut levels.defined),
                Some(&mut levels.repeated),
                &mut values,
            )
            .map_err(failed)?;
        if rows == 0 && found == 0 {
            return Err(format!("{} rows; expected {take}", levels.rows));
        }
        levels.rows += rows;
    }
    Ok((levels, values))
}
