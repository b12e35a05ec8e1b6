//! Real arms, from the command line: virtual servos on pseudo-terminals at one end, Forearm, Feetech's
//! SDK and LeRobot at the other.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::app::{App, did_not_run, in_ci, root, scratch};

/// A program that says nothing for longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program whose lines are read as they come, and who is told things.
struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Talk {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let (sender, lines) = sync_channel(10_000);
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        std::thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || {
                for line in output.lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            })
            .expect("a thread");
        Self {
            input: child.stdin.take(),
            child,
            lines,
            said: Vec::new(),
        }
    }

    fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().expect("its input is open");
        writeln!(input, "{line}").expect("it listens");
    }

    /// Reads until a line is what is looked for, and answers what was found in it.
    fn until<T>(&mut self, what: &str, mut found: impl FnMut(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("it did not say {what}; it said: {:#?}", self.said);
            };
            let is = found(&line);
            self.said.push(line);
            if let Some(is) = is {
                return is;
            }
        }
    }

    fn json_until<T>(&mut self, what: &str, mut found: impl FnMut(&Value) -> Option<T>) -> T {
        self.until(what, |line| found(&serde_json::from_str(line).ok()?))
    }

    fn signal(&self, signal: libc::c_int) {
        let id = libc::pid_t::try_from(self.child.id()).expect("a process id");
        #[expect(unsafe_code, reason = "there is no safe way to send a signal")]
        // SAFETY: plain system call; the child has not been waited for, so the id is still its own.
        let sent = unsafe { libc::kill(id, signal) };
        assert_eq!(sent, 0, "the signal is sent");
    }

    /// Waits for its end; answers its exit code.
    fn end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        // Its output ends with it.
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {:#?}", self.said),
            }
        }
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Virtual arms, served.
struct Arms {
    talk: Talk,
    folder: PathBuf,
    ports: Vec<String>,
}

impl Arms {
    /// Those of a scene, one link for each of these names, calibrations in a folder of the test's.
    fn serve(test: &str, scene: &str, links: &[&str], more: &[&str]) -> Self {
        let folder = scratch(test);
        let mut command = Command::new(env!("CARGO_BIN_EXE_forearm"));
        command
            .args(["emulate", "--json", "--scene", scene])
            .args(more);
        let ports: Vec<_> = links
            .iter()
            .map(|link| folder.join(link).display().to_string())
            .collect();
        for port in &ports {
            command.arg("--port-link").arg(port);
        }
        command.env("HF_LEROBOT_CALIBRATION", folder.join("calibration"));
        let mut talk = Talk::start(&mut command);
        talk.json_until("where the ports are", |told| {
            let arms = told["arms"].as_array()?;
            let told: Vec<_> = arms.iter().filter_map(|arm| arm["port"].as_str()).collect();
            assert_eq!(told, ports);
            Some(())
        });
        Self {
            talk,
            folder,
            ports,
        }
    }

    fn order(&mut self, order: &str) {
        self.talk.tell(order);
        self.talk.json_until(order, |told| {
            assert_eq!(told["error"], Value::Null, "{told}");
            (told["done"] == order).then_some(())
        });
    }

    fn app(&self, arguments: &[&str]) -> App {
        App::new(arguments).env("HF_LEROBOT_CALIBRATION", self.folder.join("calibration"))
    }

    /// A running `forearm`.
    fn talk(&self, arguments: &[&str]) -> Talk {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forearm"));
        command
            .args(arguments)
            .env("HF_LEROBOT_CALIBRATION", self.folder.join("calibration"));
        Talk::start(&mut command)
    }

    /// What the motors of an arm say.
    fn motors(&self, arm: usize) -> Vec<Value> {
        let port = &self.ports[arm];
        let run = self.app(&["motors", port, "--json"]).run();
        let motors = run.assert_success().json();
        motors.as_array().expect("a list").clone()
    }
}

