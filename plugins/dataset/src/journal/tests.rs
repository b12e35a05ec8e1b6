//! What is written comes back; whatever is cut off or changed, all before it does, and nothing wrong.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::store::{Faults, Memory, Store, StoreError};

pub(crate) fn head() -> Head {
    let channel = |joint: usize, name: &str| Channel {
        name: name.to_owned(),
        joint,
        zero: 0.25,
        scale: 180.0 / std::f64::consts::PI,
    };
    Head {
        id: "take 1/ä".to_owned(),
        episode: 3,
        task: "Put the cube into the box.".to_owned(),
        robot_type: "so_follower".to_owned(),
        fps: 30,
        start_secs: 12.5,
        tick_secs: 1.0 / 120.0,
        layout: Layout {
            joints: 2,
            objects: 1,
        },
        action: vec![channel(0, "shoulder_pan.pos"), channel(1, "gripper.pos")],
        state: vec![channel(0, "shoulder_pan.pos"), channel(1, "gripper.pos")],
        cameras: vec![HeadCamera {
            name: "front".to_owned(),
            width: 64,
            height: 48,
            codec: crate::mp4::Codec::H264,
        }],
        extras: vec![("scene.ron".to_owned(), "(arms: [])".to_owned())],
    }
}

/// A record with its own memory.
#[derive(Debug, Clone)]
enum Owned {
    Ticks(u64, u64, Vec<f64>),
    Description(u16, Vec<u8>),
    Packet(u16, u32, bool, f64, u8, Vec<u8>),
    Pause(f64),
    Resume(f64),
    Tally(u16, u32, f64, Vec<u8>),
    End(u32),
}

impl Owned {
    fn borrowed(&self) -> Record<'_> {
        match self {
            Self::Ticks(generation, first, values) => Record::Ticks {
                generation: *generation,
                first: *first,
                values: Cow::Borrowed(values),
            },
            Self::Description(camera, config) => Record::Description {
                camera: *camera,
                config,
            },
            Self::Packet(camera, row, key, captured_secs, freshness, bytes) => {
                Record::Packet(Packet {
                    camera: *camera,
                    row: *row,
                    key: *key,
                    captured_secs: *captured_secs,
                    freshness: [Freshness::New, Freshness::Repeated, Freshness::Stale]
                        [usize::from(*freshness)],
                    bytes,
                })
            }
            Self::Pause(secs) => Record::Pause { secs: *secs },
            Self::Resume(secs) => Record::Resume { secs: *secs },
            Self::Tally(camera, count, secs, pixels) => Record::Tally {
                camera: *camera,
                tally: Tally {
                    offered: *count,
                    unused: count / 2,
                    dropped: count / 3,
                    first_secs: *secs,
                    last_secs: secs + 1.0,
                },
                pixels: Cow::Borrowed(pixels),
            },
            Self::End(rows) => Record::End { rows: *rows },
        }
    }
}

fn record() -> impl Strategy<Value = Owned> {
    let bytes = || vec(any::<u8>(), 0..40);
    let secs = || -1e6..1e6;
    prop_oneof![
        (any::<u64>(), any::<u64>(), vec(secs(), 0..3)).prop_map(|(generation, first, ticks)| {
            // Whole ticks of 12 numbers.
            let values = ticks.iter().flat_map(|tick| [*tick; 12]).collect();
            Owned::Ticks(generation, first, values)
        }),
        (any::<u16>(), bytes()).prop_map(|(camera, config)| Owned::Description(camera, config)),
        (
            any::<u16>(),
            any::<u32>(),
            any::<bool>(),
            secs(),
            0..3u8,
            bytes()
        )
            .prop_map(|(camera, row, key, secs, freshness, bytes)| Owned::Packet(
                camera, row, key, secs, freshness, bytes
            )),
        secs().prop_map(Owned::Pause),
        secs().prop_map(Owned::Resume),
        (any::<u16>(), any::<u32>(), secs(), bytes())
            .prop_map(|(camera, count, secs, pixels)| Owned::Tally(camera, count, secs, pixels)),
        any::<u32>().prop_map(Owned::End),
    ]
}

/// A journal of these records, and where each ends, the head first.
fn written(records: &[Owned]) -> (Vec<u8>, Vec<usize>) {
    let mut store = Memory::new();
    let file = store.append("journal").expect("a file");
    let mut writer = Writer::create(file, &head()).expect("a head");
    let mut ends = vec![writer.bytes() as usize];
    for record in records {
        writer.record(&record.borrowed()).expect("a record");
        ends.push(writer.bytes() as usize);
    }
    (store.read("journal").expect("the file"), ends)
}

