//! Whether a request can be carried out at all: worlds, slots, agents, and the numbers of actions.

use std::ops::Range;

use forearm_protocol::Buffer;
use forearm_protocol::ServiceError;
use forearm_protocol::env::EnvSpec;
use forearm_protocol::env::messages::{MAX_REPLY_BYTES, MAX_SNAPSHOTS, Show, Worlds, agent_index};

use super::refusals::{no_world, refused};

/// The worlds that are meant.
pub(super) fn worlds_of(
    request: &str,
    worlds: Worlds,
    count: usize,
) -> Result<Range<usize>, ServiceError> {
    match worlds {
        Worlds::All => Ok(0..count),
        Worlds::One(world) if (world as usize) < count => Ok(world as usize..world as usize + 1),
        Worlds::One(world) => Err(no_world(request, world, count)),
    }
}

/// Checks the number of a kept state.
pub(super) fn slot_of(request: &str, slot: u32) -> Result<u32, ServiceError> {
    if slot < MAX_SNAPSHOTS {
        return Ok(slot);
    }
    Err(refused(
        request,
        format!("there is no slot {slot}"),
        format!("name one of 0 to {}", MAX_SNAPSHOTS - 1),
    ))
}

/// Checks that an answer is not larger than anybody can take.
pub(super) fn size_of_reply(
    request: &str,
    spec: &EnvSpec,
    steps: usize,
    worlds: usize,
    show: Option<&Show>,
) -> Result<(), ServiceError> {
    let numbers = spec.observation_len() + spec.agents.len();
    let rows = 4 * numbers as u64 + 3;
    let rows = rows
        .saturating_mul(steps as u64)
        .saturating_mul(worlds as u64);
    let bytes = rows.saturating_add(show.map_or(0, |show| pictures_len(spec, worlds, show)));
    if bytes <= MAX_REPLY_BYTES {
        return Ok(());
    }
    Err(refused(
        request,
        format!("its answer would have {bytes} bytes, and may have {MAX_REPLY_BYTES}"),
        "ask for fewer steps at a time, or for the pictures of one world",
    ))
}

/// Bytes of the pictures that are to be shown.
fn pictures_len(spec: &EnvSpec, worlds: usize, show: &Show) -> u64 {
    let worlds = match show.worlds {
        Worlds::All => worlds as u64,
        Worlds::One(_) => 1,
    };
    let pictures = show.pictures.then(|| spec.images_len() as u64 / 3 * 4);
    worlds.saturating_mul(pictures.unwrap_or(0))
}

/// Reads actions into `out`, in the environment's order: `[steps][worlds][actions of all agents]`.
pub(super) fn read_actions(
    request: &str,
    spec: &EnvSpec,
    (steps, worlds): (usize, usize),
    agents: &[String],
    actions: &Buffer,
    out: &mut Vec<f32>,
) -> Result<(), ServiceError> {
    let row = spec.action_len();
    let count = steps * worlds * row;
    let fits = actions.len() == 4 * count && {
        out.clear();
        out.resize(count, 0.0);
        actions.read_f32(out)
    };
    if !fits {
        let parts = spec.agents.iter();
        let parts = parts.map(|agent| format!("`{}` {}", agent.name, agent.action_len));
        let parts = parts.collect::<Vec<_>>().join(", ");
        return Err(refused(
            request,
            format!(
                "its actions have {} bytes, and {} were expected",
                actions.len(),
                4 * count
            ),
            format!(
                "send {count} numbers of 4 bytes: steps {steps} × worlds {worlds} × actions {row} ({parts})"
            ),
        ));
    }
    if let Some(at) = out.iter().position(|number| !number.is_finite()) {
        return Err(no_number(request, spec, worlds, agents, out, at));
    }
    if !agents.is_empty() {
        reorder(request, spec, agents, out)?;
    }
    Ok(())
}

/// Says which number is none.
fn no_number(
    request: &str,
    spec: &EnvSpec,
    worlds: usize,
    agents: &[String],
    actions: &[f32],
    at: usize,
) -> ServiceError {
    let row = spec.action_len().max(1);
    let (step, world) = (at / row / worlds.max(1), at / row % worlds.max(1));
    let mut left = at % row;
    let named = agents
        .iter()
        .filter_map(|name| agent_index(spec, name).ok());
    let order: Vec<usize> = match agents.is_empty() {
        true => (0..spec.agents.len()).collect(),
        false => named.collect(),
    };
    let mut place = format!("number {left}");
    for agent in order.into_iter().filter_map(|index| spec.agents.get(index)) {
        if let Some(joint) = agent.joints.get(left) {
            place = format!("agent `{}`, joint `{joint}`", agent.name);
            break;
        }
        left = left.saturating_sub(agent.action_len as usize);
    }
    refused(
        request,
        format!(
            "an action is {} (step {step}, world {world}, {place})",
            actions.get(at).copied().unwrap_or(f32::NAN)
        ),
        "send finite numbers, −1 to 1",
    )
}

/// Puts rows that name their agents into the environment's order.
fn reorder(
    request: &str,
    spec: &EnvSpec,
    agents: &[String],
    actions: &mut [f32],
) -> Result<(), ServiceError> {
    let mut order = Vec::with_capacity(agents.len());
    for name in agents {
        let index = agent_index(spec, name).map_err(|known| {
            refused(
                request,
                format!("there is no agent `{name}`"),
                format!("name {known}"),
            )
        })?;
        if order.contains(&index) {
            return Err(refused(
                request,
                format!("agent `{name}` is named twice"),
                "name every agent once",
            ));
        }
        order.push(index);
    }
    if let Some(left_out) = (0..spec.agents.len()).find(|index| !order.contains(index)) {
        return Err(refused(
            request,
            format!("agent `{}` has no action", spec.agents[left_out].name),
            "name every agent once",
        ));
    }
    let len = |index: usize| spec.agents[index].action_len as usize;
    let first = |index: usize| -> usize { (0..index).map(len).sum() };
    let mut row = vec![0.0; spec.action_len()];
    for actions in actions.chunks_exact_mut(row.len().max(1)) {
        let mut at = 0;
        for &index in &order {
            row[first(index)..][..len(index)].copy_from_slice(&actions[at..][..len(index)]);
            at += len(index);
        }
        actions.copy_from_slice(&row);
    }
    Ok(())
}
