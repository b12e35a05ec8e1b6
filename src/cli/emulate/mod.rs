//! `forearm emulate`: simulated arms as serial ports, for LeRobot, Feetech's SDK, or Forearm itself.

mod commands;

use std::io::BufRead;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use forearm::calibrations;
use forearm::files::{self, FirstArm};
use forearm_arm::ArmModel;
use forearm_control::{
    ControlConfig, ControlService, ControlSetup, ServedArm, ServedAt, ServedWire, Startup,
};
use forearm_protocol::control::{Command, Event, JointState, Notice, Reply, Request, StateUpdate};
use forearm_protocol::scene::SceneBundle;
use forearm_protocol::servo::{Role, ServedFaults};
use forearm_workers::{Handle, Host, Pending, RestartPolicy, supervise};
use serde_json::json;

use super::teleoperate::read_script;
use super::{Failure, OrFail, interrupt, print_json, tell, window};
use commands::{Hand, Order};

/// How often events and orders are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How many orders may wait.
const ORDERS: usize = 64;
/// A joint within this of its place, radians (metres), and slower than this a second, has arrived.
const NEAR: f64 = 0.02;
/// An arm with a joint faster than this moves, radians (metres) a second; slower ones only settle.
const MOVES: f64 = 0.3;

#[derive(Debug, clap::Args)]
pub(crate) struct EmulateArgs {
    /// A built-in scene's name (see `forearm scene list`) or a scene file. All its arms are served.
    #[arg(long, value_name = "NAME|FILE")]
    scene: Option<String>,
    /// A link to the port, at this path; the first for the first arm, and so on. An arm without one
    /// is where the system puts it.
    #[arg(long = "port-link", value_name = "PATH")]
    links: Vec<String>,
    /// Motors that are calibrated, each with a calibration file for LeRobot and Forearm, as a robot's
    /// and as a teleoperator's, under the id `emulated_` and the arm's name. Otherwise the motors
    /// have ids and nothing else, like those of a newly built arm.
    #[arg(long)]
    calibrated: bool,
    /// Open the window: keys, sliders, gamepad and mouse are the hand that moves an arm whose torque
    /// is off.
    #[arg(long)]
    gui: bool,
    /// What a hand does from the start on, again and again, while the torque is off: a motion file,
    /// or a built-in motion, such as `ranges`. Without it the hand holds still.
    #[arg(long, value_name = "FILE|NAME", conflicts_with = "gui")]
    hand: Option<String>,
    /// How long a reply takes through the USB adapter, milliseconds.
    #[arg(long, default_value_t = 1.0, value_name = "MS", value_parser = parse_latency)]
    latency_ms: f64,
    /// How long a motor takes to begin its reply, microseconds.
    #[arg(long, default_value_t = 20.0, value_name = "US", value_parser = parse_latency)]
    turnaround_us: f64,
    /// Bytes take no time on the wire: as fast as the machine goes.
    #[arg(long)]
    no_wire_time: bool,
    /// Share of replies that don't arrive, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = parse_share)]
    drop: f64,
    /// Share of replies that are damaged, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = parse_share)]
    corrupt: f64,
    /// Share of replies that come late, 0 to 1, by --delay-ms.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = parse_share)]
    delay: f64,
    /// How late those come, milliseconds.
    #[arg(long, default_value_t = 30.0, value_name = "MS", value_parser = parse_latency)]
    delay_ms: f64,
    /// Share of replies that say another motor's id, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = parse_share)]
    wrong_id: f64,
    /// What is written to the port is read from it again, as with some adapters.
    #[arg(long)]
    echo: bool,
    /// Decides what goes wrong when, and how the motors sit on their shafts.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Supply of the motors, volts.
    #[arg(long, default_value_t = 7.4, value_name = "VOLTS", value_parser = parse_volts)]
    volts: f64,
    #[command(flatten)]
    window: window::WindowArgs,
    /// Print JSON, an object a line: first the ports, then what happens.
    #[arg(long)]
    json: bool,
}

/// Simulated world and servos are coupled this often a second: each step of the simulation.
const RATE_HZ: f64 = 500.0;

