// The one error type of Nightshift and the one list of its codes. Every message a person may see is built here or carries one of
// these codes; the code is stable (scripts match on it), the sentence is not. It lives in the lowest layer so that all may use it.

/** Stable code -> what to do about it. A remedy of "" means the sentence itself already says it. */
export const REMEDIES = {
  // programs and the toolchain
  NS_COMPILE_FAILED: "Correct the source; the compiler's diagnostics above name file and line.",
  NS_NOT_WASM: "Give a C or C++ source file, or a WebAssembly module built for wasm32-wasi.",
  NS_BAD_MODULE: "Build the module again; if it runs elsewhere, report it with the module attached.",
  NS_UNKNOWN_IMPORT: "Build for WASI preview1 without host-specific imports, or with `nightshift cc`.",
  NS_NOT_MIGRATABLE:
    "The named feature cannot be moved between hosts yet. Run it with --pin (in the console: Run it even if it cannot be moved): then it stays on its host.",
  NS_SOURCE_NOT_FOUND: "Check the path.",
  NS_NO_NATIVE_COMPILER: "Install a C compiler as `cc` (Debian: apt install gcc) to get native figures.",
  // processes
  NS_TRAP: "The program's own fault: see the wasm stack.",
  NS_MEMORY_LIMIT: "Give the program more with --memory, or make it use less.",
  NS_TIMEOUT: "Give the program more time with --timeout.",
  NS_OUTPUT_LIMIT: "Write less to stdout and stderr, or write to a file.",
  NS_STACK_OVERFLOW: "The program recurses too deeply; build it with a larger stack or recurse less.",
  NS_BAD_IMAGE: "The image is damaged or of another version; start the process again.",
  NS_BAD_CHECKPOINT: "The file is damaged, no checkpoint, or of another version; use another one or start the job again.",
  NS_NO_SUCH_PROCESS: "See `nightshift ps` for the processes there are.",
  NS_NO_SUCH_JOB: "See `nightshift ps` for the jobs there are.",
  NS_NO_SUCH_PART: "See `nightshift ps --parts JOB` for the parts it has.",
  NS_NO_SUCH_HOST: "See `nightshift hosts` for the hosts there are.",
  NS_NOT_RUNNING: "Only a running or waiting process can be moved or cancelled; see `nightshift ps`.",
  NS_NOTHING_TO_RETRY: "Only parts that have ended, but not well, can begin anew; a whole job can be submitted again.",
  NS_INPUT_GONE: "Submit the job again, with its input.",
  NS_NOT_BEGUN: "Nothing needs to be done: the process had not begun there and goes on elsewhere.",
  NS_ENGINE_LACKS: "Join a host that is no browser, or build the program without the feature.",
  NS_HOST_UNAVAILABLE: "The host is paused, blocked, kept clear or offline; see `nightshift hosts`.",
  NS_HOST_BUSY: "Wait until its processes have ended, or choose other hosts.",
  NS_BAD_JOB: "Correct the job; docs/JOBS.md has every field of a job file, with examples.",
  NS_CANCELLED: "",
  NS_LIMIT: "Ask for less, or have the administrator raise the limit.",
  // tunnel and protocol
  NS_BAD_LINK: "Use a link printed by `nightshift up` or `nightshift token create`, whole and unchanged.",
  NS_BAD_TOKEN: "Get a fresh join link with `nightshift token create`.",
  NS_REVOKED: "Enrol again with a fresh join link.",
  NS_WRONG_KEY: "The server is not the coordinator the link was made for: check the address, then get a fresh link.",
  NS_BAD_FRAME: "",
  NS_FRAME_TOO_LARGE: "",
  NS_BAD_MESSAGE: "Use the same version of Nightshift on both sides.",
  NS_RATE_LIMITED: "Wait a little and try again.",
  NS_CONNECTION_LOST: "",
  NS_UNREACHABLE: "Check that the coordinator runs (`nightshift up`) and that its address is right.",
  NS_VERSION_MISMATCH: "Use the same version of Nightshift on both sides.",
  NS_FORBIDDEN: "Use a token whose scope allows this.",
  // people at the coordinator's HTTP side
  NS_SIGNED_OUT: "Sign in, or send an API token as `Authorization: Bearer TOKEN`.",
  NS_BAD_PASSWORD: "Check name and password; an administrator can make a one-time link for a new password.",
  NS_BAD_INVITATION: "Have an administrator make a new one-time link; `nightshift console` prints one for the administrator.",
  NS_SSO_FAILED: "Try again; when it stays so, an administrator finds more in the events and in the file given with --oidc.",
  NS_SSO_REFUSED: "Ask an administrator, of the provider or of this coordinator.",
  NS_BAD_PASSKEY: "Try again, or sign in otherwise; passkeys are added and removed under Account.",
  NS_CSRF: "Send the csrf value of the session in the header x-csrf-token.",
  NS_BAD_REQUEST: "See docs/API.md for what is expected.",
  NS_PLAIN_HTTP:
    "Use https: `nightshift up --tls-cert`, `--tls-local-ca` or `--behind-proxy`; or insist on http with `--plain-http`.",
  NS_BAD_CERTIFICATE: "Give PEM files: the certificate with its chain, and its key without a passphrase.",
  // coordinator and store
  NS_PORT_TAKEN: "Choose another port with --port, or --port 0 for any free one.",
  NS_ALREADY_RUNNING: "Use the running one, or stop it first.",
  NS_NOT_FOUND: "",
  NS_BLOB_MISMATCH: "Send it again; the bytes do not match their hash.",
  NS_STORE_VERSION: "The state directory was written by a newer Nightshift: use that version, or another NIGHTSHIFT_HOME.",
  NS_HOME_UNUSABLE: "Make the directory writable, or set NIGHTSHIFT_HOME to another one.",
  // agents
  NS_BAD_POLICY: "Correct what it names; docs/POLICY.md has every setting with its range, and without a file the defaults hold.",
  NS_BAD_RELEASE: "Publish it again with `nightshift release publish`, signed with the key that the hosts were built with.",
  // command line
  NS_USAGE: "See --help.",
  NS_BAD_FILE: "",
  NS_CANNOT_PACKAGE: "",
  NS_INTERNAL: "This is a defect of Nightshift; please report it with the message.",
} as const;

export type ErrorCode = keyof typeof REMEDIES;

/** An error with a stable code, a sentence that says what and where, and data for whoever wants more than the sentence. */
export class NightshiftError extends Error {
  override readonly name = "NightshiftError";
  readonly code: ErrorCode;
  /** Plain data about the error (names, sizes, limits), safe to log and to send. Never secrets. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  get remedy(): string {
    return REMEDIES[this.code];
  }
}

/** Any thrown value as a NightshiftError; an unknown one becomes NS_INTERNAL with its cause kept, and what util.parseArgs says NS_USAGE. */
export function asNightshiftError(thrown: unknown): NightshiftError {
  if (thrown instanceof NightshiftError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const ofArguments = String((thrown as { code?: unknown } | null | undefined)?.code).startsWith("ERR_PARSE_ARGS_");
  return new NightshiftError(ofArguments ? "NS_USAGE" : "NS_INTERNAL", message, { cause: thrown });
}

/** The value must be present: a broken invariant, not bad input, so it is NS_INTERNAL. */
export function must<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new NightshiftError("NS_INTERNAL", `${what} is missing`);
  return value;
}
