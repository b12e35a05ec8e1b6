//! Packets as a servo and its vendor's own program exchange them, byte for byte.

use forearm_hardware::codec::{
    BROADCAST_ID, Direction, MAX_PACKET, PacketBuf, PacketError, Parser, ServoFault, StatusBits,
    registers as reg,
};

fn bytes(text: &str) -> Vec<u8> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).expect("a hexadecimal byte"))
        .collect()
}

#[track_caller]
fn same(got: &[u8], expected: &str) {
    assert_eq!(got, bytes(expected), "got {got:02X?}, expected {expected}");
}

const SIX: [u8; 6] = [1, 2, 3, 4, 5, 6];

#[test]
fn requests() {
    let mut packet = PacketBuf::new();
    same(packet.ping(1), "FF FF 01 02 01 FB");
    same(packet.ping(BROADCAST_ID), "FF FF FE 02 01 FE");
    same(
        packet.read(1, reg::PRESENT_POSITION.address, 2),
        "FF FF 01 04 02 38 02 BE",
    );
    same(packet.action(BROADCAST_ID), "FF FF FE 02 05 FA");
    let goal = reg::GOAL_POSITION.encode(2048).unwrap();
    same(
        packet.write(1, reg::GOAL_POSITION.address, &goal).unwrap(),
        "FF FF 01 05 03 2A 00 08 C4",
    );
    same(
        packet
            .reg_write(1, reg::GOAL_POSITION.address, &goal)
            .unwrap(),
        "FF FF 01 05 04 2A 00 08 C3",
    );
    for (register, value, expected) in [
        (reg::TORQUE_ENABLE, 0, "FF FF 01 04 03 28 00 CF"),
        (reg::TORQUE_ENABLE, 1, "FF FF 01 04 03 28 01 CE"),
        (reg::LOCK, 0, "FF FF 01 04 03 37 00 C0"),
    ] {
        let value = register.encode(value).unwrap();
        same(packet.write(1, register.address, &value).unwrap(), expected);
    }
    let offset = reg::HOMING_OFFSET.encode(-879).unwrap();
    same(
        packet
            .write(3, reg::HOMING_OFFSET.address, &offset)
            .unwrap(),
        "FF FF 03 05 03 1F 6F 0B 5B",
    );
}

#[test]
fn six_at_once() {
    let mut packet = PacketBuf::new();
    same(
        packet
            .sync_read(reg::PRESENT_POSITION.address, 2, &SIX)
            .unwrap(),
        "FF FF FE 0A 82 38 02 01 02 03 04 05 06 26",
    );
    let goal = reg::GOAL_POSITION.encode(2048).unwrap();
    same(
        packet
            .sync_write(
                reg::GOAL_POSITION.address,
                2,
                SIX.iter().map(|id| (*id, &*goal)),
            )
            .unwrap(),
        "FF FF FE 16 83 2A 02 01 00 08 02 00 08 03 00 08 04 00 08 05 00 08 06 00 08 F7",
    );
}

#[test]
fn replies() {
    let mut packet = PacketBuf::new();
    let position = reg::PRESENT_POSITION.encode(2048).unwrap();
    same(
        packet.status(1, StatusBits::OK, &position).unwrap(),
        "FF FF 01 04 00 00 08 F2",
    );
    same(
        packet.status(1, StatusBits::OK, &[]).unwrap(),
        "FF FF 01 02 00 FC",
    );
    let overload = StatusBits::OK.with(ServoFault::Overload);
    same(
        packet.status(1, overload, &[]).unwrap(),
        "FF FF 01 02 20 DC",
    );

    let mut parser = Parser::new(Direction::Replies);
    assert_eq!(parser.push(packet.as_bytes()), 6);
    let frame = parser.next_frame().unwrap();
    assert_eq!((frame.id, StatusBits(frame.code)), (1, overload));
    let said = StatusBits(frame.code).to_string();
    assert!(
        said.contains("overload") && said.contains("free the joint"),
        "{said}"
    );
}

#[test]
fn status_tells_every_bit() {
    let status = StatusBits(0x2D);
    let names: Vec<_> = status.iter().map(ServoFault::name).collect();
    assert_eq!(names, ["voltage", "overheat", "overcurrent", "overload"]);
    assert_eq!(StatusBits(0).to_string(), "ok");
    assert!(StatusBits(0x50).to_string().contains("0x50"));
    assert!(StatusBits(0x41).to_string().contains("; status bits 0x40"));
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut packet = PacketBuf::new();
    let ids: Vec<u8> = (0..=252).collect();
    assert_eq!(
        packet.sync_read(56, 2, &ids[..243]).map(<[u8]>::len),
        Err(PacketError::TooLong { got: 251 })
    );
    assert!(packet.as_bytes().is_empty());
    assert_eq!(
        packet.sync_read(56, 2, &ids[..242]).map(<[u8]>::len),
        Ok(MAX_PACKET)
    );
    assert_eq!(
        packet
            .sync_write(42, 2, [(1, &[0, 8][..]), (2, &[0][..])])
            .map(<[u8]>::len),
        Err(PacketError::Uneven {
            id: 2,
            got: 1,
            expected: 2
        })
    );
    assert!(packet.as_bytes().is_empty());
}
