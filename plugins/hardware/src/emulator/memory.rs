//! One servo's registers: what they are now, and what is kept when the power goes off.

use crate::codec::MAX_ID;
use crate::codec::model::baud_of_code;
use crate::codec::registers::{self as reg, Register, SRAM_START};

/// Addresses that exist. What is beyond reads as 0.
const SIZE: usize = 96;

/// Set while a registered write awaits its action (Feetech's memory table, address 64).
const ASYNCHRONOUS_WRITE_FLAG: usize = 64;

/// The most bytes of a registered write.
const MAX_PENDING: usize = SIZE;

const WRITABLE: [bool; SIZE] = {
    let mut writable = [false; SIZE];
    let mut index = 0;
    while index < reg::ALL.len() {
        let register = reg::ALL[index];
        let mut address = register.address;
        while address < register.end() {
            writable[address as usize] = register.writable;
            address += 1;
        }
        index += 1;
    }
    writable
};

/// Addresses that one write touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touched {
    start: usize,
    end: usize,
}

impl Touched {
    /// Whether a byte of this register was written.
    pub(super) fn contains(&self, register: &Register) -> bool {
        usize::from(register.address) < self.end && self.start < usize::from(register.end())
    }
}

#[derive(Debug, Clone)]
pub(super) struct Memory {
    live: [u8; SIZE],
    saved: [u8; SRAM_START as usize],
    pending: [u8; MAX_PENDING],
    /// Address and length of the registered write.
    pending_at: Option<(u8, usize)>,
}

impl Memory {
    /// As from the factory, but with another id and baud rate.
    pub(super) fn new() -> Self {
        let mut memory = Self {
            live: [0; SIZE],
            saved: [0; SRAM_START as usize],
            pending: [0; MAX_PENDING],
            pending_at: None,
        };
        for register in reg::ALL {
            memory.set_raw(register, register.factory);
        }
        memory.save_all();
        memory
    }

    /// Makes what the registers are now what they are after the power was off.
    pub(super) fn save_all(&mut self) {
        self.saved
            .copy_from_slice(&self.live[..usize::from(SRAM_START)]);
    }

    /// What the power's return does: kept registers come back, the others start over.
    pub(super) fn power_up(&mut self) {
        self.pending_at = None;
        self.live = [0; SIZE];
        for register in reg::ALL.iter().filter(|register| !register.eeprom) {
            self.set_raw(register, register.factory);
        }
        self.live[..self.saved.len()].copy_from_slice(&self.saved);
        self.set_raw(&reg::TORQUE_LIMIT, self.raw(&reg::MAX_TORQUE_LIMIT));
    }

    pub(super) fn raw(&self, register: &Register) -> u16 {
        let at = usize::from(register.address);
        let high = if register.size == 2 {
            self.live[at + 1]
        } else {
            0
        };
        u16::from_le_bytes([self.live[at], high])
    }

    pub(super) fn set_raw(&mut self, register: &Register, raw: u16) {
        let at = usize::from(register.address);
        let size = usize::from(register.size);
        self.live[at..at + size].copy_from_slice(&raw.to_le_bytes()[..size]);
    }

    pub(super) fn get(&self, register: &Register) -> i32 {
        register.decode_raw(self.raw(register))
    }

    /// Sets a register; what does not fit becomes the nearest that does.
    pub(super) fn set(&mut self, register: &Register, value: i32) {
        let (min, max) = register.range();
        if let Ok(bytes) = register.encode(value.clamp(min, max)) {
            let at = usize::from(register.address);
            self.live[at..at + bytes.len()].copy_from_slice(&bytes);
        }
    }

    /// Makes one register what it is after the power was off, whatever the lock says.
    pub(super) fn save(&mut self, register: &Register) {
        let range = usize::from(register.address)..usize::from(register.end());
        if let (Some(saved), Some(live)) = (self.saved.get_mut(range.clone()), self.live.get(range))
        {
            saved.copy_from_slice(live);
        }
    }

    /// Copies registers from `address` on; what does not exist is 0.
    pub(super) fn read(&self, address: u8, out: &mut [u8]) {
        for (index, byte) in out.iter_mut().enumerate() {
            *byte = self
                .live
                .get(usize::from(address) + index)
                .copied()
                .unwrap_or(0);
        }
    }

    /// Sets registers from `address` on, as a program may: what can't be written, does not exist,
    /// or would put the servo off the bus for good stays as it is. Registers of the EEPROM are kept
    /// only while the lock is off.
    pub(super) fn write(&mut self, address: u8, data: &[u8]) -> Touched {
        let start = usize::from(address);
        // The lock as it was: one packet can't open it for itself.
        let locked = self.raw(&reg::LOCK) != 0;
        for (at, byte) in (start..).zip(data) {
            if !WRITABLE.get(at).is_some_and(|writable| *writable) || !possible(at, *byte) {
                continue;
            }
            self.live[at] = *byte;
            if !locked && let Some(saved) = self.saved.get_mut(at) {
                *saved = *byte;
            }
        }
        Touched {
            start,
            end: start + data.len(),
        }
    }

    /// Keeps a write for the action.
    pub(super) fn register_write(&mut self, address: u8, data: &[u8]) {
        let len = data.len().min(MAX_PENDING);
        self.pending[..len].copy_from_slice(&data[..len]);
        self.pending_at = Some((address, len));
        self.live[ASYNCHRONOUS_WRITE_FLAG] = 1;
    }

    /// Carries out what was registered.
    pub(super) fn action(&mut self) -> Option<Touched> {
        let (address, len) = self.pending_at.take()?;
        self.live[ASYNCHRONOUS_WRITE_FLAG] = 0;
        let data = self.pending;
        Some(self.write(address, &data[..len]))
    }
}

fn possible(address: usize, byte: u8) -> bool {
    if address == usize::from(reg::ID.address) {
        // One above what the SDK allows: the vendor's table goes up to 253.
        byte <= MAX_ID + 1
    } else if address == usize::from(reg::BAUD_RATE.address) {
        baud_of_code(byte).is_some()
    } else {
        true
    }
}
