//! Encoder and decoder together, natively.

use super::*;
use crate::Pace;
use crate::frame::Pixels;
use crate::read_number;

const SIZE: [u32; 2] = [320, 240];

fn frame(number: u64, rgb: Vec<u8>, size: [u32; 2]) -> Frame {
    Frame {
        size,
        pixels: Pixels::Rgb(rgb),
        captured_secs: 0.0,
        number,
    }
}

/// A gradient that moves, with noise that is the same everywhere.
fn picture(number: u64) -> Vec<u8> {
    let mut noise = 12345_u32;
    (0..SIZE[1])
        .flat_map(|y| (0..SIZE[0]).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let base = (x + y + 4 * number as u32) % 200 + 20;
            [base, 230 - base, 128].map(|value| (value + (noise >> 30)) as u8)
        })
        .collect()
}

fn mean_error(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: u64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.len() as f64
}

fn drain(encoder: &mut Encoder, into: &mut Vec<Packet>) {
    while encoder.pending() > 0 {
        match encoder.poll() {
            Some(packet) => into.push(packet.expect("encoded")),
            None => std::thread::yield_now(),
        }
    }
}

fn encode(pace: Pace, frames: u64) -> (Vec<Packet>, Vec<u8>) {
    let mut encoder = Encoder::new(SIZE, 30, 20, pace).expect("an encoder");
    let mut packets = Vec::new();
    for number in 0..frames {
        let mut next = frame(number, picture(number), SIZE);
        while let Err(Busy(back)) = encoder.push(number as u32 + 10, next) {
            next = back;
            drain(&mut encoder, &mut packets);
        }
    }
    drain(&mut encoder, &mut packets);
    let description = encoder.description().expect("packets have one").to_vec();
    (packets, description)
}

#[test]
fn what_is_encoded_decodes_to_nearly_the_same() {
    let (packets, description) = encode(Pace::Stepped, 9);
    let keys: Vec<bool> = packets.iter().map(|packet| packet.key).collect();
    assert_eq!(
        keys,
        [true, false, true, false, true, false, true, false, true]
    );
    let mut decoder = Decoder::new(&Stream::H264(description)).expect("a decoder");
    let mut pictures = Vec::new();
    for packet in &packets {
        decoder.push(packet.row, &packet.bytes).expect("decoded");
        while let Some(picture) = decoder.poll() {
            pictures.push(picture.expect("a picture"));
        }
    }
    decoder.finish().expect("the end");
    while let Some(picture) = decoder.poll() {
        pictures.push(picture.expect("a picture"));
    }
    assert_eq!(pictures.len(), 9);
    for (number, decoded) in (0..).zip(&pictures) {
        assert_eq!((decoded.row, decoded.size), (number as u32 + 10, SIZE));
        let error = mean_error(&decoded.rgb, &picture(number));
        assert!(error < 3.0, "frame {number} is off by {error}");
        let other = mean_error(&decoded.rgb, &picture(number + 1));
        assert!(
            other > 2.0 * error,
            "frame {number} looks like the next one"
        );
    }
}

#[test]
fn a_thread_makes_the_same_packets() {
    let inline = encode(Pace::Stepped, 21);
    assert_eq!(inline, encode(Pace::Live, 21));
}

#[test]
fn decoding_can_begin_at_every_key_frame() {
    let (packets, description) = encode(Pace::Stepped, 6);
    let stream = Stream::H264(description);
    for first in [4, 2, 0] {
        let mut decoder = Decoder::new(&stream).expect("a decoder");
        for packet in &packets[first..first + 2] {
            decoder.push(packet.row, &packet.bytes).expect("decoded");
        }
        decoder.finish().expect("the end");
        let rows: Vec<u32> = std::iter::from_fn(|| decoder.poll())
            .map(|picture| picture.expect("a picture").row)
            .collect();
        assert_eq!(rows, [first as u32 + 10, first as u32 + 11]);
    }
}

