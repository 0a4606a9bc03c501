// The device's key: sealed by the system's safe storage where there is one (`key.sealed`), else as the headless agent keeps it, in a file
// that only this user can read (`key`). One that is there unsealed is sealed as soon as it can be.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { loadKeyFile } from "@nightshift/coordinator/protocol/node";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { writeWhole } from "../../headless/policy-files.ts";
import type { SecretsPort } from "./port.ts";

/** @throws NS_HOME_UNUSABLE */
export function loadDeviceKey(directory: string, secrets: SecretsPort): { privateKey: Uint8Array; sealed: boolean } {
  const [plain, sealed] = [join(directory, "key"), join(directory, "key.sealed")];
  if (existsSync(sealed)) {
    if (!secrets.available())
      throw new NightshiftError(
        "NS_HOME_UNUSABLE",
        `${sealed} is sealed, and the system's safe storage cannot be used now: unlock it (on Linux, the keyring)`,
      );
    try {
      const text = secrets.open(readFileSync(sealed));
      if (!/^[0-9a-f]{64}$/.test(text)) throw new Error("it holds no key");
      rmSync(plain, { force: true });
      return { privateKey: new Uint8Array(Buffer.from(text, "hex")), sealed: true };
    } catch (cause) {
      throw new NightshiftError(
        "NS_HOME_UNUSABLE",
        `${sealed} cannot be opened on this account: move it away and join again (${(cause as Error).message})`,
        { cause },
      );
    }
  }
  const { privateKey } = loadKeyFile(plain);
  if (!secrets.available()) return { privateKey, sealed: false };
  try {
    writeWhole(sealed, secrets.seal(Buffer.from(privateKey).toString("hex")));
  } catch {
    return { privateKey, sealed: false }; // tried again at the next start
  }
  rmSync(plain, { force: true });
  return { privateKey, sealed: true };
}
