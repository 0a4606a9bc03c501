// Passwords by argon2id (RFC 9106), kept as PHC strings: $argon2id$v=19$m=KIB,t=PASSES,p=1$SALT$HASH, base64 without padding. Two at a time
// at most, as each takes memory and a core.
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";

/** OWASP's first choice of 2025 with less memory than it allows at most; about 50 ms. */
const MEMORY_KIB = 47_104;
const PASSES = 1;
const TAG_BYTES = 32;
const AT_ONCE = 2;
/** Beyond this many that wait, who comes is sent away. */
const MAX_WAITING = 100;

let running = 0;
const waiting: (() => void)[] = [];

/** @returns undefined when too many wait */
async function derive(password: string, salt: Uint8Array, memory: number, passes: number): Promise<Buffer | undefined> {
  if (running >= AT_ONCE) {
    if (waiting.length >= MAX_WAITING) return undefined;
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running++;
  try {
    return await new Promise<Buffer>((resolve, reject) =>
      argon2(
        "argon2id",
        { message: password.normalize("NFKC"), nonce: salt, parallelism: 1, tagLength: TAG_BYTES, memory, passes },
        (error, key) => (error ? reject(error) : resolve(key)),
      ),
    );
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replaceAll("=", "");

/** @returns undefined when the coordinator has too many passwords to look at */
export async function hashPassword(password: string): Promise<string | undefined> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, MEMORY_KIB, PASSES);
  return key && `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${unpadded(salt)}$${unpadded(key)}`;
}

/** What is checked for a name that nobody has, so that the answer takes as long. */
const NOBODY = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${unpadded(randomBytes(16))}$${unpadded(randomBytes(TAG_BYTES))}`;

/** @param hashed undefined: there is no such user; takes as long and is false @returns undefined as above */
export async function isPassword(password: string, hashed: string | undefined): Promise<boolean | undefined> {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([^$]+)\$([^$]+)$/.exec(hashed ?? NOBODY);
  if (!match) return false;
  const [, memory, passes, salt = "", hash = ""] = match;
  const key = await derive(password, Buffer.from(salt, "base64"), Number(memory), Number(passes));
  return key && timingSafeEqual(key, Buffer.from(hash, "base64")) && hashed !== undefined;
}
