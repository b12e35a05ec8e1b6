//! What is refused, and in which words.

use forearm_protocol::Buffer;
use forearm_protocol::ServiceError;
use forearm_protocol::env::messages::{Request, Show, Worlds};
use forearm_workers::Host;

use super::toy::FINE;
use super::{Outcome, ensure, ensure_eq, init, reset, rig, running, step};

const SHOW: Show = Show {
    worlds: Worlds::All,
    pictures: false,
};

fn rollout(steps: u32, numbers: usize) -> Request {
    Request::Rollout {
        steps,
        agents: Vec::new(),
        actions: Buffer::from(vec![0.0_f32; numbers].as_slice()),
        show: None,
    }
}

fn named(agents: &[&str], actions: &[f32]) -> Request {
    Request::Step {
        agents: agents.iter().map(|&name| name.to_owned()).collect(),
        actions: Buffer::from(actions),
        show: None,
    }
}

fn restore(slot: u32, worlds: Worlds) -> Request {
    Request::Restore {
        slot,
        worlds,
        show: None,
    }
}

pub(super) async fn without_an_environment_everything_says_what_to_do(host: Host) -> Outcome {
    let mut rig = rig(host);
    for request in [
        reset(1),
        step(&[]),
        rollout(1, 3),
        Request::Render(SHOW),
        Request::Snapshot { world: 0, slot: 0 },
        restore(0, Worlds::All),
    ] {
        let name = forearm_protocol::Message::name(&request);
        let error = rig.refusal(request).await?;
        ensure!(matches!(error, ServiceError::Refused { .. }), "{error:?}");
        ensure_eq!(
            error.to_string(),
            format!("`{name}` was refused: there is no environment; send `env/init` first")
        );
    }
    Ok(())
}

pub(super) async fn without_a_reset_nothing_steps(host: Host) -> Outcome {
    let mut rig = rig(host);
    rig.ask(init(FINE, 2)).await?;
    for request in [
        step(&[0.0; 6]),
        rollout(1, 6),
        Request::Snapshot { world: 0, slot: 0 },
    ] {
        let text = rig.refusal(request).await?.to_string();
        ensure!(
            text.contains("world 0 has no episode yet") && text.contains("send `env/reset`"),
            "{text}"
        );
    }
    rig.ask(Request::Reset {
        seed: 3,
        worlds: Worlds::One(0),
        show: None,
    })
    .await?;
    let text = rig.refusal(step(&[0.0; 6])).await?.to_string();
    ensure!(text.contains("world 1 has no episode yet"), "{text}");
    Ok(())
}

pub(super) async fn wrong_requests_say_what_is_wrong(host: Host) -> Outcome {
    let mut rig = running(host, FINE, 2).await?;
    let nan = f32::NAN;
    for (request, parts) in [
        (
            step(&[0.0; 5]),
            &["20 bytes", "send 6 numbers", "`left` 1, `right` 2"][..],
        ),
        (step(&[0.0; 7]), &["28 bytes", "24 were expected"]),
        (
            step(&[0.0, 0.0, 0.0, 0.0, 0.0, nan]),
            &["is NaN", "world 1, agent `right`, joint `right_1`"],
        ),
        (
            step(&[f32::INFINITY, 0.0, 0.0, 0.0, 0.0, 0.0]),
            &["is inf", "world 0, agent `left`, joint `left_0`"],
        ),
        (
            named(&["right", "left"], &[0.0, 0.0, nan, 0.0, 0.0, 0.0]),
            &["world 0, agent `left`, joint `left_0`"],
        ),
        (
            named(&["left", "middle"], &[0.0; 6]),
            &["no agent `middle`", "`left`, `right`"],
        ),
        (
            named(&["left", "left"], &[0.0; 6]),
            &["`left` is named twice"],
        ),
        (
            named(&["left"], &[0.0; 6]),
            &["agent `right` has no action"],
        ),
        (rollout(0, 0), &["no steps"]),
        (
            rollout(2, 6),
            &["24 bytes", "steps 2 × worlds 2 × actions 3"],
        ),
        (rollout(u32::MAX, 0), &["bytes, and may have"]),
        (
            Request::Reset {
                seed: 0,
                worlds: Worlds::One(2),
                show: None,
            },
            &["no world 2", "0 to 1"],
        ),
        (
            Request::Render(Show {
                worlds: Worlds::One(9),
                pictures: false,
            }),
            &["no world 9"],
        ),
        (
            Request::Render(Show {
                pictures: true,
                ..SHOW
            }),
            &["no cameras", "configuration"],
        ),
        (Request::Snapshot { world: 4, slot: 0 }, &["no world 4"]),
        (
            Request::Snapshot {
                world: 0,
                slot: 9999,
            },
            &["no slot 9999", "0 to 4095"],
        ),
        (
            restore(3, Worlds::All),
            &["nothing is kept in slot 3", "`env/snapshot`"],
        ),
    ] {
        let name = forearm_protocol::Message::name(&request);
        let text = rig.refusal(request).await?.to_string();
        for part in [name, "was refused"].iter().chain(parts) {
            ensure!(text.contains(part), "{text} (lacks: {part})");
        }
    }
    // Nothing of that has moved anything.
    let pending = rig.handle.request(step(&[0.0; 6]));
    ensure_eq!(rig.came(pending).await?.infos.steps, [1, 1]);
    Ok(())
}
