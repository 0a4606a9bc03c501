// The headless agent as one file that needs nothing beside it: Node with the agent and its worker inside ("single executable application"). For
// servers and thin clients; it takes the place of nothing and installs nothing.
import { execFileSync } from "node:child_process";
import { renameSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildSingleFile } from "@nightshift/agent-app/desktop/build";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { inject } from "postject";
import { compileForWindows, findProgram } from "./native.ts";

/** As Node looks for them in itself. */
const RESOURCE = "NODE_SEA_BLOB";
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
const MACHO_SEGMENT = "NODE_SEA";

export interface AgentProgramOptions {
  /** The Node that it becomes, for whichever system. */
  node: string;
  /** Is made. */
  to: string;
  /** For what is in between; is emptied. */
  work: string;
  /**
   * Has a Node of the same version write what is put into it: how that looks is a matter between a version and itself. Called with the
   * configuration's file in `work`, where all paths are relative to.
   */
  prepare?(folder: string, configuration: string): void | Promise<void>;
  /** Where it is made. */
  platform?: NodeJS.Platform;
}

/** @throws NS_CANNOT_PACKAGE */
export async function makeAgentProgram(options: AgentProgramOptions): Promise<string> {
  const { node, to, work, prepare = withThisNode, platform = process.platform } = options;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  await buildSingleFile(work);
  const forWindows = to.endsWith(".exe");
  if (forWindows) compileForWindows("owner", join(work, "owner.exe"));
  const configuration = {
    main: "agent.cjs",
    output: "agent.blob",
    disableExperimentalSEAWarning: true,
    // Both are only good on the system and processor that made them.
    useSnapshot: false,
    useCodeCache: false,
    assets: { "worker.cjs": "worker.cjs", ...(forWindows && { "owner.exe": "owner.exe" }) },
  };
  await writeFile(join(work, "sea.json"), JSON.stringify(configuration));
  await prepare(work, "sea.json");
  await mkdir(dirname(to), { recursive: true });
  await copyFile(node, to);
  await chmod(to, 0o755);
  const forMac = platform === "darwin" && !forWindows;
  if (forMac) codesign("--remove-signature", to);
  else removeSignature(to);
  try {
    const places = { sentinelFuse: FUSE, machoSegmentName: MACHO_SEGMENT };
    await inject(to, RESOURCE, await readFile(join(work, "agent.blob")), places);
  } catch (cause) {
    throw new NightshiftError("NS_CANNOT_PACKAGE", `${node} cannot hold a program: ${(cause as Error).message}`, { cause });
  }
  // By nobody: Apple's processors start nothing without a signature. Whoever has an identity signs it again.
  if (forMac) codesign("--sign", "-", to);
  return to;
}

const withThisNode = (folder: string, configuration: string): void => {
  execFileSync(process.execPath, ["--experimental-sea-config", configuration], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
};

const codesign = (...words: string[]): void => void execFileSync("codesign", words, { stdio: ["ignore", "ignore", "inherit"] });

/** Node's own would be one of other bytes. */
function removeSignature(path: string): void {
  const osslsigncode = path.endsWith(".exe") ? findProgram("osslsigncode") : undefined;
  if (!osslsigncode) return;
  const without = `${path}.unsigned`;
  try {
    execFileSync(osslsigncode, ["remove-signature", "-in", path, "-out", without], { stdio: "ignore" });
    renameSync(without, path);
  } catch {
    // There was none.
  }
}