fn assert_has(bytes: &[u8], records: &[Owned], count: usize) -> Result<(), TestCaseError> {
    let mut scan = scan(bytes);
    let found: Vec<Record<'_>> = scan.by_ref().collect();
    prop_assert_eq!(found.len(), count);
    for (index, record) in found.iter().enumerate() {
        match index.checked_sub(1) {
            None => prop_assert_eq!(record, &Record::Head(Box::new(head()))),
            Some(index) => prop_assert_eq!(record, &records[index].borrowed()),
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_journal_cut_anywhere_gives_all_before_the_cut(
        records in vec(record(), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let (bytes, ends) = written(&records);
        assert_has(&bytes, &records, ends.len())?;
        let cut = cut.index(bytes.len() + 1);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_has(&bytes[..cut], &records, whole)?;
        let mut scan = scan(&bytes[..cut]);
        scan.by_ref().for_each(drop);
        let clean = cut == MAGIC.len() || ends.contains(&cut);
        prop_assert_eq!(scan.stopped().is_none(), clean);
        if let Some(stop) = scan.stopped() {
            prop_assert_eq!(stop.offset + stop.lost, cut);
        }
    }

    #[test]
    fn a_changed_byte_is_never_taken_for_a_record(
        records in vec(record(), 0..6),
        at in any::<prop::sample::Index>(),
        change in 1..=255u8,
    ) {
        let (mut bytes, ends) = written(&records);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let whole = if at < MAGIC.len() {
            0
        } else {
            ends.iter().filter(|end| **end <= at).count()
        };
        assert_has(&bytes, &records, whole)?;
    }

    #[test]
    fn records_that_changed_places_are_not_taken(
        records in vec(record(), 2..6),
        left_out in any::<prop::sample::Index>(),
    ) {
        let (bytes, ends) = written(&records);
        let left_out = left_out.index(records.len() - 1);
        let gap = [&bytes[..ends[left_out]], &bytes[ends[left_out + 1]..]].concat();
        assert_has(&gap, &records, left_out + 1)?;
    }

    #[test]
    fn anything_can_be_scanned(bytes in vec(any::<u8>(), 0..200), with_magic in any::<bool>()) {
        let bytes = if with_magic { [MAGIC, &bytes].concat() } else { bytes };
        prop_assert_eq!(scan(&bytes).count(), 0);
    }
}

#[test]
fn sound_checksums_around_nonsense_are_refused() {
    // What a newer version or a wrong program may write: the checksum fits, the content does not.
    for body in [
        vec![99],
        vec![write::kind::HEAD],
        vec![write::kind::PACKET, 1],
        vec![write::kind::TICKS; 20],
        [&[write::kind::END], &[0; 5][..]].concat(),
    ] {
        let (mut bytes, _) = written(&[]);
        let mut chain = [0; 4];
        chain.copy_from_slice(&bytes[MAGIC.len() + 4..MAGIC.len() + 8]);
        let length = (body.len() as u32).to_le_bytes();
        let sum = write::checksum(u32::from_le_bytes(chain), length, &body);
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes.extend_from_slice(&body);
        let mut scan = scan(&bytes);
        assert_eq!(scan.by_ref().count(), 1, "{body:?}");
        assert!(scan.stopped().is_some(), "{body:?}");
    }
}

#[test]
fn after_a_full_disk_nothing_more_is_written() {
    let mut store = Memory::new();
    let file = store.append("journal").expect("a file");
    let mut writer = Writer::create(file, &head()).expect("a head");
    writer.pause(1.0).expect("room");
    let sound = writer.bytes();
    store.set_faults(Faults {
        capacity: Some(sound + 10),
        ..Faults::default()
    });
    let full = writer.resume(2.0).expect_err("no room");
    assert!(matches!(full, StoreError::Full { .. }), "{full}");
    // Even with room again: behind the torn record nobody would find it.
    store.set_faults(Faults::default());
    assert_eq!(writer.resume(2.0), Err(full));
    let bytes = store.read("journal").expect("the file");
    assert_eq!(bytes.len() as u64, sound + 10);
    let mut scan = scan(&bytes);
    assert_eq!(scan.by_ref().count(), 2);
    assert_eq!(scan.stopped().map(|stop| stop.offset as u64), Some(sound));
}

#[test]
fn a_journal_has_one_head_and_a_file_of_its_own() {
    let mut store = Memory::new();
    let file = store.append("journal").expect("a file");
    let mut writer = Writer::create(file, &head()).expect("a head");
    assert!(writer.record(&Record::Head(Box::new(head()))).is_err());
    let file = store.append("journal").expect("the file");
    assert!(Writer::create(file, &head()).is_err());
    assert_eq!(path(&head().id), ".forearm/journal/take_1__.journal");
}
