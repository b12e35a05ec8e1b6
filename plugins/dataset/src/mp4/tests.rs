//! What is put together comes apart again; what others wrote is read; nonsense is refused.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::store::{Memory, Store};

/// An `avcC` of the baseline profile with one SPS and one PPS.
pub(crate) fn avcc() -> Vec<u8> {
    let mut config = vec![1, 66, 0xc0, 30, 0xff, 0xe1, 0, 4, 0x67, 66, 0xc0, 30];
    config.extend_from_slice(&[1, 0, 2, 0x68, 0xce]);
    config
}

fn description(codec: Codec) -> Description {
    Description {
        codec,
        width: 64,
        height: 48,
        config: match codec {
            Codec::H264 => avcc(),
            Codec::Av1 => vec![0x81, 0x04, 0x0c, 0x00, 0x0a, 0x01, 0x00],
        },
    }
}

fn file(fps: u32, count: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let payloads: Vec<Vec<u8>> = (0..count).map(|n| vec![n as u8; n % 7 + 1]).collect();
    let packets: Vec<Packet<'_>> = payloads
        .iter()
        .enumerate()
        .map(|(n, bytes)| Packet {
            key: n % 2 == 0,
            bytes,
        })
        .collect();
    let file = mux(&description(Codec::H264), fps, &packets).expect("a file");
    (file, payloads)
}

proptest! {
    #[test]
    fn what_is_put_together_comes_apart(
        packets in vec((any::<bool>(), vec(any::<u8>(), 0..50)), 1..100),
        fps in 1..1000u32,
        av1 in any::<bool>(),
    ) {
        let description = description(if av1 { Codec::Av1 } else { Codec::H264 });
        let packets: Vec<Packet<'_>> = packets
            .iter()
            .enumerate()
            .map(|(n, (key, bytes))| Packet { key: n == 0 || *key, bytes })
            .collect();
        let bytes = mux(&description, fps, &packets).expect("a file");
        let track = demux(&bytes).expect("the file");
        prop_assert_eq!(&track.description, &description);
        prop_assert_eq!(track.timescale % fps, 0);
        prop_assert_eq!(track.fps(), Some(f64::from(fps)));
        prop_assert_eq!(track.samples.len(), packets.len());
        let each = i64::from(track.timescale / fps);
        for (row, (sample, packet)) in track.samples.iter().zip(&packets).enumerate() {
            let from = sample.offset as usize;
            prop_assert_eq!(&bytes[from..from + sample.size as usize], packet.bytes);
            prop_assert_eq!(sample.key, packet.key);
            prop_assert_eq!(sample.shown, row as i64 * each);
            let secs = row as f64 / f64::from(fps);
            prop_assert_eq!(track.nearest(secs).map(|(index, _)| index), Some(row));
            let key = track.key_before(row);
            prop_assert!(packets[key].key && packets[key + 1..=row].iter().all(|p| !p.key));
        }
        // The index stands before the pictures, and is found without reading them.
        let mut store = Memory::new();
        store.write("a.mp4", &bytes).expect("room");
        prop_assert_eq!(open(&store, "a.mp4").expect("the file"), track);
        let find = |kind: &[u8]| bytes.windows(4).position(|four| four == kind);
        prop_assert!(find(b"moov") < find(b"mdat"));
    }

    #[test]
    fn a_damaged_file_never_breaks_more_than_itself(
        count in 1..40usize,
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut bytes, _) = file(30, count);
        // Changes that hit the index are the interesting ones.
        let moov = bytes.windows(4).position(|four| four == b"moov").expect("an index");
        let mdat = bytes.windows(4).position(|four| four == b"mdat").expect("pictures");
        for (at, value) in &changes {
            bytes[moov - 4 + at.index(mdat - moov)] = *value;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(track) = demux(bytes) {
                for sample in &track.samples {
                    prop_assert!(sample.offset + u64::from(sample.size) <= bytes.len() as u64);
                }
            }
        }
    }

    #[test]
    fn anything_can_be_demuxed(bytes in vec(any::<u8>(), 0..400), wrapped in 0..3u8) {
        let boxed = |kind: &[u8; 4], content: &[u8]| {
            [&(content.len() as u32 + 8).to_be_bytes(), &kind[..], content].concat()
        };
        let bytes = match wrapped {
            0 => bytes,
            1 => [boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"moov", &bytes)].concat(),
            _ => [boxed(b"ftyp", b"isom\0\0\0\0"), bytes].concat(),
        };
        prop_assert!(demux(&bytes).is_err());
    }
}

