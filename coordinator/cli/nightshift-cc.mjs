#!/usr/bin/env node
// `nightshift cc` in one word, for builds whose compiler can be no two.
process.argv.splice(2, 0, "cc");
await import("./nightshift.mjs");
