//! A virtual arm's servo bus in a browser: what the tests' double of Web Serial speaks with. Only for
//! the browser; natively it does nothing.

fn main() {}

#[cfg(target_family = "wasm")]
mod web {
    use forearm_hardware::codec::{Direction, PacketBuf, Parser, registers};
    use forearm_hardware::emulator::{
        ChainConfig, Faults, Knob, MAX_SERVOS, PlantCommand, ServoChain, ServoConfig, SimplePlant,
        Wire,
    };
    use wasm_bindgen::JsError;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// Servos with the ids from 1 on, and joints that they drive. Times are seconds from any origin
    /// and never go back; joints are counted from 0.
    #[wasm_bindgen]
    pub struct VirtualArm {
        chain: ServoChain,
        plant: SimplePlant,
        command: PlantCommand,
        now: f64,
        /// The largest change of a motor's goal from one moment to the next, radians.
        largest_step: f64,
    }

    #[wasm_bindgen]
    impl VirtualArm {
        /// One servo for each of `mount_ticks`: what its encoder counts at 0 rad. Their homing offsets
        /// and position limits (ticks) are those of a calibration; `usb_millis` is what an adapter
        /// keeps replies for.
        #[wasm_bindgen(constructor)]
        #[must_use]
        pub fn new(
            mount_ticks: &[f64],
            homing_offsets: &[i32],
            lowest: &[u16],
            highest: &[u16],
            usb_millis: f64,
        ) -> Self {
            let servo = |(index, mount): (usize, &f64)| ServoConfig {
                id: index as u8 + 1,
                mount_ticks: *mount,
                homing_offset: homing_offsets.get(index).copied().unwrap_or_default(),
                position_limits: (
                    lowest.get(index).copied().unwrap_or(0),
                    highest.get(index).copied().unwrap_or(4095),
                ),
                ..ServoConfig::default()
            };
            let config = ChainConfig {
                servos: mount_ticks.iter().enumerate().map(servo).collect(),
                wire: Wire {
                    from_bus_secs: usb_millis / 1e3,
                    ..Wire::default()
                },
                ..ChainConfig::default()
            };
            Self {
                chain: ServoChain::new(&config),
                plant: SimplePlant::default(),
                command: PlantCommand::default(),
                now: 0.0,
                largest_step: 0.0,
            }
        }

        /// A program has written bytes, at this rate (bits a second).
        pub fn receive(&mut self, now: f64, baud: u32, bytes: &[u8]) {
            self.pass(now);
            self.chain.receive(now, Some(baud), bytes);
            self.pass(now);
        }

        /// The next bytes that the program can read by now.
        pub fn take(&mut self, now: f64) -> Option<Vec<u8>> {
            self.chain.transmit(now).map(<[u8]>::to_vec)
        }

        /// When there will be bytes to read.
        #[must_use]
        pub fn due(&self) -> Option<f64> {
            self.chain.wait_until()
        }

        /// Lets joints move until now.
        pub fn pass(&mut self, now: f64) {
            self.plant.step(&self.command, now - self.now);
            self.now = now;
            let command = self.chain.advance(now, self.plant.sample());
            for joint in 0..MAX_SERVOS {
                if command.drives(joint) && self.command.drives(joint) {
                    let step = (command.targets[joint] - self.command.targets[joint]).abs();
                    self.largest_step = self.largest_step.max(step);
                }
            }
            self.command = command;
        }

        /// Somebody moves a joint by hand, to this angle, radians.
        pub fn place(&mut self, joint: usize, radians: f64) {
            self.plant.place(joint, radians);
        }

        /// Where a joint is, radians.
        #[must_use]
        pub fn position(&self, joint: usize) -> f64 {
            let positions = self.plant.sample().positions;
            positions.get(joint).copied().unwrap_or_default()
        }

        /// Which motors drive their joints: bit a joint.
        #[must_use]
        pub fn torque(&self) -> u16 {
            self.command.torque
        }

        /// The largest change of a motor's goal from one moment to the next, radians, since it was
        /// asked last.
        pub fn largest_step(&mut self) -> f64 {
            std::mem::take(&mut self.largest_step)
        }

        /// What a register holds, by LeRobot's name.
        ///
        /// # Errors
        /// There is no such register or motor.
        pub fn register(&self, id: u8, name: &str) -> Result<i32, JsError> {
            let register = registers::by_name(name)
                .ok_or_else(|| JsError::new(&format!("there is no register {name}")))?;
            let mut chain = self.chain.clone();
            chain.unplug();
            chain.turn(Knob::Power(true));
            chain.turn(Knob::Wire(Wire::INSTANT));
            chain.turn(Knob::Faults(Faults::default()));
            let mut packet = PacketBuf::new();
            let request = packet.read(id, register.address, register.size);
            // Late enough for the last word on the wire to be over.
            let later = self.now + 1.0;
            chain.receive(later, None, request);
            let mut parser = Parser::new(Direction::Replies);
            while let Some(bytes) = chain.transmit(later) {
                let taken = parser.push(bytes);
                if let Some(reply) = parser.next_frame().filter(|_| taken == bytes.len()) {
                    return Ok(register.decode(reply.params));
                }
            }
            Err(JsError::new(&format!("motor {id} does not tell {name}")))
        }

        /// The plug is pulled: what is on its way is lost, the motors don't notice.
        pub fn unplug(&mut self) {
            self.chain.unplug();
        }

        /// The supply goes off and on.
        pub fn power(&mut self, on: bool) {
            self.chain.turn(Knob::Power(on));
        }
    }
}