fn all<'a>(motors: &'a [Value], field: &str) -> Vec<&'a Value> {
    motors.iter().map(|motor| &motor[field]).collect()
}

#[test]
fn feetechs_sdk_takes_virtual_servos_for_real_ones() {
    let named = |name: &str| std::env::var_os(name);
    let (Some(python), Some(packages)) =
        (named("FOREARM_SDK_PYTHON"), named("FOREARM_SDK_PACKAGES"))
    else {
        assert!(!in_ci(), "the SDK is missing; run `cargo xtask test`");
        return did_not_run("no Python with Feetech's SDK; `cargo xtask test` gets one");
    };
    let _alone = crate::app::alone();
    let arms = Arms::serve("sdk", "empty", &["arm"], &[]);
    // The SDK waits 34 ms for an answer and asks once: a machine that stands still for longer fails it,
    // whoever answers. Servos that are wrong are wrong each time.
    let mut said = String::new();
    for _ in 0..3 {
        let run = Command::new(&python)
            .arg(root().join("tests/python/feetech_sdk.py"))
            .arg(&arms.ports[0])
            .env("PYTHONPATH", &packages)
            .output()
            .expect("Python starts");
        let (text, errors) = (&run.stdout, &run.stderr);
        said += &String::from_utf8_lossy(text);
        said += &String::from_utf8_lossy(errors);
        if run.status.success() {
            break;
        }
    }
    assert!(said.contains("11 of 11 checks passed"), "{said}");
}

#[test]
fn lerobot_takes_virtual_arms_for_real_ones() {
    let Some(python) = std::env::var_os("FOREARM_LEROBOT_PYTHON") else {
        return did_not_run("FOREARM_LEROBOT_PYTHON names no Python that has LeRobot");
    };
    let run = Command::new(python)
        .arg(root().join("tests/python/lerobot_cli.py"))
        .args(["--forearm", env!("CARGO_BIN_EXE_forearm")])
        .output()
        .expect("Python starts");
    let said = String::from_utf8_lossy(&run.stdout);
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}\n{errors}");
}

#[test]
fn motors_are_read_written_and_released() {
    let arms = Arms::serve("motors", "empty", &["arm"], &[]);
    let port = arms.ports[0].as_str();
    let motors = arms.motors(0);
    assert_eq!(all(&motors, "id"), [1, 2, 3, 4, 5, 6]);
    assert!(all(&motors, "model").iter().all(|model| **model == 777));
    assert!(
        all(&motors, "torque")
            .iter()
            .all(|torque| **torque == false)
    );
    let write = |register: &str, value: &str| {
        let run = arms.app(&[
            "motors", port, "--json", "write", "gripper", register, value,
        ]);
        run.run().assert_success().json()["value"].clone()
    };
    assert_eq!(write("P_Coefficient", "16"), 16);
    assert_eq!(write("Homing_Offset", "-879"), -879);
    assert_eq!(write("Torque_Enable", "1"), 1);
    assert_eq!(arms.motors(0)[5]["torque"], true);
    arms.app(&["release", port]).run().assert_success();
    assert_eq!(arms.motors(0)[5]["torque"], false);
    for (arguments, said) in [
        (
            &["motors", port, "write", "gripper", "Present_Position", "1"][..],
            "only be read",
        ),
        (
            &["motors", port, "write", "gripper", "ID", "70000"],
            "does not fit",
        ),
        (&["motors", port, "read", "thumb", "ID"], "gripper"),
        (
            &["motors", "/dev/no-such-port"],
            "no port /dev/no-such-port",
        ),
        (&["motors", "gripper"], "find-port"),
        (
            &["replay", "wave", "--arm", port, "--id", "nobody"],
            "forearm calibrate",
        ),
        (&["calibrate", port, "--id", "../x"], "can't be an arm's id"),
    ] {
        let run = arms.app(arguments).run();
        assert!(matches!(run.code, Some(1 | 2)), "{run}");
        assert!(run.stderr.contains(said), "{said}: {run}");
    }
}

