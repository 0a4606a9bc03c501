#!/usr/bin/env node
// `nightshift ranlib` in one word, for builds whose compiler can be no two.
process.argv.splice(2, 0, "ranlib");
await import("./nightshift.mjs");
