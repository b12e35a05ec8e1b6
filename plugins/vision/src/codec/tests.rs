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
