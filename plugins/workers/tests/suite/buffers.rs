//! Large parts of messages.

use forearm_workers::Host;

use super::probe::{Ask, Said, Setup, Tell, Told, spawn};
use super::wait::{ask, until};
use super::{Outcome, ensure, ensure_eq};

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 31 % 251) as u8).collect()
}

pub(super) async fn buffers_arrive_with_their_bytes_both_ways(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    for (first, second) in [(640 * 480 * 4, 3), (0, 1), (0, 0)] {
        let (first, second) = (bytes(first), bytes(second));
        let both = first.iter().chain(&second);
        let expected: Vec<u8> = both.map(|byte| byte.wrapping_add(1)).collect();
        let frame = Ask::Frame {
            first: first.into(),
            second: second.into(),
        };
        let Said::Frame(frame) = ask(&handle, frame).await? else {
            return Err("no frame came back".to_owned());
        };
        // Not compared as a whole: a message of a million bytes helps nobody.
        ensure_eq!(frame.len(), expected.len());
        ensure!(frame.into_vec() == expected, "bytes differ");
    }
    Ok(())
}

/// Natively it is the same memory that comes back; in the browser the sender's is detached.
pub(super) async fn a_sent_buffer_is_not_copied(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    #[cfg(not(target_family = "wasm"))]
    {
        let frame = bytes(1_000_000);
        let place = frame.as_ptr().addr();
        let Said::Frame(frame) = ask(&handle, Ask::Return(frame.into())).await? else {
            return Err("no frame came back".to_owned());
        };
        let frame = frame.into_vec();
        ensure_eq!(frame.as_ptr().addr(), place);
    }
    #[cfg(target_family = "wasm")]
    {
        let ours = forearm_protocol::Buffer::from(bytes(1_000_000)).into_js();
        let Said::Frame(frame) = ask(&handle, Ask::Return(ours.clone().into())).await? else {
            return Err("no frame came back".to_owned());
        };
        ensure_eq!(frame.len(), 1_000_000);
        let left = if host == Host::Thread { 0 } else { 1_000_000 };
        ensure_eq!(ours.byte_length(), left);
    }
    Ok(())
}

pub(super) async fn buffers_travel_in_events_and_feeds(host: Host) -> Outcome {
    let handle = spawn(Setup::default(), host);
    let fed = spawn(Setup::default(), host);
    handle.feed_into(&fed);
    let frame = bytes(5000);
    let event = Told::Frame(frame.clone().into());
    for (tell, from) in [
        (Tell::EmitFrame(frame.clone().into()), &handle),
        (Tell::FeedFrame(frame.into()), &fed),
    ] {
        ensure_eq!(handle.send(tell), Ok(()));
        until(&handle, "the frame", || {
            fed.pump(std::time::Duration::from_millis(1));
            from.try_event() == Some(event.clone())
        })
        .await?;
    }
    Ok(())
}
