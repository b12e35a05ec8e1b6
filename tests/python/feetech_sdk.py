"""The vendor's protocol package (PyPI `feetech-servo-sdk`) against a bus of six servos.

    python feetech_sdk.py PORT

Pings the servos 1 to 6, reads and writes registers of every class, moves the joints a little with
registered and synchronous writes, and puts back what it changed. Prints a line for each check. Exit
code 0: all passed; 1: a check failed; 2: the package is not installed; 3: the port can't be opened.

Meant for virtual servos. On real ones the joints move by about five degrees.
"""

import os
import sys
import time

try:
    import scservo_sdk as scs
except ImportError:
    print("the package feetech-servo-sdk is not installed: pip install feetech-servo-sdk")
    sys.exit(2)

IDS = [1, 2, 3, 4, 5, 6]
MODEL = 777
NOBODY = 77

# Registers: address and size.
MODEL_NUMBER = (3, 2)
ID = (5, 1)
MIN_POSITION_LIMIT = (9, 2)
MAX_POSITION_LIMIT = (11, 2)
MAX_TORQUE_LIMIT = (16, 2)
P_COEFFICIENT = (21, 1)
HOMING_OFFSET = (31, 2)
TORQUE_ENABLE = (40, 1)
ACCELERATION = (41, 1)
GOAL_POSITION = (42, 2)
LOCK = (55, 1)
PRESENT_POSITION = (56, 2)
PRESENT_VOLTAGE = (62, 1)
PRESENT_TEMPERATURE = (63, 1)
MAXIMUM_ACCELERATION = (85, 1)

STEP = 60
NEAR = 40
PATIENCE_SECS = 10.0


