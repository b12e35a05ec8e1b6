//! Every kind and form of column, as this and other writers have it.

use super::*;
use crate::store::{Memory, Store};

const PATH: &str = "x.parquet";

fn column(name: &str, values: Values, form: Form) -> Column {
    Column {
        name: name.to_owned(),
        values,
        form,
    }
}

/// All columns there can be, three rows each.
fn all() -> Vec<Column> {
    vec![
        column(
            "single",
            Values::F32(vec![1.5, -0.0, f32::MIN_POSITIVE]),
            Form::One,
        ),
        column("double", Values::F64(vec![0.1, 2.0, 3.0]), Form::One),
        column("whole", Values::I64(vec![i64::MIN, 0, i64::MAX]), Form::One),
        column("flag", Values::Bool(vec![true, false, true]), Form::One),
        column(
            "text",
            Values::Text(vec!["a".into(), String::new(), "ü\n".into()]),
            Form::One,
        ),
        column(
            "blob",
            Values::Bytes(vec![vec![0, 255], vec![], vec![7]]),
            Form::One,
        ),
        column(
            "fixed",
            Values::F32(vec![1., 2., 3., 4., 5., 6.]),
            Form::Fixed(2),
        ),
        column(
            "lists",
            Values::F64(vec![1., 2., 3.]),
            Form::Lists(vec![2, 0, 1]),
        ),
        column(
            "names",
            Values::Text(vec!["x".into(), "y".into()]),
            Form::Lists(vec![0, 1, 1]),
        ),
        column(
            "nested",
            Values::F64((0..9).map(f64::from).collect()),
            Form::Nested(vec![3, 1, 1]),
        ),
        column(
            "matrix",
            Values::F32((0..12_u8).map(f32::from).collect()),
            Form::Nested(vec![2, 2]),
        ),
        column(
            "front/bytes",
            Values::Bytes(vec![vec![1], vec![2], vec![3]]),
            Form::One,
        ),
        column(
            "front/path",
            Values::Text(vec!["1".into(), "2".into(), "3".into()]),
            Form::One,
        ),
    ]
}

fn written(groups: &[usize]) -> Memory {
    let bytes = write(PATH, all(), &[("note", "what".to_owned())], groups).expect("written");
    let mut store = Memory::new();
    store.write(PATH, &bytes).expect("memory");
    store
}

#[test]
fn what_is_written_is_read() {
    for groups in [&[3][..], &[1, 2], &[1, 1, 1]] {
        let store = written(groups);
        let file = File::open(&store, PATH).expect("opened");
        assert_eq!(file.rows(), 3);
        assert_eq!(file.note("note"), Some("what"));
        assert_eq!(file.note("other"), None);
        let table = file.read_all(&store, &|_| true).expect("read");
        assert_eq!(table.columns.len(), all().len());
        for (column, expected) in table.columns.iter().zip(all()) {
            assert_eq!(column.name, expected.name);
            assert_eq!(column.values, expected.values, "{}", column.name);
            assert_eq!(
                column.row_ranges(3),
                expected.row_ranges(3),
                "{}",
                column.name
            );
        }
    }
}

#[test]
fn some_rows_of_some_columns() {
    let store = written(&[1, 2]);
    let file = File::open(&store, PATH).expect("opened");
    for range in [0..0, 0..1, 1..2, 0..3, 2..3] {
        let wanted = |name: &str| ["whole", "lists", "fixed"].contains(&name);
        let table = file.read(&store, range.clone(), &wanted).expect("read");
        let whole = [i64::MIN, 0, i64::MAX];
        let rows = range.start as usize..range.end as usize;
        assert_eq!(
            table.ints(PATH, "whole").expect("there"),
            &whole[rows.clone()]
        );
        assert_eq!(table.columns.len(), 3);
        let fixed: Vec<f32> = rows
            .clone()
            .flat_map(|r| [r as f32 * 2. + 1., r as f32 * 2. + 2.])
            .collect();
        assert_eq!(
            table.column("fixed").expect("there").values,
            Values::F32(fixed)
        );
        let lists = table.column("lists").expect("there");
        assert_eq!(lists.form, Form::Lists([2, 0, 1][rows].to_vec()));
    }
    let error = file.read(&store, 2..4, &|_| true).expect_err("there are 3");
    assert!(error.to_string().contains("3 rows"), "{error}");
    let table = file.read_all(&store, &|_| true).expect("read");
    let error = table.ints(PATH, "text").expect_err("text");
    assert!(error.to_string().contains("text"), "{error}");
}

#[test]
fn columns_of_different_lengths_are_refused() {
    let mut columns = all();
    columns[3].values = Values::Bool(vec![true]);
    assert!(write(PATH, columns, &[], &[3]).is_err());
    let lists = column("l", Values::F64(vec![1.0]), Form::Lists(vec![1, 1]));
    assert!(write(PATH, vec![lists], &[], &[2]).is_err());
    let nested = column("n", Values::F64(vec![1.0; 5]), Form::Nested(vec![3, 1]));
    assert!(write(PATH, vec![nested], &[], &[2]).is_err());
}

/// A page may unpack to 22 times its size, and a file's values may be many: not more than that.
#[test]
fn claims_of_pages_are_limited() {
    // A page's header: type data (0), unpacked 4 GB less one, packed 4 bytes.
    let header = |unpacked: &[u8], values: &[u8]| {
        let mut bytes = vec![0x15, 0, 0x15];
        bytes.extend_from_slice(unpacked);
        bytes.extend_from_slice(&[0x15, 8, 0x2c, 0x15]);
        bytes.extend_from_slice(values);
        bytes.extend_from_slice(&[0x15, 0, 0x15, 6, 0x15, 6, 0, 0, 1, 2, 3, 4]);
        bytes
    };
    assert_eq!(guard::check_pages(&header(&[40], &[2]), true, 100), Ok(()));
    let huge = header(&[0xfe, 0xff, 0xff, 0xff, 0x0f], &[2]);
    assert!(guard::check_pages(&huge, true, 100).is_err());
    let many = header(&[40], &[0xfe, 0xff, 0xff, 0xff, 0x0f]);
    assert!(guard::check_pages(&many, true, 100).is_err());
    assert!(guard::check_pages(&header(&[40], &[2]), false, 100).is_err());
    assert!(guard::check_pages(&header(&[40], &[2])[..12], true, 100).is_err());
}
