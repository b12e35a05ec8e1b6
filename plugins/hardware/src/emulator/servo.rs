//! One virtual STS3215: what its firmware does with its registers and its motor.
//!
//! After the vendor's memory table, and after what users measured on real ones: writing a goal
//! switches torque on, whatever the torque register said; a goal outside of the position limits
//! becomes the nearer limit inside, while the register keeps what was written (LeRobot issue 3585);
//! an overload is still in the reply to the write that ends it.
//!
//! Nobody has written down, so these are assumptions: switching torque on holds the present
//! position; a goal away from what blocked the joint ends an overload too; after too much heat the
//! motor stays without force until torque is written again.

use super::memory::{Memory, Touched};
use super::motion::{Motion, Pace};
use super::protection::{Output, Protection};
use crate::codec::StatusBits;
use crate::codec::model::{BAUD_RATES, DEFAULT_BAUD, RESOLUTION, baud_of_code, code_of_baud};
use crate::codec::registers::{self as reg, Register};
use std::f64::consts::TAU;

const TURN: f64 = RESOLUTION as f64;

const TICKS_PER_RADIAN: f64 = TURN / TAU;

/// Beyond one turn the firmware counts up to this many ticks.
const FAR: f64 = 32_766.0;

/// How far the joint may leave its turn before positions count from another one, in ticks. Without
/// it a joint at the end of its turn would be sent all the way around by trembling.
const TURN_SLACK: f64 = 64.0;

/// How far the set point of a turning servo may be ahead of its joint, in ticks.
const LEASH: f64 = 120.0;

/// In the PWM mode: ticks a second at full duty.
const FULL_SPEED: f64 = 3400.0;

/// A unit of the registers for accelerations, in ticks per second squared.
const ACCELERATION_UNIT: f64 = 100.0;

/// A unit of the registers for the greatest and the least velocity, in ticks a second.
const VELOCITY_UNIT: f64 = 50.0;

/// A position older than this is not carried on by its velocity, in seconds.
const MAX_SAMPLE_AGE: f64 = 0.02;

/// The longest time that is simulated in one go, in seconds; what is longer is simulated coarser.
const MAX_STEP: f64 = 2e-3;
const MAX_STEPS: f64 = 500.0;

/// Bit of the register `Phase`: positions go beyond one turn.
const PHASE_MULTI_TURN: u16 = 0x10;

/// What writing it to `Torque_Enable` means: the present position becomes the middle.
const SET_MIDDLE: u16 = 128;
const MIDDLE: f64 = 2048.0;

/// A virtual servo, as it comes out of its box or from another arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServoConfig {
    /// Its id on the bus.
    pub id: u8,
    /// Its baud rate; one that no servo has counts as 1 Mbaud.
    pub baud: u32,
    /// The encoder's ticks while the joint is at 0 rad: how the horn happens to sit.
    pub mount_ticks: f64,
    /// The encoder counts down while the joint's angle grows.
    pub reversed: bool,
    /// The most that the motor can do, in newton metres.
    pub stall_torque: f64,
    /// `Homing_Offset`, in ticks, as a calibration left it.
    pub homing_offset: i32,
    /// `Min_Position_Limit` and `Max_Position_Limit`, in ticks, as a calibration left them.
    pub position_limits: (u16, u16),
    /// Writing a goal switches torque on, as the firmware does it.
    pub goal_enables_torque: bool,
}

impl Default for ServoConfig {
    /// A new one: id 1, 1 Mbaud, no calibration.
    fn default() -> Self {
        Self {
            id: reg::ID.factory as u8,
            baud: DEFAULT_BAUD,
            mount_ticks: MIDDLE,
            reversed: false,
            stall_torque: 2.94,
            homing_offset: 0,
            position_limits: (0, RESOLUTION - 1),
            goal_enables_torque: true,
        }
    }
}

/// What is known of the joint.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Joint {
    /// Encoder ticks beyond one turn, and ticks a second.
    ticks: f64,
    velocity: f64,
    /// What the motor does, as a part of what it can do at best, in the encoder's direction.
    effort: f64,
    at_secs: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Servo {
    config: ServoConfig,
    memory: Memory,
    joint: Joint,
    /// Where the turn begins in which positions count, in encoder ticks.
    turn_start: f64,
    motion: Motion,
    /// Goal of the position modes, in the ticks of `Present_Position`.
    goal: f64,
    pub(super) protection: Protection,
    /// Its cable is in.
    attached: bool,
    stepped_secs: f64,
}

