// SPDX-License-Identifier: GPL-2.0-only
//
// Generated from test/vectors/races-rfc.jsonl.gz and the transcription in test/model/seed by test/model/seed/write-races.ts; do not edit.
// `npm run build:races` writes this file, test/node/lab-races.test.ts compares it.

/** `recorded`: how often the kernel showed the outcome in `tries`; 0 where only its code says that it may. */
export const RACES = [
  {
    name: "destroy-get",
    tries: 30000,
    setup: [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }],
    actors: [
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "GET", fd: 0, args: [1, 0] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      { results: ["0", "ENOENT"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 16191 },
      { results: ["0", "0"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 13809 },
    ],
  },
  {
    name: "destroy-destroy",
    tries: 30000,
    setup: [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }],
    actors: [
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "DESTROY", fd: 0, args: [1] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      { results: ["ENOENT", "0"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 15152 },
      { results: ["0", "ENOENT"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 14554 },
      { results: ["0", "EBUSY"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 158 },
      { results: ["EBUSY", "0"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 136 },
    ],
  },
  {
    name: "destroy-keep",
    tries: 30000,
    setup: [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }],
    actors: [
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "KEEP", fd: 0, args: [1, 0] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      { results: ["0", "ENOENT"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 17296 },
      { results: ["EBUSY", "0"], after: ["users=2,type=2", "0", "[]"], warn: ["release:users"], recorded: 12704 },
    ],
  },
  {
    name: "destroy-drop-kept",
    tries: 30000,
    setup: [
      { call: "ALLOC", fd: 0, args: [2, 0, 0, 0] },
      { call: "KEEP", fd: 0, args: [1, 0] },
    ],
    actors: [
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "DROP", fd: 0, args: [1] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      { results: ["EBUSY", "0"], after: ["users=1,type=2", "0", "[2:1]"], warn: [], recorded: 17549 },
      { results: ["0", "0"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 11851 },
      { results: ["EBUSY", "ENOENT"], after: ["users=2,type=2", "0", "[]"], warn: ["release:users"], recorded: 600 },
    ],
  },
  {
    name: "destroy-allochold",
    tries: 30000,
    setup: [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }],
    actors: [
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "ALLOC", fd: 0, args: [1, 1, 0, 0] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "STATE", fd: 0, args: [2] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      { results: ["0", "ENOENT"], after: ["ENOENT", "ENOENT", "0", "[2:1]"], warn: [], recorded: 15444 },
      {
        results: ["EBUSY", "id=2"],
        after: ["users=2,type=2", "users=1,type=1", "0", "[1:2,2:1]"],
        warn: [],
        recorded: 14556,
      },
    ],
  },
  {
    name: "destroy-held-and-holder",
    tries: 30000,
    setup: [
      { call: "ALLOC", fd: 0, args: [3, 0, 0, 0] },
      { call: "ALLOC", fd: 0, args: [2, 1, 0, 0] },
      { call: "ALLOC", fd: 0, args: [1, 2, 0, 0] },
    ],
    actors: [
      { call: "DESTROY", fd: 0, args: [2] },
      { call: "DESTROY", fd: 0, args: [3] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "STATE", fd: 0, args: [2] },
      { call: "STATE", fd: 0, args: [3] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      {
        results: ["EBUSY", "0"],
        after: ["users=2,type=3", "users=1,type=2", "ENOENT", "0", "[1:3,2:2,3:1]"],
        warn: [],
        recorded: 15347,
      },
      {
        results: ["0", "0"],
        after: ["users=1,type=3", "ENOENT", "ENOENT", "0", "[1:3,2:2,3:1]"],
        warn: [],
        recorded: 14653,
      },
    ],
  },
  {
    name: "destroy-alloc-reuse",
    tries: 30000,
    setup: [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }],
    actors: [
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "ALLOC", fd: 0, args: [3, 0, 0, 0] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "STATE", fd: 0, args: [2] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      { results: ["0", "id=1"], after: ["users=1,type=3", "ENOENT", "0", "[2:1,3:1]"], warn: [], recorded: 15013 },
      { results: ["0", "id=2"], after: ["ENOENT", "users=1,type=3", "0", "[2:1,3:2]"], warn: [], recorded: 14987 },
    ],
  },
  {
    name: "alloc-alloc",
    tries: 30000,
    setup: [{ call: "STATE", fd: 0, args: [1] }],
    actors: [
      { call: "ALLOC", fd: 0, args: [1, 0, 0, 0] },
      { call: "ALLOC", fd: 0, args: [2, 0, 0, 0] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "STATE", fd: 0, args: [2] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      {
        results: ["id=1", "id=2"],
        after: ["users=1,type=1", "users=1,type=2", "0", "[1:1,2:2]"],
        warn: [],
        recorded: 15365,
      },
      {
        results: ["id=2", "id=1"],
        after: ["users=1,type=2", "users=1,type=1", "0", "[1:2,2:1]"],
        warn: [],
        recorded: 14635,
      },
    ],
  },
  {
    name: "abort-get",
    tries: 30000,
    setup: [{ call: "STATE", fd: 0, args: [1] }],
    actors: [
      { call: "ALLOC", fd: 0, args: [1, 0, 0, 3] },
      { call: "GET", fd: 0, args: [1, 0] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [{ results: ["id=1,invisible", "ENOENT"], after: ["ENOENT", "0", "[]"], warn: [], recorded: 30000 }],
  },
  {
    name: "close-get",
    tries: 30000,
    setup: [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }],
    actors: [
      { call: "CLOSE", fd: 0 },
      { call: "GET", fd: 0, args: [1, 0] },
    ],
    after_calls: [{ call: "LOG", fd: 1 }],
    outcomes: [
      { results: ["0", "0"], after: ["[2:1]"], warn: [], recorded: 16655 },
      { results: ["0", "EBADF"], after: ["[2:1]"], warn: [], recorded: 13345 },
    ],
  },
  {
    name: "close-destroy",
    tries: 30000,
    setup: [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }],
    actors: [
      { call: "CLOSE", fd: 0 },
      { call: "DESTROY", fd: 0, args: [1] },
    ],
    after_calls: [{ call: "LOG", fd: 1 }],
    outcomes: [
      { results: ["0", "0"], after: ["[2:1]"], warn: [], recorded: 17896 },
      { results: ["0", "EBADF"], after: ["[2:1]"], warn: [], recorded: 12104 },
    ],
  },
  {
    name: "close-keep",
    tries: 30000,
    setup: [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }],
    actors: [
      { call: "CLOSE", fd: 0 },
      { call: "KEEP", fd: 0, args: [1, 0] },
    ],
    after_calls: [{ call: "LOG", fd: 1 }],
    outcomes: [
      { results: ["0", "0"], after: ["[]"], warn: ["release:users"], recorded: 16510 },
      { results: ["0", "EBADF"], after: ["[2:1]"], warn: [], recorded: 13490 },
    ],
  },
  {
    name: "destroy-get-get",
    tries: 15000,
    setup: [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }],
    actors: [
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "GET", fd: 0, args: [1, 0] },
      { call: "GET", fd: 0, args: [1, 2] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      { results: ["0", "ENOENT", "ENOENT"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 4834 },
      { results: ["0", "0", "0"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 4442 },
      { results: ["0", "0", "ENOENT"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 3232 },
      { results: ["0", "ENOENT", "0"], after: ["ENOENT", "0", "[2:1]"], warn: [], recorded: 2492 },
    ],
  },
  {
    name: "destroy-destroy-get-kept",
    tries: 15000,
    setup: [
      { call: "ALLOC", fd: 0, args: [2, 0, 0, 0] },
      { call: "KEEP", fd: 0, args: [1, 0] },
    ],
    actors: [
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "GET", fd: 0, args: [1, 0] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      {
        results: ["EBUSY", "EBUSY", "0"],
        after: ["users=2,type=2", "0", "[]"],
        warn: ["release:users"],
        recorded: 14294,
      },
      {
        results: ["EBUSY", "EBUSY", "ENOENT"],
        after: ["users=2,type=2", "0", "[]"],
        warn: ["release:users"],
        recorded: 413,
      },
      {
        results: ["EBUSY", "ENOENT", "0"],
        after: ["users=2,type=2", "0", "[]"],
        warn: ["release:users"],
        recorded: 220,
      },
      {
        results: ["ENOENT", "EBUSY", "0"],
        after: ["users=2,type=2", "0", "[]"],
        warn: ["release:users"],
        recorded: 73,
      },
      {
        results: ["ENOENT", "EBUSY", "ENOENT"],
        after: ["users=2,type=2", "0", "[]"],
        warn: ["release:users"],
        recorded: 1,
      },
      {
        results: ["EBUSY", "ENOENT", "ENOENT"],
        after: ["users=2,type=2", "0", "[]"],
        warn: ["release:users"],
        recorded: 0,
      },
    ],
  },
  {
    name: "destroy-chain3",
    tries: 15000,
    setup: [
      { call: "ALLOC", fd: 0, args: [3, 0, 0, 0] },
      { call: "ALLOC", fd: 0, args: [2, 1, 0, 0] },
      { call: "ALLOC", fd: 0, args: [1, 2, 0, 0] },
    ],
    actors: [
      { call: "DESTROY", fd: 0, args: [1] },
      { call: "DESTROY", fd: 0, args: [2] },
      { call: "DESTROY", fd: 0, args: [3] },
    ],
    after_calls: [
      { call: "STATE", fd: 0, args: [1] },
      { call: "STATE", fd: 0, args: [2] },
      { call: "STATE", fd: 0, args: [3] },
      { call: "CLOSE", fd: 0 },
      { call: "LOG", fd: 1 },
    ],
    outcomes: [
      {
        results: ["EBUSY", "0", "0"],
        after: ["users=1,type=3", "ENOENT", "ENOENT", "0", "[1:3,2:2,3:1]"],
        warn: [],
        recorded: 6908,
      },
      {
        results: ["EBUSY", "EBUSY", "0"],
        after: ["users=2,type=3", "users=1,type=2", "ENOENT", "0", "[1:3,2:2,3:1]"],
        warn: [],
        recorded: 6083,
      },
      {
        results: ["0", "0", "0"],
        after: ["ENOENT", "ENOENT", "ENOENT", "0", "[1:3,2:2,3:1]"],
        warn: [],
        recorded: 2009,
      },
    ],
  },
] as const;
