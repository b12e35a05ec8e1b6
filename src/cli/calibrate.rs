//! `forearm calibrate`: a guided calibration at the terminal, as LeRobot does it.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use forearm::calibrations::{self, Stored};
use forearm::files::{self, FirstArm};
use forearm_arm::calibration::Calibration;
use forearm_control::ControlConfig;
use forearm_control::handles::{CalibrationProcess, calibrate};
use forearm_protocol::control::{Event, Request};
use forearm_protocol::scene::Backend;
use forearm_protocol::servo::{
    CalibrationStage, CalibrationStatus, CalibrationUpdate, Device, Role, SerialArm,
};
use serde_json::json;

use super::live::{Live, buses};
use super::{Failure, OrFail, interrupt, print_json, tell};

/// How long motors may take to store again what they stored before.
const PUTTING_BACK: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct CalibrateArgs {
    /// The serial port, such as /dev/ttyACM0, COM5 or usb:SERIALNUMBER.
    #[arg(value_parser = super::parse_port)]
    port: String,
    /// LeRobot's id of the arm: names the calibration file.
    #[arg(long, value_name = "ID")]
    id: String,
    /// The arm is a leader: LeRobot's teleoperator.
    #[arg(long)]
    leader: bool,
    /// Don't calibrate: write the numbers of the calibration file into the motors.
    #[arg(long, conflicts_with = "check")]
    use_file: bool,
    /// Don't calibrate: tell whether the motors are calibrated as the file says (exit code 0), or
    /// not (1).
    #[arg(long)]
    check: bool,
    /// Print JSON, an object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &CalibrateArgs) -> Result<(), Failure> {
    let role = if args.leader {
        Role::Leader
    } else {
        Role::Follower
    };
    let stored = calibrations::load(role, &args.id).or_bad_input()?;
    let mut live = connect(args)?;
    let device = Device { arm: 0, role };
    if args.check {
        return check(args, &live, stored.as_ref());
    }
    if args.use_file {
        let Some(stored) = stored else {
            let error = anyhow!(
                "there is no calibration with the id `{}` to use; leave --use-file out to make one",
                args.id
            );
            return Err(error).or_bad_input();
        };
        return use_file(args, &mut live, device, stored);
    }
    let calibration = guide(args, &mut live, device)?;
    let place = calibrations::store(role, &args.id, &calibration).or_failed()?;
    if args.json {
        let calibration = serde_json::to_value(&calibration.motors).or_failed()?;
        print_json(&json!({ "saved": place, "calibration": calibration }))
    } else {
        tell(&format!("Calibration saved to {place}\n"))
    }
}

/// Connects to the arm, whatever its calibration.
fn connect(args: &CalibrateArgs) -> Result<Live, Failure> {
    let serial = SerialArm {
        port: args.port.clone(),
        id: Some(args.id.clone()),
    };
    let backend = Backend::Serial(serial.clone());
    let first = if args.leader {
        FirstArm {
            leader: Some(&serial),
            ..FirstArm::default()
        }
    } else {
        FirstArm {
            backend: Some(&backend),
            ..FirstArm::default()
        }
    };
    let loaded = files::load_scene(Some("empty"), first).or_bad_input()?;
    let mut live = Live::start(loaded.bundle, ControlConfig::default());
    live.connect(false)?;
    Ok(live)
}

fn check(args: &CalibrateArgs, live: &Live, stored: Option<&Stored>) -> Result<(), Failure> {
    let state = live.state.as_deref();
    let status = state.and_then(|state| Some(buses(state).first()?.bus.calibration.clone()));
    let place = stored.map(|stored| stored.place.as_str());
    if args.json {
        let matches = status == Some(CalibrationStatus::Matches);
        let differences = match &status {
            Some(CalibrationStatus::Differs(differences)) => differences.clone(),
            _ => Vec::new(),
        };
        print_json(&json!({ "matches": matches, "file": place, "differences": differences }))?;
    }
    match status {
        Some(CalibrationStatus::Matches) => {
            let place = place.unwrap_or("the file");
            if args.json {
                return Ok(());
            }
            tell(&format!("The motors are calibrated as {place} says.\n"))
        }
        Some(CalibrationStatus::Differs(differences)) => Err(anyhow!(
            "the motors are calibrated otherwise than {} says: {}",
            place.unwrap_or("the file"),
            CalibrationStatus::few(&differences)
        ))
        .or_failed(),
        _ => Err(anyhow!("there is no calibration with the id `{}`", args.id)).or_failed(),
    }
}

fn use_file(
    args: &CalibrateArgs,
    live: &mut Live,
    device: Device,
    stored: Stored,
) -> Result<(), Failure> {
    let Stored { calibration, place } = stored;
    let request = Request::SetCalibration {
        device,
        calibration,
    };
    live.ask(request, &mut |_| {})?;
    if args.json {
        return print_json(&json!({ "written": place }));
    }
    tell(&format!("{place} is in the motors now.\n"))
}

