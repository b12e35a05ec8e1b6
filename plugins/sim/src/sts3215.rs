//! The servo of the SO-100 and SO-101: Feetech's STS3215 for 12 V, geared 1/345.
//!
//! Unlike the ideal position actuator it has a firmware, which looks at an encoder of 4096 steps a
//! thousand times a second, follows a profile of limited speed and acceleration, and sets how much
//! of the supply's voltage the motor gets (its duty). The motor's torque falls with its speed, is
//! limited by what the electronics let through, and reaches the joint through gears with play and
//! with friction that grows with the load. So the joint stops short of its target under load, as a
//! real arm does.
//!
//! Where the numbers come from, and what they are worth:
//!
//! | number | source |
//! |---|---|
//! | [`ERROR_GAIN`] | measured with an oscilloscope by K-Scale Labs on the 12 V servo (0.165); Rhoban's BAM found 0.166 at 7.4 V |
//! | [`MAX_DUTY`] | measured with an oscilloscope by Rhoban (BAM) |
//! | [`TORQUE_PER_VOLT`] | identified by K-Scale Labs on a pendulum: kt / R = 3.60 / 9.03. It gives a stiffness of 25 N·m/rad at P = 32; Robonine measured 1.8 to 2.6° under 1.04 N·m there, 23 to 33 N·m/rad |
//! | [`LOAD_FRICTION`], [`VISCOUS`] | identified by K-Scale Labs in the same fit |
//! | [`STALL_TORQUE`], [`NO_LOAD_SPEED`] | data sheet: 30 kg·cm and 0.222 s/60° at 12 V. Robonine measured 35 kg·cm and 46 rpm (data sheet 45) |
//! | [`BACK_EMF`] | follows from the no-load speed. K-Scale's fit would give more (1.44), and a servo slower than both data sheet and measurement |
//! | play of the gears | measured by Robonine: 0.87°; the data sheet promises at most 0.5° |
//! | dead band, acceleration, P, D | registers: 26 and 27 leave the factory at 1 step; LeRobot sets P 16, I 0, D 32 and the acceleration to 254 |
//! | [`MAX_SPEED_STEPS`] | Rhoban (BAM): the firmware moves its goal no faster than 3400 steps a second |
//! | [`PERIOD_SECS`] | an estimate: data sheets of the family say "at most 1 ms" |
//! | what D is counted in | an estimate: duty for each step that the error changes in a period, as P's |
//! | [`DUTY_STEPS`] | an estimate: registers speak of thousandths |
//! | rotor's inertia, dry friction | the arm's model |
//!
//! Not modelled: integral gain (LeRobot sets none), least starting force, temperature, current and
//! overload protection, sag of the supply. The encoder sits on the joint. While the gears
//! are in their play the rotor turns alone, with its inertia and all friction; where teeth meet again
//! the two share their momentum. The teeth of a servo without torque touch.

use forearm_arm::Joint;

use crate::snapshot::state;

/// Duty for each unit of P and radian of error.
pub const ERROR_GAIN: f64 = 0.1649;
/// The most of the supply's voltage that the motor gets.
pub const MAX_DUTY: f64 = 0.97;
/// Torque of the standing motor for each volt, N·m/V, at the joint.
pub const TORQUE_PER_VOLT: f64 = 0.3988;
/// Torque at standstill that the electronics let through at 12 V, N·m.
pub const STALL_TORQUE: f64 = 2.94;
/// Speed without load at 12 V, rad/s.
pub const NO_LOAD_SPEED: f64 = 4.717;
/// The supply that data sheets speak of, V.
pub const NOMINAL_VOLTAGE: f64 = 12.0;
/// Viscous friction of the gears, N·m·s/rad.
pub const VISCOUS: f64 = 0.0537;
/// Dry friction for each unit of torque that the motor exerts.
pub const LOAD_FRICTION: f64 = 0.0566;
/// Dry friction without load that the back-EMF was computed with, N·m.
const DRY_FRICTION: f64 = 0.052;
/// Torque that the turning motor loses to its own voltage, N·m·s/rad, so that at full duty nothing is
/// left at the no-load speed.
pub const BACK_EMF: f64 =
    (TORQUE_PER_VOLT * NOMINAL_VOLTAGE * MAX_DUTY - DRY_FRICTION) / NO_LOAD_SPEED - VISCOUS;
