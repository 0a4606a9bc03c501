import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Import {
  /** Path from the root, with slashes. */
  file: string;
  /** As written. */
  from: string;
  /** Path from the root, when it is a relative import or one of ours; else undefined. */
  to: string | undefined;
  /** Not imported but named to be started as a worker or a program of its own: `new URL("./x.ts", import.meta.url)`. */
  starts: boolean;
}

/** Sources as they are in the checkout, committed or not, ignored files left out. */
const files: string[] = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.tsx", "*.mjs"],
  {
    cwd: ROOT,
    encoding: "utf8",
  },
)
  .split("\n")
  .filter((file) => /^(wasm-kernels|coordinator|agent-app|installer|test)\//.test(file));
const isTest = (file: string): boolean =>
  /\.test\.tsx?$/.test(file) || file.startsWith("test/") || /\/(testing|loopback|index\.testing)\.ts$/.test(file);
const sources = files.filter((file) => !isTest(file));

const IMPORT =
  /(?:^|[;\n])\s*(?:import|export)\s[^"';]*?from\s*["']([^"']+)["']|(?:^|[;\n])\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|new URL\(\s*["'](\.[^"']+\.[cm]?[jt]s)["']/g;

function importsOf(file: string): Import[] {
  // Comments may speak of imports.
  const code = readFileSync(join(ROOT, file), "utf8")
    .replaceAll(/^\s*\/\/.*$/gm, "")
    .replaceAll(/\/\*.*?\*\//gs, "");
  return [...code.matchAll(IMPORT)].map((found) => {
    const from = found[1] ?? found[2] ?? found[3] ?? found[4] ?? "";
    const ours = /^@nightshift\/([\w-]+)(?:\/(.*))?$/.exec(from);
    const to = from.startsWith(".")
      ? normalize(join(dirname(file), from)).replaceAll("\\", "/")
      : ours
        ? `${ours[1]}/${ours[2] ?? ""}`
        : undefined;
    return { file, from, to, starts: found[4] !== undefined };
  });
}

const all = files.flatMap(importsOf);
const inSources = all.filter(({ file }) => !isTest(file));
const isNode = (from: string): boolean => from.startsWith("node:") || builtinModules.includes(from.split("/")[0] ?? "");
/** The command line may start the agent, which is a program of its own. */
const isStart = ({ file, starts }: Import): boolean => starts && file.startsWith("coordinator/cli/");
const workspaceOf = (path: string): string => path.split("/")[0] ?? "";
const told = (imports: Import[]): string[] => imports.map(({ file, from }) => `${file} imports ${from}`);

/** Nothing of the kind may be there; the reason is what a failing test shows first. */
function none(found: string[], reason: string): void {
  expect(found, `${reason}\n${found.join("\n")}\n`).toEqual([]);
}

test("the rules below see the imports there are", () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(inSources.length).toBeGreaterThan(200);
  expect(told(inSources)).toContain("agent-app/agent/agent.ts imports ./resident.ts");
  expect(told(inSources)).toContain("coordinator/console/client.ts imports ../server/http/api.ts");
  expect(told(inSources)).toContain("coordinator/server/server.ts imports @nightshift/wasm-kernels/errors");
  expect(inSources.some(({ to }) => to === "agent-app/worker/worker.node.ts")).toBe(true);
});

test("wasm-kernels is the lowest layer", () => {
  none(
    told(inSources.filter(({ file, to }) => file.startsWith("wasm-kernels/") && to && !to.startsWith("wasm-kernels/"))),
    "wasm-kernels knows no network and no host policy, so that a process behaves the same wherever it runs: it imports neither coordinator nor agent-app.",
  );
});

test("coordinator/protocol takes from below only the error type", () => {
  none(
    told(
      inSources.filter(
        ({ file, to }) =>
          file.startsWith("coordinator/protocol/") &&
          to !== undefined &&
          !to.startsWith("coordinator/protocol/") &&
          to !== "wasm-kernels/errors",
      ),
    ),
    "The protocol is shared by coordinator, agents and browsers, so it brings nothing along: of ours it imports only wasm-kernels/errors.",
  );
  const allowed = new Set(["zod", "cbor-x", "@noble/hashes", "@noble/curves", "@noble/ciphers"]);
  none(
    told(
      inSources.filter(
        ({ file, from, to }) =>
          file.startsWith("coordinator/protocol/") &&
          !file.startsWith("coordinator/protocol/node/") &&
          to === undefined &&
          !isNode(from) &&
          !allowed.has(from.startsWith("@") ? from.split("/").slice(0, 2).join("/") : (from.split("/")[0] ?? "")),
      ),
    ),
    `Packages the protocol uses must run anywhere; these are known to: ${[...allowed].join(", ")}.`,
  );
});

test("agent-app takes of the coordinator only the protocol", () => {
  none(
    told(
      inSources.filter(
        ({ file, to }) =>
          file.startsWith("agent-app/") &&
          to?.startsWith("coordinator/") &&
          !/^coordinator\/protocol(\/node|\/browser)?$/.test(to),
      ),
    ),
    "An agent on somebody's PC must not carry the server: of coordinator it imports only protocol.",
  );
});

test("nothing imports the installer, and it takes of the coordinator nothing", () => {
  none(
    told(
      inSources.filter(({ file, to }) =>
        file.startsWith("installer/") ? to?.startsWith("coordinator/") : to?.startsWith("installer/"),
      ),
    ),
    "The installer packages what is built; what is packaged knows nothing of it.",
  );
});

test("the coordinator imports nothing of the agents but the policy's rules", () => {
  const allowed = /^coordinator\/(server|console)\//;
  none(
    told(
      inSources.filter(
        (it) =>
          it.file.startsWith("coordinator/") &&
          it.to?.startsWith("agent-app/") &&
          !isStart(it) &&
          !(it.to === "agent-app/policy" && allowed.test(it.file)),
      ),
    ),
    "Agents are other programs on other machines: the coordinator speaks with them, and the command line starts them, but neither imports them. Only the policy's rules are the same on both sides, so that no policy is sent that a host would refuse.",
  );
  none(
    told(
      inSources.filter(
        ({ file, to }) =>
          file.startsWith("agent-app/policy/") && to !== "wasm-kernels/errors" && !to?.startsWith("agent-app/policy/"),
      ),
    ),
    "What both sides share brings nothing along: the policy imports only the error type.",
  );
});

test("the console takes of the server only the API's table and types, of the protocol sweeps, job files and what the journal says, of the agents the policy's rules, of the kernels the errors", () => {
  const allowed =
    /^(coordinator\/(console\/|server\/http\/(api|stream)\.ts$|protocol\/(sweep|job-file|deed-details)\.ts$)|agent-app\/policy$|wasm-kernels\/errors(-zh)?$)/;
  none(
    told(
      inSources.filter(
        ({ file, from, to }) =>
          file.startsWith("coordinator/console/") && (isNode(from) || (to !== undefined && !allowed.test(to))),
      ),
    ),
    "The console runs in browsers and knows the cluster through the HTTP API alone; what it previews of a sweep is what the coordinator makes of it, and each error has a code, and what the journal says a form, that it says in its own language.",
  );
});

/** What runs anywhere, and why. */
const PURE: readonly { folder: string; reason: string; except?: string }[] = [
  { folder: "coordinator/scheduler/", reason: "decisions are functions of state, event and time, so that they can be simulated" },
  { folder: "agent-app/policy/", reason: "signals in, decision out, so that every rule can be tested without a desktop" },
  {
    folder: "agent-app/agent/",
    reason: "the agent is the same in Node, Electron, browsers and simulation; the platform comes in as ports",
  },
  { folder: "agent-app/desktop/renderer/", reason: "windows run in a browser's sandbox" },
  { folder: "agent-app/shown/", reason: "what is printed is read on every host, and drawn by windows and the join page" },
  { folder: "agent-app/night-sky/", reason: "the tray app's windows and the join page show it" },
  { folder: "agent-app/desktop/ipc/", reason: "windows and the main process share it" },
  { folder: "agent-app/desktop/words/", reason: "windows and the main process share it" },
  { folder: "wasm-kernels/instrument/", reason: "programs must become migratable wherever they arrive" },
  { folder: "wasm-kernels/wasi/", reason: "a program sees the same system on every host, browsers included" },
  { folder: "wasm-kernels/process/", reason: "processes run in browsers too" },
  { folder: "wasm-kernels/job/", reason: "a whole job runs in a browser's workers too" },
  {
    folder: "coordinator/protocol/",
    except: "coordinator/protocol/node/",
    reason: "browsers speak it too; Node's half is in its folder node/",
  },
];

test.each(PURE)("$folder imports nothing of Node", ({ folder, reason, except }) => {
  none(
    told(
      inSources.filter(
        ({ file, from }) =>
          file.startsWith(folder) &&
          !(except && file.startsWith(except)) &&
          !file.endsWith(".node.ts") &&
          (isNode(from) || from === "ws" || from === "electron"),
      ),
    ),
    `${folder} imports no node: module, nor ws nor electron: ${reason}.`,
  );
});

test("only one file of the main process, and the preload script, import electron", () => {
  const importers = [...new Set(all.filter(({ from }) => /^electron(\/|$)/.test(from)).map(({ file }) => file))].sort();
  expect(importers, "electron cannot be loaded in tests, so everything else takes the port of desktop/main/port.ts").toEqual([
    "agent-app/desktop/electron/main.ts",
    "agent-app/desktop/electron/preload.ts",
  ]);
});

test("workspaces reach each other through their faces", () => {
  none(
    told(all.filter((it) => it.from.startsWith(".") && it.to && workspaceOf(it.to) !== workspaceOf(it.file) && !isStart(it))),
    "What a folder shows to others is in its face; relative paths into another workspace go behind it. Import @nightshift/WORKSPACE/FACE.",
  );
  const faces = new Set(
    ["wasm-kernels", "coordinator", "agent-app", "installer"].flatMap((workspace) => {
      const { exports } = JSON.parse(readFileSync(join(ROOT, workspace, "package.json"), "utf8"));
      return Object.keys(exports).map((face) => `@nightshift/${workspace}/${face.replace(/^\.\/?/, "")}`.replace(/\/$/, ""));
    }),
  );
  none(
    told(all.filter(({ from }) => from.startsWith("@nightshift/") && !faces.has(from))),
    `There are these faces: ${[...faces].join(", ")}.`,
  );
});

test("every source file begins by saying what it owns", () => {
  none(
    sources.filter((file) => {
      const text = readFileSync(join(ROOT, file), "utf8").replace(/^#!.*\n/, "");
      const comment = /^(?:\/\/ ?([^\n]*)|\/\*\*?([\s\S]*?)\*\/)/.exec(text);
      return (comment?.[1] ?? comment?.[2] ?? "").trim().split(/\s+/).length < 4;
    }),
    "A file starts with a sentence or two: what it owns and what it does not.",
  );
});
