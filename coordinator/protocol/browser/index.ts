// The protocol's face in browsers.
export { browserCrypto } from "./crypto.ts";
export { openBrowserSocket } from "./websocket.ts";