#[test]
fn a_long_video_has_its_index_before_the_pictures_too() {
    // An hour at 30 frames a second: the room that is kept for the index suffices.
    let packets = vec![
        Packet {
            key: true,
            bytes: &[1, 2, 3],
        };
        108_000
    ];
    let bytes = mux(&description(Codec::H264), 30, &packets).expect("a file");
    let find = |kind: &[u8]| bytes.windows(4).position(|four| four == kind);
    assert!(find(b"moov") < find(b"mdat"));
    let track = demux(&bytes).expect("the file");
    assert_eq!(track.samples.len(), 108_000);
    assert!((track.shown_secs(&track.samples[107_999]) - 107_999.0 / 30.0).abs() < 1e-9);
}

#[test]
fn what_can_not_be_written_is_refused() {
    let key = Packet {
        key: true,
        bytes: &[1],
    };
    let good = description(Codec::H264);
    assert_eq!(mux(&good, 30, &[]), Err(Mp4Error::Empty));
    let delta = Packet { key: false, ..key };
    assert!(mux(&good, 30, &[delta, key]).is_err());
    assert!(mux(&good, 0, &[key]).is_err());
    assert!(mux(&good, u32::MAX, &[key]).is_err());
    for (width, height) in [(0, 48), (64, 0), (70_000, 48), (40_000, 48)] {
        let bad = Description {
            width,
            height,
            ..good.clone()
        };
        assert!(mux(&bad, 30, &[key]).is_err(), "{width} x {height}");
    }
    let bad = Description {
        config: vec![1, 2],
        ..good
    };
    assert!(mux(&bad, 30, &[key]).is_err());
}

#[test]
fn an_avcc_of_a_high_profile_that_leaves_something_out_is_completed() {
    let mut config = avcc();
    config[1] = 100;
    let short = Description {
        config: config.clone(),
        ..description(Codec::H264)
    };
    let packet = Packet {
        key: true,
        bytes: &[1],
    };
    let bytes = mux(&short, 30, &[packet]).expect("a file");
    let found = demux(&bytes).expect("the file").description.config;
    assert_eq!(found, [&config[..], &[0xfd, 0xf8, 0xf8, 0]].concat());
}

#[test]
fn errors_say_what_is_wrong() {
    let (bytes, _) = file(30, 3);
    let moov = bytes
        .windows(4)
        .position(|four| four == b"moov")
        .expect("an index");
    let cut = demux(&bytes[..moov - 4]).expect_err("no index");
    assert!(cut.to_string().contains("cut off"), "{cut}");
    let text = demux(b"this is a text and no video").expect_err("a text");
    assert!(text.to_string().contains("does not begin"), "{text}");
    let mut other = bytes.clone();
    let entry = other
        .windows(4)
        .position(|four| four == b"avc1")
        .expect("a brand");
    let entry = entry
        + 4
        + other[entry + 4..]
            .windows(4)
            .position(|four| four == b"avc1")
            .expect("an entry");
    other[entry..entry + 4].copy_from_slice(b"mp4v");
    let codec = demux(&other).expect_err("another codec");
    assert!(codec.to_string().contains("mp4v"), "{codec}");
    let missing = open(&Memory::new(), "a.mp4").expect_err("no file");
    assert!(matches!(missing, Mp4Error::Store(_)), "{missing}");
}