#[test]
fn new_motors_get_their_ids_one_after_the_other() {
    let mut arms = Arms::serve("setup", "empty", &["arm"], &[]);
    let port = arms.ports[0].clone();
    // As from the factory: every motor has id 1.
    for motor in ["wrist_flex", "wrist_roll"] {
        let write = ["motors", port.as_str(), "write", motor, "ID", "1"];
        arms.order(&format!("attach {motor}"));
        arms.app(&write).run().assert_success();
    }
    let mut setup = arms.talk(&["setup-motors", &port, "wrist_flex", "wrist_roll"]);
    for motor in ["wrist_flex", "wrist_roll"] {
        arms.order(&format!("attach {motor}"));
        setup.tell("");
        setup.until(motor, |line| {
            line.contains(&format!("'{motor}' has id")).then_some(())
        });
    }
    assert_eq!(setup.end(), Some(0));
    arms.order("attach all");
    assert_eq!(all(&arms.motors(0), "id"), [1, 2, 3, 4, 5, 6]);
    assert!(arms.motors(0).iter().all(|motor| motor["error"].is_null()));
}

#[test]
fn a_guided_calibration_ends_in_motors_and_file() {
    let mut arms = Arms::serve("guided", "empty", &["arm"], &[]);
    let port = arms.ports[0].clone();
    let mut guide = arms.talk(&["calibrate", &port, "--id", "mine", "--json"]);
    let stage = |told: &Value, stage: &str| (told["stage"] == stage).then_some(());
    guide.json_until("the middle", |told| stage(told, "Middle"));
    arms.order("hand middle");
    guide.tell("");
    guide.json_until("the ranges", |told| stage(told, "Ranges"));
    arms.order("hand ranges");
    guide.json_until("ranges that widen", |told| {
        let joints = told["joints"].as_array()?;
        let wide = |joint: &Value| {
            let width = joint["max"].as_i64()? - joint["min"].as_i64()?;
            Some(joint["measured"] == false || width > 500)
        };
        joints
            .iter()
            .all(|joint| wide(joint) == Some(true))
            .then_some(())
    });
    guide.tell("");
    let place = guide.json_until("where it is saved", |told| {
        told["saved"].as_str().map(PathBuf::from)
    });
    assert_eq!(guide.end(), Some(0));
    assert!(place.ends_with("robots/so_follower/mine.json"), "{place:?}");
    let file: Value =
        serde_json::from_str(&std::fs::read_to_string(&place).expect("a file")).expect("JSON");
    for motor in arms.motors(0) {
        let name = motor["motor"].as_str().expect("a name");
        let stored = &file[name];
        assert_eq!(motor["homing_offset"], stored["homing_offset"], "{name}");
        assert_eq!(motor["min"], stored["range_min"], "{name}");
        assert_eq!(motor["max"], stored["range_max"], "{name}");
    }
    assert_eq!(file["wrist_roll"]["range_max"], 4095);
    let check = |id: &str| arms.app(&["calibrate", &port, "--id", id, "--check"]).run();
    check("mine").assert_success();
    assert_eq!(check("nobody").code, Some(1));
    // What the motors store otherwise is told, and put right from the file.
    let spoil = ["motors", &port, "write", "gripper", "Homing_Offset", "3"];
    arms.app(&spoil).run().assert_success();
    let differs = check("mine");
    assert_eq!(differs.code, Some(1));
    assert!(
        differs.stderr.contains("gripper: homing offset"),
        "{differs}"
    );
    let mend = ["calibrate", &port, "--id", "mine", "--use-file"];
    arms.app(&mend).run().assert_success();
    check("mine").assert_success();
}

