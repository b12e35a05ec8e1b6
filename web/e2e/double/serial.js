// A double of `navigator.serial`, for the page and for workers: `makeSerialDouble(port, canAsk)`, with
// a `MessagePort` (or a promise of one) to the virtual arms in device.js.
//
// It keeps to the specification where that bites: streams that are locked can't be closed, a port that
// is open can't be opened, one that was unplugged comes back as another object, and a person is asked
// only right after a click or a key.

globalThis.makeSerialDouble = (connection, canAsk) => {
  const device = Promise.resolve(connection).then((port) => {
    port.onmessage = ({ data }) => (data.event ? hear(data) : settle(data));
    return port;
  });
  const waiting = new Map();
  const known = new Map();
  let asked = 0;

  async function ask(what, more = {}) {
    const port = await device;
    return new Promise((resolve, reject) => {
      waiting.set(++asked, { resolve, reject });
      port.postMessage({ id: asked, do: what, ...more });
    });
  }

  function settle({ id, ok, error }) {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new DOMException(error.message, error.name));
    else resolve(ok);
  }

  function hear({ event, key, bytes }) {
    known.get(key)?.[event](bytes);
  }

  class SerialPort extends EventTarget {
    #key;
    #usb;
    #state = "closed";
    #readable = null;
    #writable = null;
    #incoming = null;
    #outgoing = null;

    constructor({ key, usb }) {
      super();
      this.#key = key;
      this.#usb = usb;
    }

    getInfo() {
      const [usbVendorId, usbProductId] = this.#usb;
      return { usbVendorId, usbProductId };
    }

    async open({ baudRate }) {
      if (this.#state !== "closed") throw new DOMException("The port is already open.", "InvalidStateError");
      this.#state = "opening";
      try {
        await ask("open", { key: this.#key, baud: baudRate });
      } catch (error) {
        this.#state = "closed";
        throw error;
      }
      this.#state = "open";
    }

    get readable() {
      if (this.#state === "open") {
        this.#readable ??= new ReadableStream({
          start: (controller) => (this.#incoming = controller),
          cancel: () => (this.#readable = this.#incoming = null),
        });
      }
      return this.#readable;
    }

    get writable() {
      if (this.#state === "open") {
        this.#writable ??= new WritableStream({
          start: (controller) => (this.#outgoing = controller),
          write: async (bytes) => (await device).postMessage({ do: "write", key: this.#key, bytes }),
          close: () => (this.#writable = this.#outgoing = null),
        });
      }
      return this.#writable;
    }

    async close() {
      if (this.#readable?.locked || this.#writable?.locked) throw new TypeError("Cannot close a locked stream");
      this.#state = "closed";
      this.#readable = this.#writable = this.#incoming = this.#outgoing = null;
      await ask("close", { key: this.#key });
    }

    bytes(bytes) {
      this.#incoming?.enqueue(bytes);
    }

    lost() {
      const why = new DOMException("The device has been lost.", "NetworkError");
      this.#incoming?.error(why);
      this.#outgoing?.error(why);
      this.#state = "closed";
      this.#readable = this.#writable = this.#incoming = this.#outgoing = null;
    }
  }

  /** The same port is the same object, until it is unplugged. */
  function portOf(told) {
    if (!known.has(told.key)) known.set(told.key, new SerialPort(told));
    return known.get(told.key);
  }

  class Serial extends EventTarget {
    async getPorts() {
      return (await ask("ports")).map(portOf);
    }
  }
  if (canAsk) {
    Serial.prototype.requestPort = async () => {
      if (!navigator.userActivation.isActive) {
        throw new DOMException("Must be handling a user gesture to show a permission request.", "SecurityError");
      }
      return portOf(await ask("request"));
    };
  }
  return Object.assign(new Serial(), { ask });
};