#[test]
fn a_new_video_begins_with_a_key_frame() {
    let mut encoder = Encoder::new(SIZE, 30, 20, Pace::Stepped).expect("an encoder");
    let mut packets = Vec::new();
    for row in [0, 1, 2, 0, 1] {
        if row == 0 {
            encoder.finish();
        }
        assert!(encoder.push(row, frame(0, picture(0), SIZE)).is_ok());
        drain(&mut encoder, &mut packets);
        assert!(encoder.reclaim().is_some(), "buffers come back");
    }
    let keys: Vec<bool> = packets.iter().map(|packet| packet.key).collect();
    assert_eq!(keys, [true, false, true, true, false]);
}

#[test]
fn a_quantiser_is_kept_to() {
    let bytes = |quality| {
        let mut encoder = Encoder::new(SIZE, 30, quality, Pace::Stepped).expect("an encoder");
        let mut packets = Vec::new();
        for number in 0..8 {
            assert!(
                encoder
                    .push(0, frame(number, picture(number), SIZE))
                    .is_ok()
            );
            drain(&mut encoder, &mut packets);
        }
        packets
            .iter()
            .map(|packet| packet.bytes.len())
            .sum::<usize>()
    };
    let sizes = [bytes(14), bytes(22), bytes(30), bytes(40)];
    assert!(sizes.is_sorted_by(|a, b| 3 * a > 4 * b), "{sizes:?}");
}

#[test]
fn numbers_of_the_pattern_survive() {
    use forearm_protocol::record::{CameraConfig, CameraSource};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    let millis = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&millis);
    let now: crate::Now = Arc::new(move || clock.load(Ordering::Relaxed) as f64 / 1000.0);
    let config = CameraConfig {
        name: "pattern".to_owned(),
        source: CameraSource::Pattern,
        resolution: Some([160, 120]),
    };
    let mut camera = crate::Camera::open(&config, None, now, Pace::Stepped).expect("a pattern");
    let mut encoder = Encoder::new([160, 120], 30, 35, Pace::Stepped).expect("an encoder");
    let mut packets = Vec::new();
    for step in 0..30 {
        millis.store(step * 34, Ordering::Relaxed);
        while let Some(frame) = camera.try_frame() {
            assert!(encoder.push(frame.number as u32, frame).is_ok());
            drain(&mut encoder, &mut packets);
        }
    }
    assert!(packets.len() >= 29);
    let description = encoder.description().expect("packets have one").to_vec();
    let mut decoder = Decoder::new(&Stream::H264(description)).expect("a decoder");
    let mut seen = 0;
    for packet in &packets {
        decoder.push(packet.row, &packet.bytes).expect("decoded");
        while let Some(picture) = decoder.poll() {
            let picture = picture.expect("a picture");
            assert_eq!(
                read_number(picture.size, &picture.rgb),
                Some(u64::from(picture.row))
            );
            seen += 1;
        }
    }
    assert_eq!(seen, packets.len());
}

#[test]
fn sizes_that_go_are_named() {
    for size in [[639, 480], [640, 1], [0, 0], [4000, 2000], [3840, 3840]] {
        let error = Encoder::new(size, 30, 23, Pace::Stepped).expect_err("refused");
        assert!(error.to_string().contains("even and 16 to 3840"), "{error}");
    }
    let mut encoder = Encoder::new(SIZE, 30, 23, Pace::Stepped).expect("an encoder");
    assert!(encoder.push(0, frame(0, vec![0; 300], [10, 10])).is_ok());
    let error = encoder
        .poll()
        .expect("an answer")
        .expect_err("another size");
    assert!(error.to_string().contains("10×10"), "{error}");
}