#[test]
fn an_interrupted_calibration_is_put_back() {
    let mut arms = Arms::serve("put_back", "empty", &["arm"], &["--calibrated"]);
    let port = arms.ports[0].clone();
    let stored = |arms: &Arms| {
        let motors = arms.motors(0);
        let fields = ["homing_offset", "min", "max"];
        fields.map(|field| all(&motors, field).into_iter().cloned().collect::<Vec<_>>())
    };
    let before = stored(&arms);
    let mut guide = arms.talk(&["calibrate", &port, "--id", "new", "--json"]);
    let stage = |told: &Value, stage: &str| (told["stage"] == stage).then_some(());
    guide.json_until("the middle", |told| stage(told, "Middle"));
    arms.order("hand middle");
    guide.tell("");
    guide.json_until("the ranges", |told| stage(told, "Ranges"));
    guide.signal(libc::SIGTERM);
    assert_eq!(guide.end(), Some(1));
    assert_eq!(stored(&arms), before);
    let file = arms.folder.join("calibration/robots/so_follower/new.json");
    assert!(!file.exists());
}

#[test]
fn a_motion_is_replayed_and_the_arm_let_go() {
    let arms = Arms::serve("replay", "empty", &["arm"], &["--calibrated"]);
    let port = arms.ports[0].as_str();
    let id = "emulated_follower";
    let run = arms
        .app(&["replay", "wave", "--arm", port, "--id", id, "--json"])
        .run();
    let report = run.assert_success().json();
    let arm = &report["arms"][0];
    assert_eq!(arm["bus"]["connection"], "Connected", "{report}");
    assert_eq!(arm["bus"]["calibration"], "Matches");
    // The motion ends at home, where servos are within a few degrees of their goals.
    for joint in arm["joints"].as_array().expect("joints") {
        let state = &joint["state"];
        let off = state["position"].as_f64().expect("a position")
            - state["target"].as_f64().expect("a target");
        assert!(off.abs() < 0.12, "{joint}");
    }
    let torque = arms.motors(0);
    assert!(
        all(&torque, "torque")
            .iter()
            .all(|torque| **torque == false)
    );
}

/// A motion under way: the arm moves.
fn moving(arms: &mut Arms) -> Talk {
    let id = "emulated_follower";
    let port = arms.ports[0].clone();
    let drive = arms.talk(&["replay", "ranges", "--arm", &port, "--id", id]);
    arms.talk.json_until("that the arm moves", |told| {
        (told["moves"] == "follower").then_some(())
    });
    drive
}

#[test]
fn a_killed_program_leaves_motors_that_hold() {
    let mut arms = Arms::serve("killed", "empty", &["arm"], &["--calibrated"]);
    let mut drive = moving(&mut arms);
    drive.signal(libc::SIGKILL);
    drive.end();
    // Nobody told them to let go: they hold their last goal, as real ones do.
    let motors = arms.motors(0);
    assert!(
        all(&motors, "torque").iter().all(|torque| **torque == true),
        "{motors:?}"
    );
}

#[test]
fn a_program_that_is_told_to_end_lets_the_arm_go() {
    let mut arms = Arms::serve("interrupted", "empty", &["arm"], &["--calibrated"]);
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let mut drive = moving(&mut arms);
        drive.signal(signal);
        assert_eq!(drive.end(), Some(1), "signal {signal}");
        let motors = arms.motors(0);
        let limp = all(&motors, "torque")
            .iter()
            .all(|torque| **torque == false);
        assert!(limp, "signal {signal}: {motors:?}");
        arms.talk.json_until("that the arm rests", |told| {
            (told["rests"] == "follower").then_some(())
        });
    }
}

#[test]
fn links_go_away_with_the_arms() {
    let mut arms = Arms::serve("links", "two_arms", &["one", "two"], &[]);
    let links: Vec<_> = arms
        .ports
        .iter()
        .map(Path::new)
        .map(Path::to_owned)
        .collect();
    assert!(links.iter().all(|link| link.is_symlink()));
    arms.order("right unplug");
    arms.talk.tell("quit");
    assert_eq!(arms.talk.end(), Some(0));
    assert!(links.iter().all(|link| !link.is_symlink()));
}