def go_first():
    """The SDK gives up 34 ms after a request, also when it did not get to run meanwhile."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except (AttributeError, OSError):
        pass


class Failed(Exception):
    """A check that did not pass."""


def expect(got, wanted, what):
    if got != wanted:
        raise Failed(f"{what}: got {got}, expected {wanted}")


class Bus:
    def __init__(self, path):
        self.port = scs.PortHandler(path)
        self.packets = scs.PacketHandler(0)
        if not self.port.openPort() or not self.port.setBaudRate(1_000_000):
            raise OSError(f"can't open {path}")

    def read(self, motor, register):
        address, size = register
        call = self.packets.read1ByteTxRx if size == 1 else self.packets.read2ByteTxRx
        value, result, error = call(self.port, motor, address)
        expect((result, error), (scs.COMM_SUCCESS, 0), f"read of {address} of servo {motor}")
        return value

    def write(self, motor, register, value):
        address, size = register
        call = self.packets.write1ByteTxRx if size == 1 else self.packets.write2ByteTxRx
        result, error = call(self.port, motor, address, value)
        expect((result, error), (scs.COMM_SUCCESS, 0), f"write of {address} of servo {motor}")

    def positions(self):
        group = scs.GroupSyncRead(self.port, self.packets, *PRESENT_POSITION)
        for motor in IDS:
            group.addParam(motor)
        expect(group.txRxPacket(), scs.COMM_SUCCESS, "sync read")
        return {motor: group.getData(motor, *PRESENT_POSITION) for motor in IDS}

    def send_goals(self, goals):
        group = scs.GroupSyncWrite(self.port, self.packets, *GOAL_POSITION)
        for motor, goal in goals.items():
            expect(group.addParam(motor, [goal & 0xFF, goal >> 8]), True, "sync write: add")
        expect(group.txPacket(), scs.COMM_SUCCESS, "sync write")

    def reach(self, goals):
        deadline = time.monotonic() + PATIENCE_SECS
        while True:
            positions = self.positions()
            far = {m: (positions[m], g) for m, g in goals.items() if abs(positions[m] - g) > NEAR}
            if not far:
                return
            if time.monotonic() > deadline:
                raise Failed(f"goals not reached (servo: position, goal): {far}")


def pings(bus):
    for motor in IDS:
        model, result, error = bus.packets.ping(bus.port, motor)
        expect((model, result, error), (MODEL, scs.COMM_SUCCESS, 0), f"ping {motor}")


def nobody(bus):
    _, result, _ = bus.packets.ping(bus.port, NOBODY)
    expect(result, scs.COMM_RX_TIMEOUT, f"ping {NOBODY}")


def broadcast_ping(bus):
    expect(bus.packets.txPacket(bus.port, [0, 0, scs.BROADCAST_ID, 2, scs.INST_PING, 0]), 0, "send")
    bus.port.setPacketTimeoutMillis(100)
    got = bytearray()
    while len(got) < 6 * len(IDS) and not bus.port.isPacketTimeout():
        got += bus.port.readPort(6 * len(IDS) - len(got))
    bus.port.is_using = False
    wanted = b"".join(bytes([255, 255, m, 2, 0, ~(m + 2) & 255]) for m in IDS)
    expect(bytes(got), wanted, "replies to a broadcast ping")


def reads(bus):
    for motor in IDS:
        expect(bus.read(motor, MODEL_NUMBER), MODEL, "Model_Number")
        expect(bus.read(motor, ID), motor, "ID")
        expect(bus.read(motor, PRESENT_VOLTAGE) in range(40, 141), True, "Present_Voltage")
        expect(bus.read(motor, PRESENT_TEMPERATURE) in range(10, 80), True, "Present_Temperature")
        expect(bus.read(motor, PRESENT_POSITION) in range(4096), True, "Present_Position")
    block, result, error = bus.packets.readTxRx(bus.port, 1, PRESENT_POSITION[0], 15)
    expect((len(block), result, error), (15, scs.COMM_SUCCESS, 0), "a block of 15 bytes")
    four, result, error = bus.packets.read4ByteTxRx(bus.port, 1, MIN_POSITION_LIMIT[0])
    limits = bus.read(1, MIN_POSITION_LIMIT) | bus.read(1, MAX_POSITION_LIMIT) << 16
    expect((four, result, error), (limits, scs.COMM_SUCCESS, 0), "four bytes")


def there_and_back(bus, register, value):
    before = bus.read(2, register)
    bus.write(2, register, value)
    try:
        expect(bus.read(2, register), value, f"register {register[0]}")
    finally:
        bus.write(2, register, before)
    expect(bus.read(2, register), before, f"register {register[0]} as before")


def eeprom_writes(bus):
    bus.write(2, TORQUE_ENABLE, 0)
    bus.write(2, LOCK, 0)
    there_and_back(bus, P_COEFFICIENT, 17)
    there_and_back(bus, MAX_TORQUE_LIMIT, 731)
    position = bus.read(2, PRESENT_POSITION)
    offset = bus.read(2, HOMING_OFFSET)
    decoded = scs.SCS_TOHOST(offset, 11)
    bus.write(2, HOMING_OFFSET, scs.SCS_TOSCS(-300, 11))
    try:
        expect(scs.SCS_TOHOST(bus.read(2, HOMING_OFFSET), 11), -300, "Homing_Offset")
        moved = (bus.read(2, PRESENT_POSITION) - position - decoded - 300) % 4096
        expect(min(moved, 4096 - moved) <= 2, True, "Present_Position = encoder - Homing_Offset")
    finally:
        bus.write(2, HOMING_OFFSET, offset)
        bus.write(2, LOCK, 1)
    expect(bus.read(2, LOCK), 1, "Lock")


def sram_writes(bus):
    there_and_back(bus, ACCELERATION, 40)
    there_and_back(bus, MAXIMUM_ACCELERATION, 200)


def read_only_writes(bus):
    bus.write(2, MODEL_NUMBER, 1234)
    expect(bus.read(2, MODEL_NUMBER), MODEL, "Model_Number after a write")


def broadcast_writes(bus):
    before = {motor: bus.read(motor, ACCELERATION) for motor in IDS}
    result = bus.packets.writeTxOnly(bus.port, scs.BROADCAST_ID, ACCELERATION[0], 1, [33])
    expect(result, scs.COMM_SUCCESS, "broadcast write")
    for motor in IDS:
        expect(bus.read(motor, ACCELERATION), 33, f"Acceleration of servo {motor}")
        bus.write(motor, ACCELERATION, before[motor])


def nearby(bus):
    """Goals a step away from where the joints are, towards the middle of what they may do."""
    goals = {}
    for motor, position in bus.positions().items():
        middle = (bus.read(motor, MIN_POSITION_LIMIT) + bus.read(motor, MAX_POSITION_LIMIT)) // 2
        goals[motor] = position + (STEP if position < middle else -STEP)
    return goals


def hold(bus):
    bus.send_goals(bus.positions())
    for motor in IDS:
        bus.write(motor, TORQUE_ENABLE, 1)


def registered_goals(bus):
    hold(bus)
    goals = nearby(bus)
    for motor, goal in goals.items():
        data = [goal & 0xFF, goal >> 8]
        result, error = bus.packets.regWriteTxRx(bus.port, motor, GOAL_POSITION[0], 2, data)
        expect((result, error), (scs.COMM_SUCCESS, 0), f"registered write of servo {motor}")
        expect(bus.read(motor, GOAL_POSITION) != goal, True, "the goal before the action")
    expect(bus.packets.action(bus.port, scs.BROADCAST_ID), scs.COMM_SUCCESS, "action")
    for motor, goal in goals.items():
        expect(bus.read(motor, GOAL_POSITION), goal, f"the goal of servo {motor}")
    bus.reach(goals)


def synchronous_goals(bus):
    hold(bus)
    goals = nearby(bus)
    bus.send_goals(goals)
    bus.reach(goals)


def torque_off(bus):
    for motor in IDS:
        bus.write(motor, TORQUE_ENABLE, 0)
        expect(bus.read(motor, TORQUE_ENABLE), 0, f"Torque_Enable of servo {motor}")


CHECKS = [
    pings,
    nobody,
    broadcast_ping,
    reads,
    eeprom_writes,
    sram_writes,
    read_only_writes,
    broadcast_writes,
    registered_goals,
    synchronous_goals,
    torque_off,
]


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 3
    try:
        bus = Bus(sys.argv[1])
    except OSError as error:
        print(f"can't open {sys.argv[1]}: {error}")
        return 3
    go_first()
    failed = 0
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        try:
            check(bus)
            print(f"ok: {name}")
        except Failed as error:
            failed += 1
            print(f"FAILED: {name}: {error}")
    bus.port.closePort()
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