/// Steps of the encoder for each radian.
pub const STEPS_PER_RADIAN: f64 = 4096.0 / std::f64::consts::TAU;
/// The firmware's period, seconds.
pub const PERIOD_SECS: f64 = 0.001;
/// The fastest that the firmware moves its goal, steps a second.
pub const MAX_SPEED_STEPS: f64 = 3400.0;
/// What a unit of the acceleration register is, steps a second squared.
pub const ACCELERATION_UNIT: f64 = 100.0;
/// How finely the duty is set.
pub const DUTY_STEPS: f64 = 1000.0;

/// The registers and surroundings that a scene chooses, as the firmware uses them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sts3215 {
    voltage: f64,
    /// Duty for each step of error, and for each step that it changes in a period.
    proportional: f64,
    derivative: f64,
    /// How many times the proportional gain it has.
    gain: f64,
    dead_band: f64,
    /// The most duty, by the torque limit of the joint.
    max_duty: f64,
    /// Profile: steps a second, and steps a second squared (infinite: no limit).
    max_speed: f64,
    acceleration: f64,
    half_play: f64,
}

/// What the firmware and the gears remember.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Firmware {
    /// Time until the firmware looks again, seconds.
    until_look: f64,
    /// Where the profile is, steps, and how fast it moves, steps a second.
    goal: f64,
    goal_speed: f64,
    last_error: f64,
    duty: f64,
    /// How far the motor's side of the gears is ahead of the joint, radians, and how fast it turns,
    /// rad/s.
    ahead: f64,
    speed: f64,
    /// Whether the gears are in their play: the motor and the joint are apart.
    apart: bool,
}

state!(Firmware { until_look, goal, goal_speed, last_error, duty, ahead, speed, apart } but {});

impl Firmware {
    /// Whether the joint moves without its motor.
    pub(crate) fn apart(&self) -> bool {
        self.apart
    }

    /// The motor gets no voltage: it turns with the joint.
    pub(crate) fn let_go(&mut self) {
        self.apart = false;
    }
}

/// What the motor does to the joint in a step: `torque = constant − damping · velocity`, within
/// `limit`, and an impulse (N·m·s) where teeth have met.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Motor {
    pub(crate) constant: f64,
    pub(crate) damping: f64,
    pub(crate) limit: f64,
    pub(crate) impulse: f64,
}

/// A joint's motion at the beginning of a step, and what resists its motor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) position: f64,
    pub(crate) velocity: f64,
    /// Inertia of the rotor, seen from the joint, and its dry friction.
    pub(crate) armature: f64,
    pub(crate) friction: f64,
}

impl Sts3215 {
    /// The servo of a joint, as a scene describes it.
    pub(crate) fn new(joint: &Joint, spec: &forearm_protocol::scene::Sts3215Spec) -> Self {
        let gain = ERROR_GAIN / STEPS_PER_RADIAN;
        let speed = f64::from(spec.goal_velocity);
        let acceleration = f64::from(spec.acceleration) * ACCELERATION_UNIT;
        let or_none = |value: f64, none: f64| if value > 0.0 { value } else { none };
        Self {
            voltage: spec.voltage,
            proportional: gain * f64::from(spec.p),
            derivative: gain * f64::from(spec.d),
            gain: 1.0,
            dead_band: f64::from(spec.dead_band),
            max_duty: MAX_DUTY * (joint.limits.effort / STALL_TORQUE).min(1.0),
            max_speed: or_none(speed, MAX_SPEED_STEPS).min(MAX_SPEED_STEPS),
            acceleration: or_none(acceleration, f64::INFINITY),
            half_play: spec.backlash_degrees.to_radians() / 2.0,
        }
    }

    /// Makes the proportional gain so many times the register's.
    pub(crate) fn scale_gain(&mut self, factor: f64) {
        self.gain = factor;
    }

    /// The firmware of a servo that has just been switched on here.
    pub(crate) fn switched_on(position: f64) -> Firmware {
        Firmware {
            goal: nearest(position * STEPS_PER_RADIAN),
            ..Firmware::default()
        }
    }

