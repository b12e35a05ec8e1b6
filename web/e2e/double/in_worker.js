// In a worker: puts the double in the place of `navigator.serial` before anything else runs. Its way to
// the virtual arms comes with the first message, which nobody else hears.

import "./serial.js";

const connection = new Promise((resolve) => {
  addEventListener("message", function first(event) {
    removeEventListener("message", first);
    event.stopImmediatePropagation();
    const { serialDouble, lock } = event.data;
    navigator.locks.request(lock, () => {
      serialDouble.postMessage({ do: "lives", lock });
      return new Promise(() => {});
    });
    resolve(serialDouble);
  });
});

const value = globalThis.makeSerialDouble(connection, false);
Object.defineProperty(navigator, "serial", { value, configurable: true });
