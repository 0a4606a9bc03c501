// The face of the workers in browsers.
export { spawnBrowserWorker } from "./spawn.browser.ts";
