#!/usr/bin/env node
// `nightshift ar` in one word, for builds whose compiler can be no two.
process.argv.splice(2, 0, "ar");
await import("./nightshift.mjs");
