//! The command line: what can be asked, and how a failure is told.
//!
//! Exit codes: 0 done, 1 something failed while running, 2 the input was wrong (a flag, a file).

mod arm;
mod bench;
mod bus;
mod calibrate;
mod dataset;
mod emulate;
mod find_port;
mod interrupt;
mod live;
mod motors;
mod record;
mod release;
mod scene;
mod setup_motors;
mod snapshot;
mod teleoperate;
mod trials;
mod window;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use forearm::DEFAULT_LOG;
use forearm::files::{self, FirstArm, LoadedScene};
use forearm_control::OnExit;
use forearm_protocol::scene::Backend;
use forearm_protocol::servo::SerialArm;

/// A robot arm on your screen: teleoperate and simulate an SO-100/SO-101.
///
/// Without a command, opens the window.
#[derive(Debug, Parser)]
#[command(name = "forearm", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    window: window::WindowArgs,
    #[command(flatten)]
    setup: SetupArgs,
    /// What to log to the terminal: error, warn, info, debug, trace, or a filter such as
    /// `warn,forearm_control=debug`; warnings and errors if left out. Goes behind the command.
    #[arg(
        long,
        global = true,
        default_value = DEFAULT_LOG,
        hide_default_value = true,
        value_name = "LEVEL"
    )]
    log: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Drive an arm: with a leader arm, a motion, or in the window by hand.
    ///
    /// With --headless there is no window; LeRobot's loop line and joint table are printed.
    Teleoperate(teleoperate::TeleoperateArgs),
    /// Record episodes into a LeRobot dataset: with a leader arm, by hand in the window, or by a motion.
    ///
    /// Nothing that was recorded is lost: each finished episode is on the disk in LeRobot's format at
    /// once, and the one in hand is had back after a crash.
    Record(record::RecordArgs),
    /// Look at datasets and work on them: info, stats, check, merge, split, repair ...
    #[command(subcommand)]
    Dataset(dataset::DatasetCommand),
    /// Pack a dataset into one ZIP file.
    Export(dataset::ExportArgs),
    /// Play a motion or a recorded episode on an arm, real or simulated.
    Replay(teleoperate::ReplayArgs),
    /// Calibrate an arm on a serial port: middle, then ranges, as LeRobot does.
    ///
    /// The result is stored in the motors and in LeRobot's folder, where both programs find it.
    Calibrate(calibrate::CalibrateArgs),
    /// Play a motion many times, with the objects moved at random, and tell how often it worked.
    ///
    /// Runs are played as fast as it goes, side by side on as many threads as the machine has cores
    /// but one, at most six. Equal numbers give equal runs, here as in the window and in a browser:
    /// compare the state hashes that --json prints. Ctrl-C ends the runs and shows those that ended.
    ///
    /// Exit codes: 0 when all runs did what they should (or as many as --at-least says), 1 when fewer
    /// did or it was interrupted, 2 when a flag or a file was wrong.
    Trials(trials::TrialsArgs),
    /// Find the serial port that an arm is on.
    ///
    /// You unplug the arm's USB cable, and the port that goes away is the one.
    FindPort(find_port::FindPortArgs),
    /// Give new motors their ids, one after the other, as LeRobot does.
    SetupMotors(setup_motors::SetupMotorsArgs),
    /// Show the motors of an arm: where they are, how warm, what they complain of; read and write
    /// their registers.
    Motors(motors::MotorsArgs),
    /// Let an arm go limp: switch the torque of its motors off.
    Release(release::ReleaseArgs),
    /// Serve simulated arms as serial ports that no program can tell from real ones.
    ///
    /// LeRobot, Feetech's SDK or Forearm itself connect to them as to an SO-101 on a cable.
    Emulate(emulate::EmulateArgs),
    /// List the built-in scenes, or check a scene file.
    #[command(subcommand)]
    Scene(scene::SceneCommand),
    /// Describe an arm, or compute its kinematics.
    #[command(subcommand)]
    Arm(arm::ArmCommand),
    /// Measure the simulation, and a follower's bus, on this machine.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Render a scene into a PNG file, without a window.
    Snapshot(snapshot::SnapshotArgs),
}

