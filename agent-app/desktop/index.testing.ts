// What tests of the tray app that cross folders need of it. Nothing of the app imports this.
export { placesOn, tilesIn } from "../night-sky/work-layout.ts";
export type { Shown } from "../shown/index.ts";
export { BUILT, buildAgent, buildDesktop, buildPreload, buildRenderer } from "./build.ts";
export { answerRequest } from "./main/answering.ts";
export { App } from "./main/app.ts";
export type { AgentHandle, DesktopPort, WindowKind } from "./main/port.ts";
export { replacing } from "./main/replacing.ts";
export { VariablePort } from "./main/testing.ts";
export { fileFor, HEADERS, ORIGIN } from "./main/window-rules.ts";
