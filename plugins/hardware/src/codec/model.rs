//! What is the same for every STS3215.

/// The number in the register `Model_Number`.
pub const STS3215: u16 = 777;

/// Encoder ticks a turn.
pub const RESOLUTION: u16 = 4096;

/// Baud rate of a bus that nobody changed.
pub const DEFAULT_BAUD: u32 = 1_000_000;

/// Values of the register `Baud_Rate` and what they mean, as LeRobot's table for the series has it.
pub const BAUD_RATES: [(u8, u32); 8] = [
    (0, 1_000_000),
    (1, 500_000),
    (2, 250_000),
    (3, 128_000),
    (4, 115_200),
    (5, 57_600),
    (6, 38_400),
    (7, 19_200),
];

/// Bits a second of a value of the register `Baud_Rate`; `None` for a value without a meaning.
#[must_use]
pub fn baud_of_code(code: u8) -> Option<u32> {
    BAUD_RATES
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, baud)| *baud)
}

/// The value of the register `Baud_Rate` for bits a second; `None` for a rate that no servo has.
#[must_use]
pub fn code_of_baud(baud: u32) -> Option<u8> {
    BAUD_RATES
        .iter()
        .find(|(_, known)| *known == baud)
        .map(|(code, _)| *code)
}
