// The face of the workers in browsers.
export { loadForBrowserWorkers, spawnBrowserWorker } from "./spawn.browser.ts";