impl Servo {
    pub(super) fn new(config: &ServoConfig, volts: f64) -> Self {
        let mut memory = Memory::new();
        memory.set(&reg::ID, i32::from(config.id));
        let code = code_of_baud(config.baud).unwrap_or(BAUD_RATES[0].0);
        memory.set(&reg::BAUD_RATE, i32::from(code));
        memory.set(&reg::HOMING_OFFSET, config.homing_offset);
        memory.set(
            &reg::MIN_POSITION_LIMIT,
            i32::from(config.position_limits.0),
        );
        memory.set(
            &reg::MAX_POSITION_LIMIT,
            i32::from(config.position_limits.1),
        );
        memory.save_all();
        let mut servo = Self {
            config: *config,
            memory,
            joint: Joint::default(),
            turn_start: 0.0,
            motion: Motion::holding(0.0),
            goal: 0.0,
            protection: Protection::new(volts),
            attached: true,
            stepped_secs: f64::NEG_INFINITY,
        };
        servo.joint.ticks = servo.ticks_of(0.0);
        servo.power_up();
        servo
    }

    pub(super) fn id(&self) -> u8 {
        self.memory.raw(&reg::ID) as u8
    }

    pub(super) fn baud(&self) -> u32 {
        baud_of_code(self.memory.raw(&reg::BAUD_RATE) as u8).unwrap_or(DEFAULT_BAUD)
    }

    /// Time from a request to its reply, in seconds.
    pub(super) fn return_delay(&self) -> f64 {
        f64::from(self.memory.raw(&reg::RETURN_DELAY_TIME)) * 2e-6
    }

    /// Whether more than reads and pings is answered.
    pub(super) fn answers_everything(&self) -> bool {
        self.memory.raw(&reg::RESPONSE_STATUS_LEVEL) != 0
    }

    pub(super) fn status(&self) -> StatusBits {
        self.protection.status(&self.memory)
    }

    /// What the power's return does.
    pub(super) fn power_up(&mut self) {
        self.memory.power_up();
        self.protection.power_up();
        self.turn_start = 0.0;
        self.hold_here();
    }

    pub(super) const fn attached(&self) -> bool {
        self.attached
    }

    /// Puts its cable in or pulls it.
    pub(super) fn attach(&mut self, attached: bool) {
        if attached && !self.attached {
            self.power_up();
        }
        self.attached = attached;
    }

    /// Where the joint is now. What is not finite counts as 0.
    pub(super) fn observe(&mut self, now: f64, position: f64, velocity: f64, effort: f64) {
        let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
        self.joint = Joint {
            ticks: self.ticks_of(finite(position)),
            velocity: finite(velocity) * TICKS_PER_RADIAN * self.direction(),
            effort: (finite(effort) / self.config.stall_torque.max(1e-3) * self.direction())
                .clamp(-1.0, 1.0),
            at_secs: now,
        };
    }

    /// Lets time pass up to `now`.
    pub(super) fn step(&mut self, now: f64) {
        let passed = (now - self.stepped_secs).max(0.0);
        self.stepped_secs = self.stepped_secs.max(now);
        if !passed.is_finite() || passed == 0.0 {
            return;
        }
        let step = MAX_STEP.max(passed / MAX_STEPS);
        let mut left = passed;
        while left > 0.0 {
            self.small_step(left.min(step));
            left -= step;
        }
    }

    /// Target in radians and the most that the motor may do (0 to 1); `None` while it is let go.
    pub(super) fn drive(&self) -> Option<(f64, f64)> {
        if !self.torque() || !self.attached {
            return None;
        }
        let limit = match self.protection.output(&self.memory) {
            Output::Cut => return None,
            Output::Limited(share) => share,
            Output::Normal => 1.0,
        };
        let share = |register: &Register| f64::from(self.memory.raw(register)) / 1000.0;
        let fraction = share(&reg::TORQUE_LIMIT).min(share(&reg::MAX_TORQUE_LIMIT));
        Some((
            self.radians_of(self.motion.set_point),
            fraction.min(limit).clamp(0.0, 1.0),
        ))
    }

    /// The joint's angle as it was last seen, in radians.
    pub(super) fn angle(&self) -> f64 {
        self.radians_of(self.joint.ticks)
    }

    /// Copies registers from `address` on as they are at the time `at`.
    pub(super) fn read(&mut self, at: f64, address: u8, out: &mut [u8]) {
        self.measure(at);
        self.memory.read(address, out);
    }

    pub(super) fn write(&mut self, address: u8, data: &[u8]) {
        let before = self.memory.raw(&reg::TORQUE_ENABLE);
        let touched = self.memory.write(address, data);
        self.react(touched, before);
    }

