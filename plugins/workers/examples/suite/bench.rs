//! How fast messages go between a page and a worker.

use forearm_protocol::Buffer;
use forearm_workers::Host;
use js_sys::ArrayBuffer;
use wasm_bindgen::JsValue;
use web_time::Instant;

use crate::object;
use crate::suite::probe::{Ask, Said, Setup, spawn};

const FRAME_BYTES: u32 = 640 * 480 * 4;

/// Frames on their way at once, so that the clock of a page, which counts tenths of a millisecond,
/// can tell what one of them costs.
const FRAMES: usize = 10;

pub(crate) async fn echo_round_trips(count: u32) -> Result<JsValue, String> {
    let handle = spawn(Setup::default(), Host::Thread);
    let mut millis = Vec::new();
    // The first ones warm up what is compiled late.
    for number in 0..count + 50 {
        let start = Instant::now();
        let answer = handle.request(Ask::Echo(number)).await;
        answer.map_err(|error| error.to_string())?;
        if number >= 50 {
            millis.push(since(start));
        }
    }
    let mean = millis.iter().sum::<f64>() / f64::from(count.max(1));
    Ok(object(&[
        ("count", count.into()),
        ("mean", mean.into()),
        ("p50", quantile(&mut millis, 0.5).into()),
        ("p99", quantile(&mut millis, 0.99).into()),
        ("max", quantile(&mut millis, 1.0).into()),
    ]))
}

pub(crate) async fn frame_hand_over(count: u32) -> Result<JsValue, String> {
    let handle = spawn(Setup::default(), Host::Thread);
    let answer = handle.request(Ask::Echo(0)).await;
    answer.map_err(|error| error.to_string())?;
    let (mut costs, mut round_trips) = (Vec::new(), Vec::new());
    let mut frames: Vec<Buffer> = (0..FRAMES)
        .map(|_| ArrayBuffer::new(FRAME_BYTES).into())
        .collect();
    for _ in 0..count {
        let start = Instant::now();
        let pending: Vec<_> = frames
            .drain(..)
            .map(|frame| handle.request(Ask::Return(frame)))
            .collect();
        costs.push(since(start) / FRAMES as f64);
        for pending in pending {
            frames.push(returned(pending.await)?);
        }
        // And one alone, there and back.
        if let Some(frame) = frames.pop() {
            let start = Instant::now();
            frames.push(returned(handle.request(Ask::Return(frame)).await)?);
            round_trips.push(since(start));
        }
    }
    let mean = costs.iter().sum::<f64>() / f64::from(count.max(1));
    Ok(object(&[
        ("count", count.into()),
        ("bytes", FRAME_BYTES.into()),
        ("cost_mean", mean.into()),
        ("cost_p50", quantile(&mut costs, 0.5).into()),
        ("cost_p99", quantile(&mut costs, 0.99).into()),
        ("round_trip_p50", quantile(&mut round_trips, 0.5).into()),
        ("round_trip_p99", quantile(&mut round_trips, 0.99).into()),
    ]))
}

/// The frame, whole.
fn returned(answer: Result<Said, forearm_protocol::ServiceError>) -> Result<Buffer, String> {
    match answer.map_err(|error| error.to_string())? {
        Said::Frame(frame) if frame.len() == FRAME_BYTES as usize => Ok(frame),
        other => Err(format!("{other:?} came back")),
    }
}

fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn quantile(millis: &mut [f64], quantile: f64) -> f64 {
    millis.sort_by(f64::total_cmp);
    let last = millis.len().saturating_sub(1) as f64;
    let at = (last * quantile).round() as usize;
    millis.get(at).copied().unwrap_or_default()
}
