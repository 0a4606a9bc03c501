// Windows' group policy: what Nightshift.admx writes into the registry, as documents of the form that the administrator's file has, checked
// by the same code. Read at the start, and again once a minute: to be told of a change takes native code. Elsewhere there is none.
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type AdminPolicy, parseAdminPolicy, SETTING_NAMES, SETTINGS } from "../policy/index.ts";
import { POLICY_KEYS, type Registry, readKeys, readKeysLater } from "./registry.ts";

const DEFAULTS = "Defaults";
const LOOK_MS = 60_000;

/** @returns a document for parseAdminPolicy, or null: nothing is said there. Values that are no settings of ours are left alone. */
export function documentOf(registry: Registry, key: string): string | null {
  const by = valueAt(registry, key, "By");
  const locked = settingsOf(registry, key);
  const defaults = settingsOf(registry, `${key}\\${DEFAULTS}`);
  if (Object.keys(locked).length + Object.keys(defaults).length === 0) return null;
  return JSON.stringify({ version: 1, ...(by === undefined ? {} : { by }), locked, defaults });
}

/** A list is a key of its own with a value for each text, as policies have lists; one without any says nothing. */
function settingsOf(registry: Registry, key: string): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const value = valueAt(registry, key, name);
    const texts = Array.isArray(SETTINGS[name].default) ? listOf(registry, `${key}\\${name}`) : [];
    if (texts.length > 0) settings[name] = texts;
    else if (value !== undefined)
      settings[name] = typeof SETTINGS[name].default === "boolean" && (value === 0 || value === 1) ? value === 1 : value;
  }
  return settings;
}

/** Windows does not tell capitals from small letters in names. */
const valueAt = (registry: Registry, key: string, name: string): string | number | undefined =>
  Object.entries(registry.get(key.toLowerCase()) ?? {}).find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1];

const listOf = (registry: Registry, key: string): (string | number)[] =>
  Object.entries(registry.get(key.toLowerCase()) ?? {})
    .toSorted(([one], [other]) => one.localeCompare(other, "en", { numeric: true }))
    .map(([, value]) => value);

export interface RegistryReader {
  /** @throws when the registry cannot be read */
  now(): Registry;
  later(): Promise<Registry>;
}

/** null: this system has no registry. */
export const machineRegistry = (): RegistryReader | null =>
  process.platform === "win32" ? { now: () => readKeys(POLICY_KEYS), later: () => readKeysLater(POLICY_KEYS) } : null;

interface Said {
  text: string | null;
  policy: AdminPolicy | null;
}

/** What group policy says, as it is now. What goes bad counts for nothing: what stood there before counts, and `problem` tells. */
export class GroupPolicy {
  private readonly reader: RegistryReader | null;
  private readonly said: Said[];
  private bad: string | null = null;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /** @throws NS_BAD_POLICY */
  constructor(reader: RegistryReader | null) {
    this.reader = reader;
    try {
      const registry = reader?.now();
      this.said = POLICY_KEYS.map((key) => (registry ? parse(documentOf(registry, key), key) : { text: null, policy: null }));
    } catch (thrown) {
      throw unreadable(thrown);
    }
  }

  /** The one that counts first in front. */
  get policies(): readonly AdminPolicy[] {
    return this.said.flatMap(({ policy }) => policy ?? []);
  }

  /** What is wrong with it now, or null. */
  get problem(): string | null {
    return this.bad;
  }

  /** @param onChange called when what counts has changed, or has gone bad or good */
  watch(onChange: () => void): void {
    if (!this.reader || this.closed) return;
    const { reader } = this;
    this.timer = setTimeout(async () => {
      const changed = await reader.later().then(
        (registry) => this.take(registry),
        (thrown: unknown) => this.tell(unreadable(thrown).message),
      );
      if (this.closed) return;
      if (changed) onChange();
      this.watch(onChange);
    }, LOOK_MS);
    this.timer.unref();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** @returns whether anything has changed */
  private take(registry: Registry): boolean {
    const problems: string[] = [];
    let changed = false;
    for (const [at, key] of POLICY_KEYS.entries()) {
      const text = documentOf(registry, key);
      if (text === this.said[at]?.text) continue;
      try {
        this.said[at] = parse(text, key);
        changed = true;
      } catch (thrown) {
        problems.push(asNightshiftError(thrown).message);
      }
    }
    return this.tell(problems.length === 0 ? null : problems.join("; ")) || changed;
  }

  private tell(problem: string | null): boolean {
    const changed = problem !== this.bad;
    this.bad = problem;
    return changed;
  }
}

const parse = (text: string | null, key: string): Said => ({
  text,
  policy: text === null ? null : parseAdminPolicy(text, key),
});

const unreadable = (thrown: unknown): NightshiftError =>
  thrown instanceof NightshiftError
    ? thrown
    : new NightshiftError("NS_BAD_POLICY", `group policy cannot be read: ${(thrown as Error).message}`, { cause: thrown });