pub(crate) fn run(args: &EmulateArgs, log: &str) -> Result<(), Failure> {
    if !args.gui {
        forearm::logging::init(log).or_bad_input()?;
    }
    let reference = args.scene.as_deref();
    let loaded = files::load_scene(reference, FirstArm::default()).or_bad_input()?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    let bundle = Arc::new(loaded.bundle.simulated());
    let models = bundle.arm_models().or_bad_input()?;
    if args.links.len() > models.len() {
        let error = anyhow::anyhow!(
            "{} links for {} arms; expected one link an arm at most",
            args.links.len(),
            models.len()
        );
        return Err(error).or_bad_input();
    }
    let served = served(args, &bundle, &models).or_bad_input()?;
    let config = ControlConfig {
        served,
        ..ControlConfig::at_rate(RATE_HZ).or_bad_input()?
    };
    if args.gui {
        let scene_id = reference.unwrap_or(files::default_scene());
        return window::emulate(bundle, scene_id, config, &args.window, log);
    }
    let hand = args.hand.as_deref().map(read_script).transpose();
    let hand = hand.or_bad_input()?;
    Bench::new(args, bundle, models, config).serve(hand, args.window.duration())
}

/// How each arm of the scene is served.
fn served(
    args: &EmulateArgs,
    bundle: &SceneBundle,
    models: &[Arc<ArmModel>],
) -> anyhow::Result<Vec<ServedArm>> {
    let mut all = Vec::new();
    for (arm, (spec, model)) in bundle.scene.arms.iter().zip(models).enumerate() {
        let link = args.links.get(arm).cloned();
        let mut served = ServedArm {
            mount_ticks: mount_ticks(args.seed, arm, model.dof()),
            wire: ServedWire {
                latency_secs: args.latency_ms / 1e3,
                turnaround_secs: args.turnaround_us / 1e6,
                takes_time: !args.no_wire_time,
            },
            faults: ServedFaults {
                drop: args.drop,
                corrupt: args.corrupt,
                delay: args.delay,
                delay_secs: args.delay_ms / 1e3,
                wrong_id: args.wrong_id,
                drop_requests: 0.0,
                echo: args.echo,
            },
            seed: args.seed.wrapping_add(arm as u64),
            volts: args.volts,
            ..ServedArm::new(arm, ServedAt::Pty(link))
        };
        if args.calibrated {
            let calibration = served.right_calibration(model);
            let id = format!("emulated_{}", spec.name);
            for role in [Role::Follower, Role::Leader] {
                calibrations::store(role, &id, &calibration)?;
            }
            served.calibration = Some(calibration);
        }
        all.push(served);
    }
    Ok(all)
}

/// How the motors of an arm sit on their shafts: anyhow, as in real arms, but so that a joint's range
/// stays within one turn of the encoder.
fn mount_ticks(seed: u64, arm: usize, joints: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (arm as u64 + 1);
    let mut ticks = Vec::with_capacity(joints);
    for _ in 0..joints {
        // Xorshift: any spread will do.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ticks.push(1848.0 + (state % 401) as f64);
    }
    ticks
}

/// The served arms, and who orders what.
struct Bench {
    json: bool,
    calibrated: bool,
    names: Vec<String>,
    models: Vec<Arc<ArmModel>>,
    control: Handle<ControlService>,
    /// What was ordered, asked and not answered yet.
    asked: Vec<(String, Pending<ControlService>)>,
    /// What was ordered, and where which arm's joints go by it, radians (metres).
    arriving: Vec<(String, usize, Vec<f64>)>,
    /// Whether each arm moves.
    moves: Vec<bool>,
    /// Motions that hands repeat, one an arm.
    hands: Vec<Option<String>>,
    ports_told: bool,
}

impl Bench {
    fn new(
        args: &EmulateArgs,
        bundle: Arc<SceneBundle>,
        models: Vec<Arc<ArmModel>>,
        config: ControlConfig,
    ) -> Self {
        let names = bundle.scene.arms.iter().map(|arm| arm.name.clone());
        Self {
            json: args.json,
            calibrated: args.calibrated,
            hands: vec![None; models.len()],
            moves: vec![false; models.len()],
            names: names.collect(),
            models,
            control: supervise(
                ControlSetup {
                    config,
                    startup: Startup {
                        bundle: Some(bundle),
                        start: true,
                        ..Startup::default()
                    },
                },
                Host::Thread,
                RestartPolicy::default(),
            ),
            asked: Vec::new(),
            arriving: Vec::new(),
            ports_told: false,
        }
    }

