// The local control of a headless agent: one JSON line in, one JSON line out, over a Unix socket (a named pipe on Windows) that only
// this user can open. Its path stands in control.json of the agent's folder.
import { randomBytes } from "node:crypto";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Agent } from "../agent/index.ts";

const MAX_LINE_BYTES = 4096;
/** Unix socket paths are limited to about 100 bytes; a longer one goes to the temporary folder. */
const MAX_PATH_BYTES = 90;

/** @returns what ends it */
export async function serveControl(agent: Agent, directory: string): Promise<() => void> {
  const inFolder = join(directory, "control.sock");
  const name = `nightshift-${randomBytes(8).toString("hex")}`;
  const path =
    process.platform === "win32"
      ? `\\\\.\\pipe\\${name}`
      : Buffer.byteLength(inFolder) <= MAX_PATH_BYTES
        ? inFolder
        : join(tmpdir(), `${name}.sock`);
  if (process.platform !== "win32") rmSync(path, { force: true });
  const server = createServer((socket) => converse(agent, socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  if (process.platform !== "win32") chmodSync(path, 0o600);
  const file = join(directory, "control.json");
  writeFileSync(file, `${JSON.stringify({ path, pid: process.pid })}\n`, { mode: 0o600 });
  return () => {
    server.close();
    rmSync(file, { force: true });
    if (process.platform !== "win32") rmSync(path, { force: true });
  };
}

function converse(agent: Agent, socket: Socket): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (part: string) => {
    text += part;
    if (text.length > MAX_LINE_BYTES) {
      socket.destroy();
      return;
    }
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      socket.write(`${JSON.stringify(answer(agent, line))}\n`);
    }
  });
}

function answer(agent: Agent, line: string): unknown {
  let order: { command?: unknown; reason?: unknown };
  try {
    order = JSON.parse(line);
  } catch {
    return { ok: false, code: "NS_USAGE", message: "not a JSON line" };
  }
  switch (order.command) {
    case "pause":
      agent.pause(typeof order.reason === "string" ? order.reason.slice(0, 200) : "paused by hand");
      return { ok: true, status: agent.status() };
    case "resume":
      agent.resume();
      return { ok: true, status: agent.status() };
    case "status":
      return { ok: true, status: agent.status() };
    default:
      return { ok: false, code: "NS_USAGE", message: "command must be pause, resume or status" };
  }
}
