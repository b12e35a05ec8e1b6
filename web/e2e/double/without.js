// In a worker: takes `navigator.serial` away, as in browsers whose workers have none.

Object.defineProperty(navigator, "serial", { value: undefined, configurable: true });