    fn serve(mut self, hand: Option<String>, duration_secs: Option<f64>) -> Result<(), Failure> {
        interrupt::listen();
        if let Some(text) = hand {
            for arm in 0..self.hands.len() {
                self.repeat("hand", arm, text.clone());
            }
        }
        let orders = orders();
        let until = duration_secs.map(|secs| Instant::now() + Duration::from_secs_f64(secs));
        while !interrupt::is_told() && until.is_none_or(|until| Instant::now() < until) {
            self.listen()?;
            while let Ok(line) = orders.try_recv() {
                match commands::parse(&line, &self.names, &self.models) {
                    Ok(Some(Order::Quit)) => return self.tell_counts(),
                    Ok(Some(order)) => self.carry_out(line.trim(), order)?,
                    Ok(None) => {}
                    Err(error) => self.say("error", &error)?,
                }
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.tell_counts()?;
        // Ports and links go away with it.
        self.control.stop();
        Ok(())
    }

    /// Tells what was made to go wrong.
    fn tell_counts(&self) -> Result<(), Failure> {
        let answer = self.control.request_blocking(Request::Inspect);
        let Ok(Reply::Inspection(inspection)) = answer else {
            return Ok(());
        };
        for counts in &inspection.served {
            let name = &self.names[counts.arm];
            if self.json {
                print_json(&json!({ "served": name, "counts": counts }))?;
            } else if counts.dropped + counts.corrupted + counts.delayed + counts.wrong_ids > 0 {
                tell(&format!(
                    "{name}: of {} replies {} were dropped, {} damaged, {} late, {} of a wrong id\n",
                    counts.replies,
                    counts.dropped,
                    counts.corrupted,
                    counts.delayed,
                    counts.wrong_ids
                ))?;
            }
        }
        Ok(())
    }

    /// Tells what happened.
    fn listen(&mut self) -> Result<(), Failure> {
        let events: Vec<_> = self.control.events().collect();
        for event in events {
            match event {
                Event::State(state) => {
                    if !std::mem::replace(&mut self.ports_told, true) {
                        self.tell_ports(&state)?;
                    }
                    self.tell_arrivals(&state)?;
                    self.tell_moves(&state)?;
                }
                Event::ScriptDone { arm } => {
                    if let Some(text) = self.hands[arm].clone() {
                        self.play("hand", arm, text);
                    }
                }
                Event::Notice(Notice { text, .. }) => self.say("notice", &text)?,
                _ => {}
            }
        }
        let mut answers = Vec::new();
        self.asked
            .retain_mut(|(order, asked)| match asked.try_take() {
                None => true,
                Some(answer) => {
                    answers.push((std::mem::take(order), answer));
                    false
                }
            });
        for (order, answer) in answers {
            match answer {
                Ok(_) => self.done(&order)?,
                Err(error) => self.say("error", &error.to_string())?,
            }
        }
        match self.control.status().failure {
            Some(failure) => Err(failure).or_failed(),
            None => Ok(()),
        }
    }

    /// Tells whose joints have got to where they were ordered.
    fn tell_arrivals(&mut self, state: &StateUpdate) -> Result<(), Failure> {
        let mut arrived = Vec::new();
        self.arriving.retain(|(order, arm, positions)| {
            let joints = state.arms.get(*arm).map_or(&[][..], |arm| &arm.joints);
            let near = |(joint, position): (&JointState, &f64)| {
                (joint.position - position).abs() < NEAR && joint.velocity.abs() < NEAR
            };
            let there = joints.iter().zip(positions).all(near);
            if there {
                arrived.push(order.clone());
            }
            !there
        });
        arrived.iter().try_for_each(|order| self.done(order))
    }

    /// Programs want to know when an arm begins to move, and when it rests again.
    fn tell_moves(&mut self, state: &StateUpdate) -> Result<(), Failure> {
        for (arm, now) in state.arms.iter().enumerate() {
            let speeds = now.joints.iter().map(|joint| joint.velocity.abs());
            let moves = speeds.fold(0.0, f64::max) > MOVES;
            let before = self.moves.get_mut(arm);
            let changed = before.is_some_and(|before| std::mem::replace(before, moves) != moves);
            if changed && self.json {
                let what = if moves { "moves" } else { "rests" };
                self.say(what, &self.names[arm])?;
            }
        }
        Ok(())
    }

    fn tell_ports(&self, state: &StateUpdate) -> Result<(), Failure> {
        let ports = state.arms.iter().map(|arm| arm.backend.as_str());
        let ports: Vec<_> = self.names.iter().zip(ports).collect();
        if self.json {
            let arms: Vec<_> = ports
                .iter()
                .map(|(name, port)| json!({ "name": name, "port": port }))
                .collect();
            return print_json(&json!({ "arms": arms }));
        }
        for (name, port) in ports {
            let id = match self.calibrated {
                true => format!(", --id emulated_{name}"),
                false => String::new(),
            };
            tell(&format!("{name}: {port}{id}\n"))?;
        }
        tell("Ctrl-C ends it; `help` and Enter lists what can happen meanwhile.\n")
    }

    fn say(&self, what: &str, text: &str) -> Result<(), Failure> {
        if self.json {
            print_json(&json!({ what: text }))
        } else {
            tell(&format!("{text}\n"))
        }
    }

    /// Programs want to know when what they ordered is done.
    fn done(&self, order: &str) -> Result<(), Failure> {
        if self.json {
            return self.say("done", order);
        }
        Ok(())
    }

    fn carry_out(&mut self, line: &str, order: Order) -> Result<(), Failure> {
        match order {
            Order::Help => self.say("help", commands::HELP),
            Order::Happens { arm, incident } => {
                let request = Request::Incident { arm, incident };
                let asked = self.control.request(request);
                self.asked.push((line.to_owned(), asked));
                Ok(())
            }
            Order::Hand { arm, hand } => {
                match hand {
                    Hand::Repeat(text) => self.repeat(line, arm, text),
                    Hand::To(positions) => {
                        self.hands[arm] = None;
                        self.arriving
                            .push((line.to_owned(), arm, positions.clone()));
                        let target = Command::JointTargets { arm, positions };
                        self.control.send(target).or_failed()?;
                    }
                }
                Ok(())
            }
            // Seen by whoever asked for orders.
            Order::Quit => Ok(()),
        }
    }

    fn repeat(&mut self, order: &str, arm: usize, text: String) {
        self.hands[arm] = Some(text.clone());
        self.play(order, arm, text);
    }

    fn play(&mut self, order: &str, arm: usize, text: String) {
        let request = Request::PlayScript { arm, text };
        let asked = self.control.request(request);
        self.asked.push((order.to_owned(), asked));
    }
}

/// Lines of the input, as they come. When it ends there are no more; serving goes on.
fn orders() -> Receiver<String> {
    let (sender, receiver) = sync_channel(ORDERS);
    let read = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    };
    let spawned = std::thread::Builder::new()
        .name("orders".to_owned())
        .spawn(read);
    if let Err(error) = spawned {
        tracing::warn!("no orders are taken: {error}");
    }
    receiver
}

/// A number within a range.
fn parse_within(text: &str, most: f64, what: &str) -> anyhow::Result<f64> {
    let number: f64 = text
        .parse()
        .ok()
        .context(format!("`{text}` is not a number"))?;
    if !(0.0..=most).contains(&number) {
        bail!("{number} is no {what}; expected 0 to {most}");
    }
    Ok(number)
}

fn parse_share(text: &str) -> Result<f64, String> {
    parse_within(text, 1.0, "share").map_err(|error| error.to_string())
}

pub(super) fn parse_latency(text: &str) -> Result<f64, String> {
    parse_within(text, 1000.0, "such time").map_err(|error| error.to_string())
}

fn parse_volts(text: &str) -> Result<f64, String> {
    parse_within(text, 24.0, "supply").map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn motors_sit_anyhow_and_every_range_stays_within_a_turn() {
        let model = forearm_arm::so101::so101();
        let mut seen = Vec::new();
        for arm in 0..3 {
            let ticks = mount_ticks(7, arm, model.dof());
            assert_eq!(ticks, mount_ticks(7, arm, model.dof()), "the same seed");
            for (joint, zero) in model.joints.iter().zip(&ticks) {
                for end in [joint.limits.lower, joint.limits.upper] {
                    let tick = forearm_arm::units::ticks_from_radians(end, *zero);
                    assert!((0.0..4096.0).contains(&tick), "{}: {tick}", joint.name);
                }
            }
            assert!(!seen.contains(&ticks));
            seen.push(ticks);
        }
    }
}
