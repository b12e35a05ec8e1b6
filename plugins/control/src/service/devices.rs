//! What is asked of real arms while the loop runs: other backends and leaders, calibrations, single
//! registers, ports. What takes longer than a tick is an errand, looked after once a tick.

use forearm_arm::calibration::Calibration;
use forearm_hardware::codec::registers::{self as reg, Register};
use forearm_protocol::ServiceError;
use forearm_protocol::control::{Event, NoticeLevel, Reply};
use forearm_protocol::scene::Backend;
use forearm_protocol::servo::{CalibrationStep, Device, MotorRequest, Role, SerialArm};
use forearm_workers::{Answer, Context};

use super::{ControlService, Session, find, no_scene, notify, refused};
use crate::calibrate::{self, Guided};
use crate::line;
use crate::motors::Motors;
use crate::procedure::Procedure;
use crate::rig::Rig;

/// How many answers may wait for motors.
const MAX_OPEN: usize = 16;

/// What is under way with motors.
#[derive(Default)]
pub(super) struct Errands {
    guided: Option<Guided>,
    open: Vec<Open>,
}

impl Errands {
    /// Whether a person is being led through a calibration.
    pub(super) fn is_calibrating(&self) -> bool {
        self.guided.is_some()
    }
}

/// An answer that waits for motors.
struct Open {
    answer: Answer<Reply>,
    procedure: Procedure<Result<i32, String>>,
    /// The calibration that is written, and into whose motors.
    stores: Option<(Device, Calibration)>,
}

impl Open {
    /// Whether nobody waits for it any more, and nothing is left half done by forgetting it.
    fn is_forgotten(&self) -> bool {
        self.stores.is_none() && self.answer.is_cancelled()
    }
}

impl ControlService {
    pub(super) fn set_backend(
        &mut self,
        arm: usize,
        backend: &Backend,
        calibration: Option<Calibration>,
        motion: Option<&str>,
        cx: &mut Context<'_, Self>,
    ) -> Result<(), ServiceError> {
        let what = "switching what moves the arm";
        let follower = Device {
            arm,
            role: Role::Follower,
        };
        self.refuse_if_lent(follower, what)?;
        let Session { plant, rigs } = self.session.as_mut().ok_or_else(|| no_scene(what))?;
        let rig = find(rigs, arm, what)?;
        if rig.is_served(plant) {
            let why = format!("arm `{}` is served to other programs", rig.name);
            return Err(refused(what, why, "switch another arm, or end the serving"));
        }
        rig.switch(backend, calibration, motion, plant, cx.now_secs())
            .map_err(|why| refused(what, why, "what moves it now stays"))?;
        self.tell_devices(arm, cx);
        Ok(())
    }

    /// Tells what an arm is connected to from now on.
    fn tell_devices(&mut self, arm: usize, cx: &mut Context<'_, Self>) {
        if let Some(rig) = self.rigs().get(arm) {
            let devices = Box::new(rig.devices().clone());
            cx.emit(Event::DevicesChanged { arm, devices });
        }
    }

    pub(super) fn set_leader(
        &mut self,
        arm: usize,
        leader: Option<&SerialArm>,
        calibration: Option<Calibration>,
        cx: &mut Context<'_, Self>,
    ) -> Result<(), ServiceError> {
        let what = "connecting to a leader";
        let device = Device {
            arm,
            role: Role::Leader,
        };
        self.refuse_if_lent(device, what)?;
        let Session { plant, rigs } = self.session.as_mut().ok_or_else(|| no_scene(what))?;
        find(rigs, arm, what)?
            .set_leader(leader, calibration, plant)
            .map_err(|why| refused(what, why, "the present leader stays"))?;
        self.tell_devices(arm, cx);
        Ok(())
    }

    /// Begins a guided calibration.
    pub(super) fn calibrate(
        &mut self,
        device: Device,
        cx: &mut Context<'_, Self>,
    ) -> Result<(), ServiceError> {
        let what = "calibrating";
        if self.errands.guided.is_some() {
            let why = "an arm is being calibrated already".to_owned();
            return Err(refused(what, why, "end that calibration first"));
        }
        self.refuse_if_lent(device, what)?;
        if device.role == Role::Follower
            && let Some(Session { rigs, .. }) = &mut self.session
            && let Some(rig) = rigs.get_mut(device.arm)
        {
            rig.teleoperators.script.give_up("the arm is calibrated");
        }
        let motors = self.motors(device, what)?;
        let id = motors.lerobot_id().to_owned();
        let (jobs, all) = motors
            .lend()
            .map_err(|why| refused(what, why, "connect it, then try again"))?;
        let guided = Guided::begin(device, id, jobs, &all);
        cx.emit(Event::Calibration(Box::new(guided.update())));
        self.errands.guided = Some(guided);
        Ok(())
    }

    pub(super) fn calibration_step(&mut self, step: CalibrationStep) -> Result<(), ServiceError> {
        let what = "going on with the calibration";
        let Some(guided) = &self.errands.guided else {
            let why = "no arm is being calibrated".to_owned();
            return Err(refused(what, why, "begin a calibration first"));
        };
        guided
            .step(step)
            .map_err(|why| refused(what, why, "then go on"))
    }