/// Leads through a calibration; answers what it came to.
fn guide(args: &CalibrateArgs, live: &mut Live, device: Device) -> Result<Calibration, Failure> {
    let enters = enters();
    let mut table = Table {
        json: args.json,
        live: !args.json && std::io::stdout().is_terminal(),
        stage: None,
    };
    let mut process = calibrate(live.control.line(), device);
    loop {
        let mut updates = Vec::new();
        live.listen(&mut |event| {
            process.note(event);
            if let Event::Calibration(update) = event {
                updates.push(update.clone());
            }
        })?;
        for update in updates {
            table.show(&update)?;
        }
        if let Some(result) = process.result() {
            let result = result.clone();
            table.end(&process)?;
            return result
                .map_err(|why| anyhow!("the arm is not calibrated: {why}"))
                .or_failed();
        }
        let gone = match enters.try_recv() {
            Ok(()) => {
                let mut next = process.next();
                // Enter too early: the answer says why nothing happened.
                if let Err(error) = live.answer(&mut next, &mut |event| process.note(event))? {
                    tracing::warn!("{error}");
                }
                false
            }
            Err(TryRecvError::Empty) => false,
            Err(TryRecvError::Disconnected) => true,
        };
        if gone || interrupt::is_told() {
            let why = if gone {
                "the input ended before it was done; run this in a terminal"
            } else {
                "interrupted"
            };
            let end = put_back(live, &mut process)?;
            return Err(anyhow!("{why}: {end}")).or_failed();
        }
    }
}

/// Cancels, and waits until the motors store again what they stored before; answers how it ended.
fn put_back(live: &mut Live, process: &mut CalibrationProcess) -> Result<String, Failure> {
    let mut stop = process.stop();
    live.answer(&mut stop, &mut |event| process.note(event))?
        .or_failed()?;
    let until = Instant::now() + PUTTING_BACK;
    while Instant::now() < until {
        live.listen(&mut |event| process.note(event))?;
        if let Some(result) = process.result() {
            return Ok(match result {
                Ok(_) => "it had just ended; the new calibration is in the motors".to_owned(),
                Err(why) => why.clone(),
            });
        }
    }
    Ok("the motors did not take back what they stored before; calibrate again".to_owned())
}

/// Each time that Enter is pressed.
fn enters() -> Receiver<()> {
    let (sender, receiver) = sync_channel(4);
    let read = move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || sender.send(()).is_err() {
                break;
            }
        }
    };
    let spawned = std::thread::Builder::new()
        .name("enter".to_owned())
        .spawn(read)
        .context("no thread to listen for Enter");
    if let Err(error) = spawned {
        tracing::error!("{error:#}");
    }
    receiver
}

/// LeRobot's table of ranges, in place on a terminal.
struct Table {
    json: bool,
    live: bool,
    stage: Option<CalibrationStage>,
}

impl Table {
    fn show(&mut self, update: &CalibrationUpdate) -> Result<(), Failure> {
        let begins = self.stage.replace(update.stage) != Some(update.stage);
        if self.json {
            if begins || update.stage == CalibrationStage::Ranges {
                return print_json(&serde_json::to_value(update).or_failed()?);
            }
            return Ok(());
        }
        if begins {
            let prompt = match update.stage {
                CalibrationStage::Middle | CalibrationStage::Ranges => " Then press Enter.",
                _ => "",
            };
            // What is left of the table above.
            let wipe = if self.live { "\x1b[J" } else { "" };
            tell(&format!("{wipe}{}{prompt}\n", update.instruction))?;
        }
        if self.live && update.stage == CalibrationStage::Ranges {
            let text = ranges(update);
            let up = text.lines().count();
            // A closed terminal only ends the display.
            write!(std::io::stdout().lock(), "{text}\x1b[{up}A\r").ok();
        }
        Ok(())
    }

    /// Leaves the last table on the screen.
    fn end(&self, process: &CalibrationProcess) -> Result<(), Failure> {
        match process.state() {
            Some(update) if !self.json => tell(&ranges(update)),
            _ => Ok(()),
        }
    }
}

fn ranges(update: &CalibrationUpdate) -> String {
    let head = format!(
        "{}\n{:<15} | {:>6} | {:>6} | {:>6}\n",
        "-".repeat(43),
        "NAME",
        "MIN",
        "POS",
        "MAX"
    );
    let rows = update.joints.iter().filter(|joint| joint.measured);
    rows.fold(head, |text, joint| {
        text + &format!(
            "{:<15} | {:>6} | {:>6} | {:>6}\n",
            joint.name, joint.min, joint.position, joint.max
        )
    })
}
