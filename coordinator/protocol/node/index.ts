// The face of the tunnel's Node half: cryptography and sockets.
export { nodeCrypto } from "./crypto.ts";
export { loadKeyFile } from "./key-file.ts";
export { type Newcomer, type OpenSocketOptions, openSocket, type ServeSocketsOptions, serveSockets } from "./websocket.ts";