#[test]
fn damaged_samples_are_errors_and_the_next_key_frame_is_whole() {
    let (packets, description) = encode(Pace::Stepped, 4);
    let mut decoder = Decoder::new(&Stream::H264(description)).expect("a decoder");
    assert!(decoder.push(0, &[]).is_err());
    assert!(decoder.push(0, &[0, 0, 0, 9, 1]).is_err());
    let mut noise = 1_u8;
    let damaged: Vec<u8> = packets[0]
        .bytes
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            noise = noise.wrapping_mul(29).wrapping_add(7);
            if at > 40 { byte ^ noise } else { *byte }
        })
        .collect();
    decoder.push(0, &damaged).ok();
    decoder.finish().ok();
    while decoder.poll().is_some() {}
    decoder.push(2, &packets[2].bytes).expect("a key frame");
    decoder.finish().expect("the end");
    let picture = decoder.poll().expect("a picture").expect("whole");
    assert_eq!(picture.row, 2);
    assert!(mean_error(&picture.rgb, &self::picture(2)) < 3.0);
    for record in [&[][..], &[1, 2, 3], &[0; 40]] {
        assert!(Decoder::new(&Stream::H264(record.to_vec())).is_err());
    }
}

/// A video of `tests/golden`, and what its pictures are like.
struct Golden {
    size: [u32; 2],
    key_interval: usize,
    record: Vec<u8>,
    samples: Vec<Vec<u8>>,
    /// Of each picture the mean colours of its blocks of 16 × 16 pixels.
    blocks: Vec<Vec<[u8; 3]>>,
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("text");
            u8::from_str_radix(pair, 16).expect("digits")
        })
        .collect()
}

fn golden(text: &str) -> Golden {
    let mut golden = Golden {
        size: [0; 2],
        key_interval: 0,
        record: Vec::new(),
        samples: Vec::new(),
        blocks: Vec::new(),
    };
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["size", width, height] => {
                golden.size = [width, height].map(|side| side.parse().expect("a number"));
            }
            ["keys", interval] => golden.key_interval = interval.parse().expect("a number"),
            ["av1C", record] => golden.record = bytes_of(record),
            ["sample", sample] => golden.samples.push(bytes_of(sample)),
            ["blocks", ref blocks @ ..] => {
                let colors = bytes_of(&blocks.concat());
                golden.blocks.push(colors.as_chunks().0.to_vec());
            }
            _ => assert!(line.starts_with('#'), "{line}"),
        }
    }
    assert_eq!(golden.samples.len(), golden.blocks.len());
    golden
}

fn goldens() -> [Golden; 2] {
    [
        golden(include_str!("../../tests/golden/av1_lerobot.txt")),
        golden(include_str!("../../tests/golden/av1_bt709.txt")),
    ]
}

fn blocks_of(picture: &Picture) -> Vec<[u8; 3]> {
    let [width, height] = picture.size.map(|side| side as usize);
    let corners = (0..height / 16).flat_map(|y| (0..width / 16).map(move |x| (16 * x, 16 * y)));
    corners
        .map(|(left, top)| {
            let mut sums = [0_u32; 3];
            for row in picture.rgb.chunks(3 * width).skip(top).take(16) {
                for pixel in row.as_chunks::<3>().0[left..left + 16].iter() {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(*value);
                    }
                }
            }
            sums.map(|sum| ((sum + 128) / 256) as u8)
        })
        .collect()
}

fn assert_looks_like(picture: &Picture, golden: &Golden) {
    assert_eq!(picture.size, golden.size);
    let got = blocks_of(picture);
    let expected = &golden.blocks[picture.row as usize];
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        let near = got.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 3);
        assert!(near, "row {}: {got:?} {expected:?}", picture.row);
    }
}

#[test]
fn av1_is_decoded_as_others_do() {
    for golden in goldens() {
        let stream = Stream::Av1(golden.record.clone());
        let mut decoder = Decoder::new(&stream).expect("a decoder");
        for (row, sample) in (0..).zip(&golden.samples) {
            decoder.push(row, sample).expect("decoded");
            let picture = decoder.poll().expect("at once").expect("a picture");
            assert_eq!(picture.row, row);
            assert_looks_like(&picture, &golden);
            assert!(decoder.poll().is_none());
            decoder.recycle(picture);
        }
        decoder.finish().expect("the end");
        assert!(decoder.poll().is_none());
    }
}