    pub(super) fn set_calibration(
        &mut self,
        device: Device,
        calibration: Calibration,
        answer: Answer<Reply>,
        cx: &mut Context<'_, Self>,
    ) {
        let what = "writing the calibration into the motors";
        let lent = self
            .refuse_if_lent(device, what)
            .and_then(|()| self.refuse_if_many(what))
            .and_then(|()| {
                let motors = self.motors(device, what)?;
                let next = "choose this arm's calibration, or calibrate it";
                motors
                    .check(&calibration)
                    .map_err(|why| refused(what, why, next))?;
                let lent = motors.lend();
                lent.map_err(|why| refused(what, why, "connect it, then try again"))
            });
        match lent {
            Err(error) => answer.send(Err(error)),
            Ok((jobs, motors)) => {
                if device.role == Role::Follower {
                    let text = "The arm is limp while its calibration is written.".to_owned();
                    notify(cx, NoticeLevel::Info, text);
                }
                let work = calibrate::store(jobs, motors, calibration.clone());
                self.errands.open.push(Open {
                    answer,
                    procedure: Procedure::new(async move { work.await.map(|()| 0) }),
                    stores: Some((device, calibration)),
                });
            }
        }
    }

    /// Reads or writes one register.
    pub(super) fn ask_motor(
        &mut self,
        device: Device,
        request: &MotorRequest,
        answer: Answer<Reply>,
    ) {
        let what = "asking a motor";
        let writes = matches!(request, MotorRequest::Write { .. });
        let free = match writes {
            true => self.refuse_if_lent(device, what),
            false => Ok(()),
        };
        let asked = free
            .and_then(|()| self.refuse_if_many(what))
            .and_then(|()| self.motors(device, what))
            .and_then(|motors| {
                if !motors.is_linked() {
                    let why = motors
                        .trouble()
                        .unwrap_or("it is not connected yet")
                        .to_owned();
                    return Err(refused(what, why, "connect it, then ask again"));
                }
                let next = "correct it and ask again";
                register_work(motors, request).map_err(|why| refused(what, why, next))
            });
        match asked {
            Err(error) => answer.send(Err(error)),
            Ok(procedure) => self.errands.open.push(Open {
                answer,
                procedure,
                stores: None,
            }),
        }
    }

    fn refuse_if_many(&self, what: &str) -> Result<(), ServiceError> {
        if self.errands.open.len() < MAX_OPEN {
            return Ok(());
        }
        let why = format!("{MAX_OPEN} answers of motors are waited for");
        Err(refused(what, why, "wait for them"))
    }

    /// Refuses what would disturb a calibration.
    fn refuse_if_lent(&self, device: Device, what: &str) -> Result<(), ServiceError> {
        let guided = self.errands.guided.as_ref();
        let mut stores = self
            .errands
            .open
            .iter()
            .filter_map(|open| open.stores.as_ref());
        if stores.any(|(stored, _)| *stored == device)
            || guided.is_some_and(|guided| guided.device() == device)
        {
            let why = "the arm is being calibrated".to_owned();
            return Err(refused(what, why, "end the calibration first"));
        }
        Ok(())
    }

    fn rig(&mut self, device: Device, what: &str) -> Result<&mut Rig, ServiceError> {
        let Session { rigs, .. } = self.session.as_mut().ok_or_else(|| no_scene(what))?;
        find(rigs, device.arm, what)
    }

    fn motors(&mut self, device: Device, what: &str) -> Result<&mut Motors, ServiceError> {
        let rig = self.rig(device, what)?;
        let name = rig.name.clone();
        rig.motors(device.role).ok_or_else(|| {
            let (why, next) = match device.role {
                Role::Follower => (
                    format!("arm `{name}` has no real servos"),
                    "choose a serial port for it first",
                ),
                Role::Leader => (
                    format!("arm `{name}` has no leader"),
                    "connect to one first",
                ),
            };
            refused(what, why, next)
        })
    }

    /// Goes on with what is under way.
    pub(super) fn run_errands(&mut self, cx: &mut Context<'_, Self>) {
        let mut index = 0;
        while let Some(open) = self.errands.open.get_mut(index) {
            match open.procedure.poll() {
                None if open.is_forgotten() => drop(self.errands.open.swap_remove(index)),
                None => index += 1,
                Some(result) => {
                    let open = self.errands.open.swap_remove(index);
                    self.end(open, result, cx);
                }
            }
        }
        if let Some(guided) = self.errands.guided.take() {
            self.guide(guided, cx);
        }
    }

    fn end(&mut self, open: Open, result: Result<i32, String>, cx: &mut Context<'_, Self>) {
        let Open { answer, stores, .. } = open;
        let Some((device, calibration)) = stores else {
            let next = "check the motor, then ask again";
            let result = result.map(Reply::Register);
            return answer.send(result.map_err(|why| refused("asking a motor", why, next)));
        };
        let what = "writing the calibration into the motors";
        let written = result.map(|_| calibration);
        let new = written.as_ref().ok().cloned();
        let taken = self.rig(device, what).and_then(|rig| {
            let next = "check the arm's power and cable, then try again";
            let kept = rig.take_back(device.role, new);
            written.and(kept).map_err(|why| refused(what, why, next))
        });
        self.tell_devices(device.arm, cx);
        answer.send(taken.map(|()| Reply::Done));
    }

