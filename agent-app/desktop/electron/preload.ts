// Runs in each window before its page, in the sandbox: gives the page `window.nightshift` and nothing else of Electron.
import { contextBridge, ipcRenderer } from "electron";
import { makeBridge, REQUEST_CHANNEL, STATE_CHANNEL } from "../ipc/bridge.ts";

contextBridge.exposeInMainWorld(
  "nightshift",
  makeBridge(
    (name, value) => ipcRenderer.invoke(REQUEST_CHANNEL, name, value),
    (listener) => ipcRenderer.on(STATE_CHANNEL, (_, state) => listener(state)),
  ),
);
