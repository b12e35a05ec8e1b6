//! Registers: the table itself, and values there and back.

use forearm_hardware::codec::{model, registers as reg};
use proptest::prelude::*;

#[test]
fn the_table_is_whole_and_in_order() {
    // Bytes that no register covers: reserved ones and those that only the vendor knows.
    let gaps = [2, 68, 73];
    for pair in reg::ALL.windows(2) {
        assert!(
            pair[0].end() <= pair[1].address,
            "{} and {}",
            pair[0],
            pair[1]
        );
    }
    assert!(gaps.iter().all(|gap| reg::by_address(*gap).is_none()));
    assert_eq!(reg::ALL.len(), 55);
    for register in reg::ALL {
        assert_eq!(reg::by_name(register.name), Some(register));
        assert_eq!(reg::by_address(register.address), Some(register));
        assert_eq!(register.eeprom, register.address < 40);
        assert!(register.size == 1 || register.size == 2);
    }
    assert_eq!(
        reg::by_name(" acceleration_multiplier "),
        Some(&reg::ACCELERATION_MULTIPLIER)
    );
    assert_eq!(
        reg::by_name("Moving_Velocity_Threshold"),
        Some(&reg::MOVING_VELOCITY)
    );
    assert_eq!(reg::by_name("Present_Mood"), None);
}

#[test]
fn known_encodings() {
    let cases: [(_, i32, &[u8]); 8] = [
        (reg::HOMING_OFFSET, -879, &[0x6F, 0x0B]),
        (reg::HOMING_OFFSET, -1, &[0x01, 0x08]),
        (reg::HOMING_OFFSET, -2047, &[0xFF, 0x0F]),
        (reg::HOMING_OFFSET, 2047, &[0xFF, 0x07]),
        (reg::GOAL_POSITION, 2048, &[0x00, 0x08]),
        (reg::PRESENT_VELOCITY, -50, &[0x32, 0x80]),
        (reg::PRESENT_LOAD, -1000, &[0xE8, 0x07]),
        (reg::ID, 6, &[6]),
    ];
    for (register, value, bytes) in cases {
        assert_eq!(&*register.encode(value).unwrap(), bytes, "{register}");
        assert_eq!(register.decode(bytes), value, "{register}");
    }
    // There are two zeros; both are 0. What is missing is 0, what is too much is not read.
    assert_eq!(reg::GOAL_POSITION.decode(&[0, 0x80]), 0);
    assert_eq!(reg::GOAL_POSITION.decode(&[7]), 7);
    assert_eq!(reg::ID.decode(&[7, 9]), 7);
}

#[test]
fn baud_rates_there_and_back() {
    for (code, baud) in model::BAUD_RATES {
        assert_eq!(model::baud_of_code(code), Some(baud));
        assert_eq!(model::code_of_baud(baud), Some(code));
    }
    assert_eq!(model::baud_of_code(8), None);
    assert_eq!(model::code_of_baud(9600), None);
}

proptest! {
    #[test]
    fn values_survive(index in 0..reg::ALL.len(), value in -70_000..70_000) {
        let register = reg::ALL[index];
        let (min, max) = register.range();
        match register.encode(value) {
            Ok(bytes) => {
                prop_assert_eq!(bytes.len(), usize::from(register.size));
                prop_assert_eq!(register.decode(&bytes), value);
            }
            Err(error) => {
                prop_assert!(value < min || value > max);
                prop_assert!(error.to_string().contains(register.name));
            }
        }
    }
}
