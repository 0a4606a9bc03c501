// `nightshift release`: new versions of Nightshift for the hosts: signed here, published to the coordinator, given to some first.
import { Command } from "commander";
import type { Result } from "../../protocol/index.ts";
import { type ReleaseManifest, signRelease } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { parseDurationMs, showBytes } from "../quantities.ts";
import { makeKeyFile, publicKeyOfFile, readKeyFile, readReleaseFolder } from "../release-files.ts";
import { type Column, renderTable } from "../table.ts";
import { printJson, write } from "../terminal.ts";

type Release = Result<"releaseList">[number];
type Publishing = CommonOptions & { key: string; ring?: string; after?: string };

const HOUR_MS = 3600_000;
const KEY_SHOWN = 12;
const VIEW = "{version, at, who, signedAt, key, withdraws, state, ring, toAllAt, reason, files, hosts, problems}";

/** A release goes to a ring first, or to all. */
const rings = (command: Command): Command =>
  command
    .requiredOption("--key <file>", "the release key")
    .option("--ring <scope>", "who takes it first: tag:NAME or host:NAME (default: all at once)")
    .option(
      "--after <time>",
      "go to all by itself after this time, such as 24h, if nobody of the ring has failed (default: by hand)",
    );

const order = ({ ring, after }: Publishing): { ring: string | null; hours: number | null } => ({
  ring: ring ?? null,
  hours: after === undefined ? null : parseDurationMs(after) / HOUR_MS,
});

export function releaseCommand(): Command {
  const key = declare({
    usage: "key <file>",
    description: "make a release key, or show the public half of the one there is",
    examples: ["nightshift release key release.key"],
    notes:
      "Hosts take only what a release key has signed that they were built with: npm run dist -- --release-key PUBLIC. Keep the file away\n" +
      "from the coordinator's computer: who has it can give hosts any program.",
    json: "{key}",
    coordinator: false,
  })
    .option("--show", "only show it")
    .action((file: string, options: CommonOptions & { show?: boolean }) => {
      const made = options.show ? publicKeyOfFile(file) : makeKeyFile(file);
      return options.json ? printJson({ key: made }) : write(process.stdout, `${made}\n`);
    });
  const publish = rings(
    declare({
      usage: "publish <folder>",
      description: "sign what the packager has made and give it to hosts",
      examples: [
        "nightshift release publish dist --key release.key --ring tag:canary --after 24h",
        "nightshift release publish dist --key release.key",
      ],
      notes:
        "A host takes a release only while it can go back: publish the version it has as well, before. It fetches, waits until nobody is\n" +
        "disturbed, and installs. A failure in the ring halts the release; with all hosts told, two and one in twenty do.",
      json: VIEW,
    }),
  ).action(async (folder: string, options: Publishing) => {
    const secret = readKeyFile(options.key);
    const { version, files, others } = readReleaseFolder(folder);
    const made = files.map(({ file }) => file);
    const release = signRelease({ version, signedAt: Date.now(), withdraws: [], files: made }, secret);
    if (others.length > 0 && !options.json) await write(process.stderr, `Not of the release: ${others.join(", ")}\n`);
    const published = await withClient(options, async (client) => {
      for (const { file, bytes } of files) await client.blobs.putBlob(file.sha256, bytes);
      return client.request("releasePublish", { release, ...order(options) });
    });
    return told(published, options);
  });
  const rollback = rings(
    declare({
      usage: "rollback <version>",
      description: "sign an older published release anew, for hosts that have the one given out now",
      examples: ["nightshift release rollback 0.1.0 --key release.key"],
      notes: "Hosts go back to an older version only if its signature names the one that they have.",
      json: VIEW,
    }),
  ).action(async (version: string, options: Publishing) => {
    const secret = readKeyFile(options.key);
    const published = await withClient(options, async (client) => {
      const [newest] = await client.request("releaseList", {});
      const { text } = await client.request("releaseShow", { version });
      const { files } = JSON.parse(text) as ReleaseManifest;
      const withdraws = [...new Set([newest?.version ?? "", ...(newest?.withdraws ?? [])])].filter(
        (one) => one !== "" && one !== version,
      );
      const release = signRelease({ version, signedAt: Date.now(), withdraws, files }, secret);
      return client.request("releasePublish", { release, ...order(options) });
    });
    return told(published, options);
  });
  const list = declare({
    usage: "list",
    description: "list releases and how far hosts are; the first is given out",
    examples: ["nightshift release list", "nightshift release list --json"],
    json: `an array of ${VIEW}; hosts counts them by how far they are`,
  }).action(async (options: CommonOptions) => {
    const rows = await withClient(options, (client) => client.request("releaseList", {}));
    if (options.json) return printJson(rows);
    if (rows.length === 0)
      return write(process.stdout, "There is no release yet. Publish one with `nightshift release publish`.\n");
    const problems = (rows[0]?.problems ?? []).map(({ host, problem }) => `${host}: ${problem}\n`);
    return write(process.stdout, renderTable(COLUMNS, rows) + problems.join(""));
  });
  const change = (name: string, method: "releaseHalt" | "releaseToAll", description: string): Command =>
    declare({
      usage: `${name} <version>`,
      description,
      examples: [`nightshift release ${name} 0.2.0`],
      json: VIEW,
    }).action(async (version: string, options: CommonOptions) =>
      told(await withClient(options, (client) => client.request(method, { version })), options),
    );
  const release = new Command("release").description("new versions of Nightshift for the hosts: publish, look, halt, go back");
  for (const command of [
    key,
    publish,
    list,
    change("to-all", "releaseToAll", "give it to all hosts, also one that was halted"),
    change("halt", "releaseHalt", "have no further host begin to take it"),
    rollback,
  ])
    release.addCommand(command);
  return release;
}

const COLUMNS: Column<Release>[] = [
  { head: "VERSION", value: ({ version }) => version },
  { head: "STATE", value: stateOf },
  { head: "SINCE", value: ({ at }) => new Date(at).toLocaleString() },
  { head: "BY", value: ({ who }) => who },
  { head: "KEY", value: ({ key }) => key.slice(0, KEY_SHOWN) },
  { head: "FILES", value: ({ files }) => files.map(({ kind, sizeBytes }) => `${kind} ${showBytes(sizeBytes)}`).join(", ") },
  { head: "HOSTS", value: ({ hosts }) => hostsOf(hosts) },
];

function stateOf({ state, ring, toAllAt, reason, withdraws }: Release): string {
  const words = {
    ring: `${ring} first${toAllAt === null ? "" : `, all from ${new Date(toAllAt).toLocaleString()}`}`,
    all: "all hosts",
    halted: `halted: ${reason}`,
    replaced: "replaced",
  };
  return `${words[state]}${withdraws.length === 0 ? "" : `, instead of ${withdraws.join(", ")}`}`;
}

const hostsOf = (hosts: Release["hosts"]): string =>
  Object.entries(hosts)
    .flatMap(([name, count]) => (count === 0 ? [] : `${count} ${name}`))
    .join(", ") || "-";

const told = (release: Release, options: CommonOptions): Promise<void> | void =>
  options.json ? printJson(release) : write(process.stdout, `${release.version}: ${stateOf(release)}\n`);
