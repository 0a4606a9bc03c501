// A static key on disk: the private half as 64 hex digits, readable by its owner only. Made on first use.
import { readFileSync, writeFileSync } from "node:fs";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type KeyPair, publicKeyOf } from "../index.ts";
import { nodeCrypto } from "./crypto.ts";

/** @throws NS_HOME_UNUSABLE when the file is damaged or cannot be read or written */
export function loadKeyFile(path: string): KeyPair {
  try {
    const text = readFileSync(path, "utf8").trim();
    if (!/^[0-9a-f]{64}$/.test(text))
      throw new NightshiftError(
        "NS_HOME_UNUSABLE",
        `${path} is not a key of Nightshift: move it away and a new one is made, which needs a join link`,
      );
    const privateKey = new Uint8Array(Buffer.from(text, "hex"));
    return { privateKey, publicKey: publicKeyOf(nodeCrypto, privateKey) };
  } catch (thrown) {
    if (thrown instanceof NightshiftError) throw thrown;
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw unusable(path, thrown);
  }
  const pair = nodeCrypto.generateKeyPair();
  try {
    writeFileSync(path, `${Buffer.from(pair.privateKey).toString("hex")}\n`, { mode: 0o600, flag: "wx", flush: true });
    return pair;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return loadKeyFile(path); // made meanwhile by another process
    throw unusable(path, thrown);
  }
}

function unusable(path: string, cause: unknown): NightshiftError {
  return new NightshiftError(
    "NS_HOME_UNUSABLE",
    `cannot use the key file ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
}