/// What is set up before anything moves.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SetupArgs {
    /// What moves the first arm: `sim`, the simulated arm; a serial port with servos, such as
    /// /dev/ttyACM0, COM5 or usb:SERIALNUMBER (`forearm find-port` finds it); or `replay:FILE`, a motion file's joint
    /// positions. As the scene says if left out.
    #[arg(long, value_name = "sim|PORT|replay:FILE", value_parser = parse_backend)]
    arm: Option<Backend>,
    /// LeRobot's id of the arm on the serial port: names its calibration file. The arm's name in
    /// the scene if left out.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The serial port of a leader arm that the first arm follows.
    #[arg(long, value_name = "PORT", value_parser = parse_port)]
    leader: Option<String>,
    /// LeRobot's id of the leader arm.
    #[arg(long, value_name = "ID", requires = "leader")]
    leader_id: Option<String>,
    /// A URDF or MJCF file to use as the first arm, in place of the scene's.
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
    /// A built-in scene's name (see `forearm scene list`) or a scene file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) scene: Option<String>,
    /// What becomes of real arms when Forearm ends: they go limp (`off`), or hold.
    #[arg(long, default_value = "off", value_name = "off|hold", value_parser = parse_on_exit)]
    on_exit: OnExit,
    /// Control ticks a second.
    #[arg(long, default_value_t = 120.0, value_name = "HZ", value_parser = parse_rate)]
    pub(crate) rate: f64,
}

/// Why the program ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The input was wrong: exit code 2.
    Input(anyhow::Error),
    /// Something failed while running: exit code 1.
    Run(anyhow::Error),
}

impl Failure {
    /// The code that the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Run(_) => 1,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(error) | Self::Run(error) => write!(f, "{error:#}"),
        }
    }
}

/// Marks an error as the input's or the run's.
pub(crate) trait OrFail<T> {
    /// The input was wrong.
    fn or_bad_input(self) -> Result<T, Failure>;
    /// The run failed.
    fn or_failed(self) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_bad_input(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::Input(error.into()))
    }

    fn or_failed(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::Run(error.into()))
    }
}

/// Parses the command line and does what it asks.
pub(crate) fn run() -> Result<(), Failure> {
    let cli = Cli::parse();
    let Some(command) = cli.command else {
        return window::run(&cli.setup, &cli.window, &cli.log);
    };
    // Windows log in their own way.
    match &command {
        Command::Emulate(args) => return emulate::run(args, &cli.log),
        Command::Teleoperate(args) => {
            if let Some(setup) = args.window() {
                return window::run(setup, &cli.window, &cli.log);
            }
        }
        Command::Record(args) => {
            if let Some(setup) = args.window() {
                return window::record(setup, args, &cli.window, &cli.log);
            }
        }
        _ => {}
    }
    forearm::logging::init(&cli.log).or_bad_input()?;
    match command {
        Command::Emulate(args) => emulate::run(&args, &cli.log),
        Command::Teleoperate(args) => teleoperate::run(&args),
        Command::Replay(args) => teleoperate::replay(args),
        Command::Record(args) => record::run(&args),
        Command::Dataset(command) => dataset::run(&command),
        Command::Export(args) => dataset::export(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Trials(args) => trials::run(&args),
        Command::FindPort(args) => find_port::run(&args),
        Command::SetupMotors(args) => setup_motors::run(&args),
        Command::Motors(args) => motors::run(&args),
        Command::Release(args) => release::run(&args),
        Command::Scene(command) => scene::run(&command),
        Command::Arm(command) => arm::run(&command),
        Command::Bench(command) => bench::run(&command),
        Command::Snapshot(args) => snapshot::run(&args),
    }
}

impl SetupArgs {
    /// What becomes of real arms at the end.
    pub(crate) fn on_exit(&self) -> OnExit {
        self.on_exit
    }

    /// Loads the scene that is asked for, with what is asked for of its first arm.
    pub(crate) fn load(&self) -> anyhow::Result<LoadedScene> {
        self.load_scene(self.scene.as_deref())
    }

    /// Loads this scene, with what is asked for of its first arm.
    pub(crate) fn load_scene(&self, scene: Option<&str>) -> anyhow::Result<LoadedScene> {
        let backend = self.arm.clone().map(|backend| match backend {
            Backend::Serial(serial) => Backend::Serial(SerialArm {
                id: self.id.clone(),
                ..serial
            }),
            other => other,
        });
        let leader = self.leader.clone().map(|port| SerialArm {
            port,
            id: self.leader_id.clone(),
        });
        let first = FirstArm {
            model: self.model.as_deref(),
            backend: backend.as_ref(),
            leader: leader.as_ref(),
        };
        files::load_scene(scene, first)
    }
}

fn parse_on_exit(text: &str) -> Result<OnExit, String> {
    match text {
        "off" => Ok(OnExit::TorqueOff),
        "hold" => Ok(OnExit::Hold),
        _ => Err(format!("`{text}` can't be; expected `off` or `hold`")),
    }
}

fn parse_backend(text: &str) -> Result<Backend, String> {
    if text == "sim" {
        return Ok(Backend::Sim);
    }
    if let Some(file) = text.strip_prefix("replay:") {
        return Ok(Backend::Replay(file.to_owned()));
    }
    let port = parse_port(text)
        .map_err(|error| format!("{error}; or `sim`, the simulated arm, or `replay:FILE`"))?;
    Ok(Backend::Serial(SerialArm { port, id: None }))
}

/// Parses the name of a serial port: a device file, or Windows' `COM` and a number.
pub(crate) fn parse_port(text: &str) -> Result<String, String> {
    let numbered = |prefix: &str| {
        let number = text
            .get(..prefix.len())
            .filter(|it| it.eq_ignore_ascii_case(prefix));
        number.is_some() && text[prefix.len()..].parse::<u16>().is_ok()
    };
    if text.starts_with("usb:") || text.contains('/') || text.contains("\\") || numbered("COM") {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not a serial port; expected one such as /dev/ttyACM0, COM5 or \
             usb:SERIALNUMBER \
             (`forearm find-port --list` lists those that are there)"
        ))
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text
        .parse()
        .map_err(|_error| format!("`{text}` is not a number"))?;
    if (1.0..=2000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err(format!("{rate} Hz can't be used; expected 1 to 2000"))
    }
}