    fn guide(&mut self, mut guided: Guided, cx: &mut Context<'_, Self>) {
        let device = guided.device();
        let result = match self.motors(device, "calibrating") {
            Err(error) => Some(Err(error.to_string())),
            Ok(motors) => {
                let lost = motors.trouble().map(ToOwned::to_owned);
                guided.attend(motors.sample(), lost.as_deref())
            }
        };
        let result = result.map(|result| {
            let new = result.as_ref().ok().cloned();
            let rig = self.rig(device, "calibrating");
            let kept = rig.map_err(|error| error.to_string());
            let kept = kept.and_then(|rig| rig.take_back(device.role, new));
            self.tell_devices(device.arm, cx);
            result.and_then(|calibration| kept.map(|()| calibration))
        });
        match result {
            None => self.errands.guided = Some(guided),
            Some(result) => end_calibration(&guided, result, cx),
        }
    }

    /// Ends what is under way: the arms that it is about are gone.
    pub(super) fn drop_errands(&mut self, why: &str, cx: &mut Context<'_, Self>) {
        let errands = std::mem::take(&mut self.errands);
        if let Some(guided) = errands.guided {
            let why = format!(
                "{why}; what the motors store may be neither the old nor the new calibration: \
                 calibrate again, or write the file into them"
            );
            end_calibration(&guided, Err(why), cx);
        }
        for open in errands.open {
            let error = refused("waiting for motors", why.to_owned(), "ask again");
            open.answer.send(Err(error));
        }
    }

    pub(super) fn publish_calibration(&self, cx: &mut Context<'_, Self>) {
        if let Some(guided) = &self.errands.guided {
            cx.emit(Event::Calibration(Box::new(guided.update())));
        }
    }
}

fn end_calibration(
    guided: &Guided,
    result: Result<Calibration, String>,
    cx: &mut Context<'_, ControlService>,
) {
    cx.emit(Event::CalibrationDone {
        device: guided.device(),
        id: guided.id().to_owned(),
        result,
    });
}

/// Answers which serial ports there are.
pub(super) fn list_ports(answer: Answer<Reply>) {
    // The answer goes with the search, which another thread makes; so a refusal has none to answer
    // with, and whoever asked is told that it was dropped.
    let listed = line::list_ports(move |ports| {
        answer.send(
            ports
                .map(Reply::Ports)
                .map_err(|why| ServiceError::Refused {
                    what: "looking for serial ports".to_owned(),
                    why,
                    next: "then look again".to_owned(),
                }),
        );
    });
    if let Err(why) = listed {
        tracing::warn!("serial ports can't be listed: {why}");
    }
}

/// Registers that move the arm past the safety chain.
const MOVING: [Register; 4] = [
    reg::TORQUE_ENABLE,
    reg::GOAL_POSITION,
    reg::GOAL_TIME,
    reg::GOAL_VELOCITY,
];

/// Registers after whose change a motor is no longer found.
const ADDRESS: [Register; 2] = [reg::ID, reg::BAUD_RATE];

fn register_work(
    motors: &Motors,
    request: &MotorRequest,
) -> Result<Procedure<Result<i32, String>>, String> {
    let (MotorRequest::Read { motor, register }
    | MotorRequest::Write {
        motor, register, ..
    }) = request;
    let found = motors.motors().iter().find(|it| it.name == *motor);
    let id = found.map(|it| it.id).ok_or_else(|| {
        let names: Vec<_> = motors.motors().iter().map(|it| it.name.as_str()).collect();
        format!(
            "there is no motor `{motor}`; there are {}",
            names.join(", ")
        )
    })?;
    let register = reg::by_name(register).ok_or_else(|| {
        format!(
            "there is no register `{register}`; expected LeRobot's names, such as Present_Position"
        )
    })?;
    let jobs = motors.jobs();
    let MotorRequest::Write { value, .. } = request else {
        return Ok(Procedure::new(async move {
            jobs.read(id, register)
                .await
                .map_err(|error| error.to_string())
        }));
    };
    let value = *value;
    if MOVING.contains(register) {
        return Err(format!(
            "{} moves the arm without any limit; drive the arm, or switch its torque",
            register.name
        ));
    }
    if ADDRESS.contains(register) {
        return Err(format!(
            "after {} is changed the motor is not found any more; motors are set up one by one",
            register.name
        ));
    }
    Ok(Procedure::new(async move {
        let torque = jobs.read(id, &reg::TORQUE_ENABLE).await;
        if register.eeprom && torque.map_err(|error| error.to_string())? != 0 {
            return Err(format!(
                "{} may make the arm jump while its torque is on; switch torque off first",
                register.name
            ));
        }
        let written = async {
            jobs.write(id, register, value).await?;
            jobs.read(id, register).await
        };
        written.await.map_err(|error| error.to_string())
    }))
}