#[test]
fn av1_begins_at_every_key_frame_and_nowhere_else() {
    let [golden, _] = goldens();
    let mut decoder = Decoder::new(&Stream::Av1(golden.record.clone())).expect("a decoder");
    for first in [4, 50, 0] {
        decoder
            .push(first, &golden.samples[first as usize])
            .expect("decoded");
        let picture = decoder.poll().expect("at once").expect("a picture");
        assert_looks_like(&picture, &golden);
        decoder.finish().expect("the end");
    }
    assert!(decoder.push(1, &golden.samples[1]).is_err());
    assert!(decoder.poll().is_none());
    decoder.push(2, &golden.samples[2]).expect("a key frame");
    assert_looks_like(&decoder.poll().expect("at once").expect("whole"), &golden);
}

#[test]
fn av1_headers_may_stand_in_the_description_only() {
    let [golden, _] = goldens();
    // A key frame's sample begins with its sequence header, of 12 bytes.
    let (head, first) = golden.samples[0].split_at(12);
    let record = [&golden.record[..4], head].concat();
    let mut decoder = Decoder::new(&Stream::Av1(record)).expect("a decoder");
    for (row, sample) in [(0, first), (1, &golden.samples[1])] {
        decoder.push(row, sample).expect("decoded");
        assert_looks_like(&decoder.poll().expect("at once").expect("whole"), &golden);
    }
}

#[test]
fn av1_descriptions_that_are_damaged_are_named() {
    for record in [
        &[][..],
        &[0x81, 0, 0],
        &[0; 40],
        &[0x81, 0, 12, 0, 10, 9, 1],
    ] {
        let error = Decoder::new(&Stream::Av1(record.to_vec())).expect_err("refused");
        assert!(error.to_string().contains("damaged"), "{error}");
    }
}

/// Metadata that ends before it begins: rav1d would end the program (its issue 1476).
#[test]
fn av1_metadata_stays_outside() {
    let [golden, _] = goldens();
    let metadata = [0x2f, 0x2f, 5, 4, 128, 0, 0, 0];
    let mut decoder = Decoder::new(&Stream::Av1(golden.record.clone())).expect("a decoder");
    assert!(decoder.push(0, &metadata).is_err());
    let mut sample = metadata.to_vec();
    sample.extend(&golden.samples[0]);
    decoder.push(0, &sample).expect("decoded");
    assert_looks_like(&decoder.poll().expect("at once").expect("whole"), &golden);
}

#[test]
fn damaged_av1_is_an_error_or_a_picture_and_the_next_key_frame_is_whole() {
    for golden in goldens() {
        let mut decoder = Decoder::new(&Stream::Av1(golden.record.clone())).expect("a decoder");
        let mut state = 99_u32;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for round in 0..300 {
            let mut bad = golden.samples[random(golden.samples.len())].clone();
            match round % 3 {
                0 => bad.truncate(random(bad.len())),
                1 => bad = (0..1 + random(60)).map(|_| random(256) as u8).collect(),
                _ => {}
            }
            for _ in 0..=random(4) {
                if !bad.is_empty() {
                    let at = random(bad.len());
                    bad[at] ^= 1 << random(8);
                }
            }
            decoder.push(0, &bad).ok();
            while decoder.poll().is_some() {}
            if round % 10 == 0 {
                let row = random(golden.samples.len());
                if row.is_multiple_of(golden.key_interval) {
                    decoder.finish().expect("the end");
                    decoder
                        .push(row as u32, &golden.samples[row])
                        .expect("a key frame");
                    let picture = decoder.poll().expect("a picture").expect("whole");
                    assert_looks_like(&picture, &golden);
                }
            }
        }
    }
}
