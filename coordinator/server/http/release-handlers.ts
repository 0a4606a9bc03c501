// Requests about releases, and the files of each as updaters fetch them: the addresses and latest.yml of electron-builder's generic provider.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { FileKind, ReleaseManifest } from "../../protocol/index.ts";
import type { Services } from "./services.ts";
import type { Handlers } from "./site.ts";

type Served = "releases" | "haltRelease" | "releaseToAll";

export function releaseHandlers({ releases }: Pick<Services, "releases">): Handlers<Served> {
  return {
    releases: () => ({ releases: releases.list() }),
    haltRelease: ({ params }, { who }) => ({ release: releases.halt(params.version, who.name) }),
    releaseToAll: ({ params }, { who }) => ({ release: releases.toAll(params.version, who.name) }),
  };
}

/** electron-updater's names for the metadata of a system, and which file it tells of. */
const METADATA: Readonly<Record<string, FileKind>> = {
  "latest.yml": "setup",
  "latest-linux.yml": "appimage",
  "latest-mac.yml": "dmg",
};
/** Each is some hundred megabytes, whole in memory while it leaves. */
const DOWNLOADS_AT_ONCE = 3;

/** Anybody may fetch a release: there is no secret in it, and who runs it checks its signature, `release.json`. */
export function serveFeed(site: FastifyInstance, { releases }: Pick<Services, "releases">): void {
  let downloads = 0;
  const send = async (reply: FastifyReply, bytes: Uint8Array | string, type: string): Promise<FastifyReply> =>
    reply
      .header("cache-control", "no-cache")
      .type(type)
      .send(typeof bytes === "string" ? bytes : Buffer.from(bytes));
  site.get<{ Params: { version: string; file: string } }>("/updates/:version/:file", async (request, reply) => {
    const { version, file: name } = request.params;
    const { signed, manifest } = releases.published(version);
    if (name === "release.json") return send(reply, JSON.stringify(signed), "application/json");
    const kind = Object.hasOwn(METADATA, name) ? METADATA[name] : undefined;
    const yaml = kind && metadataOf(manifest, kind);
    if (yaml !== undefined) return send(reply, yaml, "text/yaml; charset=utf-8");
    const file = manifest.files.find((one) => one.name === name);
    if (!file) throw new NightshiftError("NS_NOT_FOUND", `release ${version} has no ${name}`);
    if (downloads >= DOWNLOADS_AT_ONCE)
      throw new NightshiftError("NS_RATE_LIMITED", `more than ${DOWNLOADS_AT_ONCE} downloads at a time`);
    downloads++;
    reply.raw.once("close", () => downloads--);
    void reply.header("content-disposition", `attachment; filename="${name}"`);
    return send(reply, await releases.fileBytes(file), "application/octet-stream");
  });
}

/** As electron-builder writes it; names and numbers of a checked manifest need no quotes in YAML. */
function metadataOf({ version, signedAt, files }: ReleaseManifest, kind: FileKind): string | undefined {
  const file = files.find((one) => one.kind === kind);
  if (!file) return undefined;
  const { name, sha512, sizeBytes } = file;
  return [
    `version: ${version}`,
    "files:",
    ...[`  - url: ${name}`, `    sha512: ${sha512}`, `    size: ${sizeBytes}`],
    `path: ${name}`,
    `sha512: ${sha512}`,
    `releaseDate: '${new Date(signedAt).toISOString()}'`,
    "",
  ].join("\n");
}