/// Parses a time to run, seconds.
pub(crate) fn parse_duration(text: &str) -> Result<f64, String> {
    let secs: f64 = text
        .parse()
        .map_err(|_error| format!("`{text}` is not a number"))?;
    if secs > 0.0 && secs <= 1e6 {
        Ok(secs)
    } else {
        Err(format!(
            "{secs} s can't be run; expected more than 0, at most 1e6"
        ))
    }
}

/// Parses `WIDTHxHEIGHT` in pixels.
pub(crate) fn parse_size(text: &str) -> Result<[u32; 2], String> {
    let wrong = || format!("`{text}` is not a size; expected WIDTHxHEIGHT, for instance 1280x720");
    let (width, height) = text.split_once('x').ok_or_else(wrong)?;
    let side = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|side| (64..=8192).contains(side))
    };
    match (side(width), side(height)) {
        (Some(width), Some(height)) => Ok([width, height]),
        _ => Err(format!("{}; each from 64 to 8192", wrong())),
    }
}

/// Parses the name of a file to write: its folder must be there before any work is done for it.
pub(crate) fn parse_output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if path.file_name().is_none() || path.is_dir() {
        return Err(format!("`{text}` is a folder; expected a file to write"));
    }
    if !folder.is_dir() {
        return Err(format!(
            "the folder `{}` does not exist; create it first",
            folder.display()
        ));
    }
    Ok(path)
}

/// Parses the name of a picture to write.
pub(crate) fn parse_picture(text: &str) -> Result<PathBuf, String> {
    let path = parse_output(text)?;
    if path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("png"))
    {
        Ok(path)
    } else {
        Err(format!(
            "`{text}` is not a PNG file's name; expected one that ends in .png"
        ))
    }
}

/// Prints text as it is.
pub(crate) fn tell(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).or_failed()?;
    out.flush().or_failed()
}

/// Prints a value as JSON on one line.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    use std::io::Write;
    writeln!(std::io::stdout().lock(), "{value}").or_failed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn outputs_need_a_folder() {
        assert_eq!(
            parse_output("picture.png"),
            Ok(PathBuf::from("picture.png"))
        );
        for wrong in ["", ".", "..", "src", "no/such/folder/picture.png"] {
            assert!(parse_output(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pictures_are_png_files() {
        assert!(parse_picture("picture.PNG").is_ok());
        for wrong in ["picture", "picture.jpg", "picture.txt"] {
            assert!(parse_picture(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_and_rates_are_bounded() {
        assert_eq!(parse_size("1280x720"), Ok([1280, 720]));
        for wrong in ["", "x", "1280", "0x0", "99999x2", "axb", "-5x5"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_rate("500"), Ok(500.0));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "fast"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn arms_are_simulated_replayed_or_on_a_port() {
        let serial = |port: &str| {
            Ok(Backend::Serial(SerialArm {
                port: port.to_owned(),
                id: None,
            }))
        };
        assert_eq!(parse_backend("sim"), Ok(Backend::Sim));
        assert_eq!(parse_backend("/dev/ttyACM0"), serial("/dev/ttyACM0"));
        assert_eq!(parse_backend("com12"), serial("com12"));
        let replayed = Ok(Backend::Replay("wave".to_owned()));
        assert_eq!(parse_backend("replay:wave"), replayed);
        for wrong in ["", "simulated", "COM", "COMx", "ttyACM0", "é"] {
            let error = parse_backend(wrong).expect_err(wrong);
            assert!(error.contains("find-port"), "{error}");
        }
    }
}