    pub(super) fn register_write(&mut self, address: u8, data: &[u8]) {
        self.memory.register_write(address, data);
    }

    pub(super) fn action(&mut self) {
        let before = self.memory.raw(&reg::TORQUE_ENABLE);
        if let Some(touched) = self.memory.action() {
            self.react(touched, before);
        }
    }

    /// Trips the protection against overload at once.
    pub(super) fn force_overload(&mut self) {
        let duty = if self.joint.effort == 0.0 {
            1.0
        } else {
            self.joint.effort
        };
        self.protection.force_overload(duty);
    }

    fn small_step(&mut self, secs: f64) {
        self.follow_turn(TURN_SLACK);
        let duty = if self.drive().is_some() {
            self.joint.effort
        } else {
            0.0
        };
        self.protection.step(&self.memory, duty, secs);
        if !self.torque() {
            self.motion = Motion::holding(self.joint.ticks);
            return;
        }
        let pace = self.pace();
        match self.memory.raw(&reg::OPERATING_MODE) {
            1 => self.turn(f64::from(self.memory.get(&reg::GOAL_VELOCITY)), pace, secs),
            2 => {
                // The duty's sign is in bit 10, as in the register for the load.
                let duty = reg::PRESENT_LOAD.decode_raw(self.memory.raw(&reg::GOAL_TIME));
                self.turn(f64::from(duty) / 1000.0 * FULL_SPEED, pace, secs);
            }
            _ => self.motion.towards(self.encoder_goal(), pace, secs),
        }
    }

    fn turn(&mut self, speed: f64, pace: Pace, secs: f64) {
        self.motion
            .turning(speed, pace, secs, self.joint.ticks, LEASH);
    }

    /// What a write does besides changing registers.
    fn react(&mut self, touched: Touched, torque_before: u16) {
        if touched.contains(&reg::TORQUE_ENABLE) {
            self.protection.reset();
            match self.memory.raw(&reg::TORQUE_ENABLE) {
                SET_MIDDLE => {
                    self.memory.set_raw(&reg::TORQUE_ENABLE, torque_before);
                    self.set_middle();
                }
                1 if torque_before != 1 => self.hold_here(),
                _ => {}
            }
        }
        if touched.contains(&reg::OPERATING_MODE) {
            self.hold_here();
        }
        if touched.contains(&reg::GOAL_POSITION) {
            self.take_goal();
        }
    }

    fn take_goal(&mut self) {
        let written = f64::from(self.memory.get(&reg::GOAL_POSITION));
        let steps = self.memory.raw(&reg::OPERATING_MODE) == 3;
        self.goal = if steps { self.goal + written } else { written };
        // What a program reads and writes back is where the joint is, not a turn away.
        if (self.goal - self.position(self.joint.ticks.round())).abs() < TURN / 2.0 {
            self.follow_turn(0.0);
        }
        let away = self.encoder_goal() - self.joint.ticks;
        self.protection.goal_towards(away);
        if self.config.goal_enables_torque && !self.torque() {
            self.memory.set_raw(&reg::TORQUE_ENABLE, 1);
            self.motion = Motion::holding(self.joint.ticks);
        }
    }

    /// The goal becomes where the joint is.
    fn hold_here(&mut self) {
        self.follow_turn(0.0);
        self.motion = Motion::holding(self.joint.ticks);
        self.goal = self.position(self.joint.ticks.round());
        self.memory.set(&reg::GOAL_POSITION, self.goal as i32);
    }

    /// Makes the present position 2048, for good.
    fn set_middle(&mut self) {
        let raw = self.joint.ticks.round().rem_euclid(TURN);
        self.memory.set(&reg::HOMING_OFFSET, (raw - MIDDLE) as i32);
        self.memory.save(&reg::HOMING_OFFSET);
        self.hold_here();
    }

    /// The clamped goal in encoder ticks.
    fn encoder_goal(&self) -> f64 {
        self.clamped(self.goal) + self.origin()
    }

    /// The goal within the limits. Outside of them it is the nearer of the two, also the other way
    /// around the turn.
    fn clamped(&self, goal: f64) -> f64 {
        let least = f64::from(self.memory.raw(&reg::MIN_POSITION_LIMIT));
        let most = f64::from(self.memory.raw(&reg::MAX_POSITION_LIMIT));
        if least >= most {
            return goal.clamp(-FAR, FAR);
        }
        let within_a_turn = (0.0..TURN).contains(&goal);
        if within_a_turn && goal > most && goal - most > least + TURN - goal {
            least
        } else if within_a_turn && goal < least && least - goal > goal + TURN - most {
            most
        } else {
            goal.clamp(least, most)
        }
    }

