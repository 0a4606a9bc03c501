// The face of the workers in browsers.
export { sharesFlags } from "./sharing.browser.ts";
export { loadForBrowserWorkers, spawnBrowserWorker } from "./spawn.browser.ts";
export { type StartWorker, startBrowserWorker } from "./start.browser.ts";
