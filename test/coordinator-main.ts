// The coordinator as a program of its own, for tests: `coordinator-main.ts HOME PORT SETTINGS_JSON OPTIONS_JSON`, on loopback only. Prints one line
// of JSON when it listens. Ends when its standard input does, so that it never outlives the test that started it.

import { startCoordinator } from "@nightshift/coordinator/server";
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";

const [home = "", port = "0", settings = "{}", more = "{}"] = process.argv.slice(2);

try {
  const running = await startCoordinator({
    ...{ home, port: Number(port), settings: JSON.parse(settings), host: "127.0.0.1" },
    ...JSON.parse(more),
  });
  const { adminLink, hostLink, consoleUrl } = running;
  console.log(JSON.stringify({ port: running.port, adminLink, hostLink, consoleUrl }));
} catch (thrown) {
  const { code, message } = asNightshiftError(thrown);
  console.error(`${code}: ${message}`);
  process.exit(1);
}
process.stdin.on("end", () => process.exit(0)).resume();