    fn pace(&self) -> Pace {
        let limit = f64::from(self.memory.raw(&reg::MAXIMUM_VELOCITY_LIMIT)) * VELOCITY_UNIT;
        let limit = if limit > 0.0 { limit } else { FULL_SPEED };
        let wanted = f64::from(self.memory.get(&reg::GOAL_VELOCITY)).abs();
        let positions = matches!(self.memory.raw(&reg::OPERATING_MODE), 0 | 3);
        let acceleration = f64::from(self.memory.raw(&reg::ACCELERATION))
            .min(f64::from(self.memory.raw(&reg::MAXIMUM_ACCELERATION)))
            * ACCELERATION_UNIT;
        Pace {
            speed: if positions && wanted > 0.0 {
                wanted.min(limit)
            } else {
                limit
            },
            acceleration: if acceleration > 0.0 {
                acceleration
            } else {
                f64::INFINITY
            },
        }
    }

    /// Puts what is measured into its registers, as it is at the time `at`.
    fn measure(&mut self, at: f64) {
        let age = (at - self.joint.at_secs).clamp(0.0, MAX_SAMPLE_AGE);
        let age = if age.is_finite() { age } else { 0.0 };
        let ticks = self.joint.ticks + self.joint.velocity * age;
        let drives = self.drive().is_some();
        let effort = if drives { self.joint.effort } else { 0.0 };
        let speed_share = if drives {
            self.joint.velocity / FULL_SPEED
        } else {
            0.0
        };
        let under_way = drives && self.motion.speed != 0.0;
        let threshold = f64::from(self.memory.raw(&reg::MOVING_VELOCITY)) * VELOCITY_UNIT;
        let moving = under_way || self.joint.velocity.abs() >= threshold.max(1.0);
        let measured = [
            (reg::PRESENT_POSITION, self.position(ticks.round())),
            (reg::PRESENT_VELOCITY, self.joint.velocity.round()),
            (
                reg::PRESENT_LOAD,
                ((effort + speed_share).clamp(-1.0, 1.0) * 1000.0).round(),
            ),
            (reg::PRESENT_VOLTAGE, (self.protection.volts * 10.0).round()),
            (
                reg::PRESENT_TEMPERATURE,
                self.protection.temperature().round(),
            ),
            (reg::STATUS, f64::from(self.status().0)),
            (reg::MOVING, f64::from(u8::from(moving))),
            (
                reg::PRESENT_CURRENT,
                Protection::current_units(effort).round(),
            ),
            (reg::GOAL_POSITION_2, self.clamped(self.goal).max(0.0)),
        ];
        for (register, value) in measured {
            self.memory.set(&register, value as i32);
        }
    }

    fn torque(&self) -> bool {
        self.memory.raw(&reg::TORQUE_ENABLE) == 1
    }

    fn multi_turn(&self) -> bool {
        let limits = [&reg::MIN_POSITION_LIMIT, &reg::MAX_POSITION_LIMIT];
        self.memory.raw(&reg::PHASE) & PHASE_MULTI_TURN != 0
            || limits.iter().all(|limit| self.memory.raw(limit) == 0)
    }

    /// Encoder ticks where `Present_Position` is 0.
    fn origin(&self) -> f64 {
        self.turn_start + f64::from(self.memory.get(&reg::HOMING_OFFSET))
    }

    /// `Present_Position` for these encoder ticks.
    fn position(&self, ticks: f64) -> f64 {
        let position = ticks - self.origin();
        if self.multi_turn() {
            position.clamp(-FAR, FAR)
        } else {
            position.rem_euclid(TURN)
        }
    }

    /// Goes to another turn when the joint left this one by more than `slack` ticks.
    fn follow_turn(&mut self, slack: f64) {
        if self.multi_turn() {
            return;
        }
        // Rounded as the encoder does it.
        let position = self.joint.ticks.round() - self.origin();
        if !(-slack..TURN + slack).contains(&position) {
            self.turn_start += (position / TURN).floor() * TURN;
        }
    }

    const fn direction(&self) -> f64 {
        if self.config.reversed { -1.0 } else { 1.0 }
    }

    fn ticks_of(&self, radians: f64) -> f64 {
        self.config.mount_ticks + radians * TICKS_PER_RADIAN * self.direction()
    }

    fn radians_of(&self, ticks: f64) -> f64 {
        (ticks - self.config.mount_ticks) / TICKS_PER_RADIAN * self.direction()
    }
}