    /// One step of `dt`. `share` is the part of its torque that it may use.
    pub(crate) fn step(
        &self,
        firmware: &mut Firmware,
        load: &Load,
        target: f64,
        share: f64,
        dt: f64,
    ) -> Motor {
        let (mut elapsed, mut area) = (0.0, 0.0);
        // The slack keeps rounding from moving a look into the next step.
        while firmware.until_look < dt - 1e-9 {
            let at = firmware.until_look;
            area += firmware.duty * (at - elapsed);
            elapsed = at;
            self.look(firmware, load.position + load.velocity * at, target, share);
            firmware.until_look += PERIOD_SECS;
        }
        area += firmware.duty * (dt - elapsed);
        firmware.until_look = (firmware.until_look - dt).max(0.0);
        let torque = TORQUE_PER_VOLT * self.voltage * (area / dt);
        let limit = STALL_TORQUE * (self.voltage / NOMINAL_VOLTAGE) * (self.max_duty / MAX_DUTY);
        let limit = limit * share;
        let impulse = self.mesh(firmware, load, torque, limit, dt);
        if firmware.apart {
            return Motor {
                constant: 0.0,
                damping: 0.0,
                limit: 0.0,
                impulse: 0.0,
            };
        }
        Motor {
            constant: torque,
            damping: BACK_EMF,
            limit,
            impulse,
        }
    }

    /// The firmware looks at the encoder and sets the duty.
    fn look(&self, firmware: &mut Firmware, position: f64, target: f64, share: f64) {
        self.profile(firmware, nearest(target * STEPS_PER_RADIAN));
        let error = nearest(firmware.goal) - nearest(position * STEPS_PER_RADIAN);
        let change = error - firmware.last_error;
        firmware.last_error = error;
        firmware.duty = if error.abs() <= self.dead_band {
            0.0
        } else {
            let most = self.max_duty * share;
            let duty = self.gain * self.proportional * error + self.derivative * change;
            nearest(duty.clamp(-most, most) * DUTY_STEPS) / DUTY_STEPS
        };
    }

    /// Moves the goal towards the target, no faster than it may, and so that it can stop in time.
    fn profile(&self, firmware: &mut Firmware, target: f64) {
        let way = target - firmware.goal;
        let mut speed = self.max_speed.min(way.abs() / PERIOD_SECS);
        if self.acceleration.is_finite() {
            let gain = self.acceleration * PERIOD_SECS;
            // The speed from which braking, a period at a time, ends at the target.
            let brake = (2.0 * self.acceleration * way.abs() + gain * gain / 4.0).sqrt();
            let wanted = speed.min((brake - gain / 2.0).max(0.0)).copysign(way);
            let before = firmware.goal_speed;
            speed = wanted.clamp(before - gain, before + gain);
        } else {
            speed = speed.copysign(way);
        }
        firmware.goal += speed * PERIOD_SECS;
        firmware.goal_speed = speed;
        // The last half step is none.
        if (target - firmware.goal).abs() < 0.5 && speed.abs() * PERIOD_SECS < 1.0 {
            firmware.goal = target;
            firmware.goal_speed = 0.0;
        }
    }

    /// Parts the motor from the joint when it pulls away, turns it through the play, and brings the
    /// two together again; answers the impulse that the joint gets then.
    fn mesh(&self, firmware: &mut Firmware, load: &Load, torque: f64, limit: f64, dt: f64) -> f64 {
        let (half, velocity) = (self.half_play, load.velocity);
        // Without an inertia of its own a rotor has no motion of its own either.
        if half == 0.0 || load.armature <= 0.0 {
            return 0.0;
        }
        if !firmware.apart {
            firmware.speed = velocity;
        }
        let net = (torque - BACK_EMF * firmware.speed).clamp(-limit, limit);
        let pushes =
            (firmware.ahead >= half && net >= 0.0) || (firmware.ahead <= -half && net <= 0.0);
        if !firmware.apart && pushes {
            return 0.0;
        }
        let speed = firmware.speed + (net - VISCOUS * firmware.speed) * dt / load.armature;
        let stopped = load.friction * dt / load.armature;
        firmware.speed = (speed.abs() - stopped).max(0.0).copysign(speed);
        let ahead = firmware.ahead + (firmware.speed - velocity) * dt;
        firmware.ahead = ahead.clamp(-half, half);
        firmware.apart = ahead.abs() < half;
        if firmware.apart {
            return 0.0;
        }
        load.armature * (firmware.speed - velocity)
    }
}

/// The nearest whole number.
fn nearest(value: f64) -> f64 {
    (value + 0.5).floor()
}
