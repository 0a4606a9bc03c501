// NIGHTSHIFT_HOME as the command line sees it: this user's key, the coordinators it knows, and the one that runs here. What the
// coordinator and the agents keep below it is theirs.
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { z } from "zod";
import { fromBase64Url, type JoinLink, type KeyPair, toBase64Url } from "../protocol/index.ts";
import { loadKeyFile } from "../protocol/node/index.ts";

/** This user's static key, made on first use. NS_HOME_UNUSABLE when it can be neither read nor made. */
export async function clientKey(home: string): Promise<KeyPair> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  return loadKeyFile(join(home, "client.key"));
}

const endpoint = z.object({ pid: z.number().int().positive(), port: z.number().int(), link: z.string(), startedAt: z.number() });
export type Endpoint = z.infer<typeof endpoint>;

/** The coordinator that runs on this computer under this home, or why there is none. */
export async function localEndpoint(home: string): Promise<Endpoint | "absent" | { goneSince: Endpoint }> {
  const text = await readFile(join(home, "coordinator", "endpoint.json"), "utf8").catch(() => null);
  if (text === null) return "absent";
  const parsed = endpoint.safeParse(parseJson(text));
  if (!parsed.success) return "absent";
  return isAlive(parsed.data.pid) ? parsed.data : { goneSince: parsed.data };
}

/** Coordinators reached before by a join link: address -> public key, so that the address suffices later. No token is kept. */
const known = z.record(z.string(), z.object({ key: z.string(), tls: z.boolean() }));

export async function knownCoordinator(home: string, address: string): Promise<Pick<JoinLink, "coordinatorKey" | "tls"> | null> {
  const entry = (await readKnown(home))[address];
  const coordinatorKey = entry ? fromBase64Url(entry.key) : null;
  return entry && coordinatorKey ? { coordinatorKey, tls: entry.tls } : null;
}

export async function rememberCoordinator(
  home: string,
  address: string,
  link: Pick<JoinLink, "coordinatorKey" | "tls">,
): Promise<void> {
  const entries = await readKnown(home);
  const key = toBase64Url(link.coordinatorKey);
  if (entries[address]?.key === key && entries[address].tls === link.tls) return;
  entries[address] = { key, tls: link.tls };
  await writePrivate(join(home, "coordinators.json"), `${JSON.stringify(entries, null, 2)}\n`);
}

async function readKnown(home: string): Promise<z.infer<typeof known>> {
  const text = await readFile(join(home, "coordinators.json"), "utf8").catch(() => "{}");
  return known.safeParse(parseJson(text)).data ?? {};
}

/** Writes whole or not at all, readable for this user only. */
async function writePrivate(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(temporary, text, { mode: 0o600 });
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (cause) {
    throw new NightshiftError("NS_HOME_UNUSABLE", `Cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}
