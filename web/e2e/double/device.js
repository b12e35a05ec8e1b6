// The virtual arms behind the double of Web Serial, in a worker of their own: as with real ones, whoever
// speaks with them does so from elsewhere.
//
// The first message brings the arms, each later one a client: a `MessagePort` for each thread that has
// a `navigator.serial`. Clients send `{ id, do, … }` and get `{ id, ok }` or `{ id, error }`; and they
// are told `{ event, key, … }`. A key is one plugging in of an arm.

import init, { VirtualArm } from "./virtual_bus_web.js";

const now = () => performance.now() / 1000;
const lost = (message) => new DOMException(message, "NetworkError");

const arms = [];
/** The arm that a person will choose when asked; null to choose none. */
let choice = null;

class Arm {
  constructor({ mount, homing = [], low = [], high = [], usb = [0x1a86, 0x55d3], granted = true, usbMillis = 1 }) {
    this.servos = new VirtualArm(
      Float64Array.from(mount),
      Int32Array.from(homing),
      Uint16Array.from(low),
      Uint16Array.from(high),
      usbMillis,
    );
    Object.assign(this, { usb, granted, plugged: true, pluggings: 0, holder: null, baud: 0, timer: null });
    setInterval(() => this.servos.pass(now()), 10);
  }

  get key() {
    return `${arms.indexOf(this)}/${this.pluggings}`;
  }

  write(bytes) {
    this.servos.receive(now(), this.baud, bytes);
    this.pump();
  }

  /** Hands over what can be read, and comes back for the rest. */
  pump() {
    clearTimeout(this.timer);
    for (let bytes; (bytes = this.servos.take(now())); ) {
      this.holder?.postMessage({ event: "bytes", key: this.key, bytes }, [bytes.buffer]);
    }
    const due = this.servos.due();
    if (due !== undefined) this.timer = setTimeout(() => this.pump(), Math.max(0, (due - now()) * 1000));
  }

  plug(on) {
    if (on === this.plugged) return;
    if (!on) {
      this.servos.unplug();
      this.holder?.postMessage({ event: "lost", key: this.key });
      this.holder = null;
      this.plugged = false;
    } else {
      this.pluggings += 1;
      this.plugged = true;
    }
  }
}

function armOf(key) {
  const arm = arms.find((arm) => arm.key === key);
  if (!arm?.plugged) throw lost("The device has been lost.");
  return arm;
}

/** What clients ask for. */
const deeds = {
  ports: () => arms.filter((arm) => arm.plugged && arm.granted).map(({ key, usb }) => ({ key, usb })),

  request() {
    const arm = arms[choice];
    if (!arm?.plugged) throw new DOMException("No port selected by the user.", "NotFoundError");
    arm.granted = true;
    return { key: arm.key, usb: arm.usb };
  },

  open({ key, baud }, client) {
    const arm = armOf(key);
    if (arm.holder) throw lost("Failed to open serial port.");
    Object.assign(arm, { holder: client, baud });
  },

  write: ({ key, bytes }) => armOf(key).write(bytes),

  close({ key }, client) {
    const arm = arms.find((arm) => arm.key === key);
    if (arm?.holder === client) arm.holder = null;
  },

  /** A worker that ends leaves its ports, whatever became of it: it holds this lock until then. */
  lives({ lock }, client) {
    navigator.locks.request(lock, () => {
      for (const arm of arms) if (arm.holder === client) arm.holder = null;
    });
  },

  // For tests: what a person does with the arms, and what they are like.
  choose: ({ arm }) => void (choice = arm),
  plug: ({ arm, on }) => arms[arm].plug(on),
  holds: ({ arm }) => arms[arm].holder !== null,
  servos({ arm, method, args }) {
    const { servos } = arms[arm];
    servos.pass(now());
    return servos[method](...args);
  },
};

onmessage = async ({ data }) => {
  const waiting = [];
  onmessage = (event) => waiting.push(event);
  const wasm = fetch(new URL("virtual_bus_web_bg.wasm", import.meta.url));
  await init({ module_or_path: await WebAssembly.compileStreaming(wasm) });
  for (const arm of data.arms) arms.push(new Arm(arm));
  onmessage = ({ data }) => welcome(data.client);
  waiting.forEach(onmessage);
};

function welcome(client) {
  client.onmessage = ({ data }) => {
    try {
      const ok = deeds[data.do](data, client);
      if (data.id !== undefined) client.postMessage({ id: data.id, ok });
    } catch (error) {
      const { name, message } = error;
      if (data.id !== undefined) client.postMessage({ id: data.id, error: { name, message } });
    }
  };
}
