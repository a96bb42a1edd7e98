// SPDX-License-Identifier: GPL-2.0-only
// Lesson 6: an ioctl of one's own, what the kernel checks for it, and what it has to check itself.

import { Errno } from "iommufd-wasm";
import { DOUBLE, DOUBLE_CHECKED, USERS } from "./definitions.js";
import { call, callsOf, errnoName, objectOf, readCall, TYPE } from "./evidence.js";
import type { Evidence, Lesson } from "./lesson.js";

/** Where a struct says how long it is: its first four bytes. */
function declaredSize(before: Uint8Array): number {
  return before.length < 4 ? 0 : new DataView(before.buffer, before.byteOffset).getUint32(0, true);
}

/** The step's calls of the student's command, whatever it is called. */
const callsOfNumber = ({ calls }: Evidence, nr: number | undefined) =>
  calls.filter(({ command }) => command?.nr === nr);

const SHORT_BYTES = 8;

export const extend: Lesson = {
  id: "extend",
  title: "Extend the ioctl table",
  intro: [
    "The kernel keeps a table with one row for each ioctl: its number, the size of its struct, and the function that does " +
      "the work. Before that function runs, the struct has been copied in and checked.",
    "Here you add rows of your own. The function is JavaScript and runs in this page; what is around it is the same code " +
      "that handles `IOMMU_DESTROY`.",
  ],
  tiedToFile: false,
  lostByReload: "Functions that you had written yourself are gone; the lesson's own stand in the table instead.",
  steps: [
    {
      title: "Add a row",
      text: "In the definition editor take “Double a number”, read it, and press “Add to the table”.",
      hint: "Every struct begins with `size`, which is added for you. `respond()` copies the struct back to the caller.",
      place: "definition",
      check({ defined }) {
        const last = defined.at(-1);
        if (last === undefined) return undefined;
        if (last.name === DOUBLE.name && last.fields.trim() === DOUBLE.fields) return { done: { nr: last.nr } };
        return {
          note: `It is in the table. This lesson goes on with \`${DOUBLE.name}\` and its two fields. If that name has other fields by now, reload the page: the table begins anew.`,
        };
      },
      next: () => ({ kind: "define", definition: DOUBLE }),
      learned: ({ nr = 0 }) => `Number 0x${nr.toString(16)} is taken now, and the console knows your command.`,
    },
    {
      title: "Call it",
      text: "Choose your command in the console, set `value` to 21 and run it.",
      hint: "It is at the end of the list of commands.",
      place: "console",
      check(evidence) {
        const last = callsOfNumber(evidence, evidence.facts["nr"]).at(-1);
        if (last === undefined) return undefined;
        const { given, reply, result } = readCall(last);
        if (result !== 0) return { note: `It answered ${errnoName(result)}.` };
        const value = Number(given["value"]);
        if (value === 0) return { note: "Twice 0 is 0. Take a number that shows more." };
        if (reply["twice"] !== 2 * value)
          return { note: "The answer has no `twice` that is twice the value. Does your function respond?" };
        return { done: { value, twice: 2 * value } };
      },
      next: () => call(DOUBLE.name, { value: 21 }),
      learned: ({ value, twice }) => `${value} went in and ${twice} came back, in the same struct.`,
    },
    {
      title: "Say no",
      text: "Change the function so that `value` 0 is an error: `return -Errno.EINVAL`. Add it again, and call it with 0.",
      hint: "Or take “Double a number, but not 0”. The number and the struct stay the same, so it takes the row's place.",
      place: "definition",
      check(evidence) {
        const { nr } = evidence.facts;
        const refused = callsOfNumber(evidence, nr).some(
          (each) =>
            each.result === -Errno.EINVAL &&
            readCall(each).given["value"] === 0 &&
            declaredSize(each.before) === each.command?.size,
        );
        if (refused) return { done: {} };
        if (callsOfNumber(evidence, nr).length > 0)
          return { note: "Not refused yet. Does the function look at `value`?" };
        return evidence.defined.length > 0 ? { note: "It is in the table. Now call it with `value` 0." } : undefined;
      },
      next: ({ defined, facts: { nr = DOUBLE_CHECKED.nr } }) =>
        defined.length === 0
          ? { kind: "define", definition: { ...DOUBLE_CHECKED, nr } }
          : call(DOUBLE.name, { value: 0 }),
      learned: "EINVAL, and this time it is your own function that says so.",
    },
    {
      title: "Send too little",
      text: `Call it with a struct of ${SHORT_BYTES} bytes: it ends before \`twice\`. Your function never hears of it.`,
      hint: "The console can send a struct that is too short. “Do it for me” does so, too.",
      place: "console",
      check(evidence) {
        const { nr } = evidence.facts;
        const short = callsOfNumber(evidence, nr).find(
          ({ before, command, result }) =>
            declaredSize(before) < (command?.minSize ?? 0) && result === -Errno.EOPNOTSUPP,
        );
        if (short !== undefined) return { done: {} };
        return callsOfNumber(evidence, nr).length > 0 ? { note: "That struct was long enough." } : undefined;
      },
      next: () => ({ kind: "call", command: DOUBLE.name, fields: { value: 21 }, size: SHORT_BYTES }),
      learned:
        "EOPNOTSUPP, from the kernel. Every command gets that check for nothing, so no function has to read what was not sent.",
    },
    {
      title: "Reach the objects",
      text: "Add “Tell an object's users”. Then call it with the `id` of an object from the graph.",
      hint: "If there is no object, make one with `LAB_ALLOC`.",
      place: "definition",
      check(evidence) {
        const asked = callsOf(evidence, USERS.name)
          .filter(({ result }) => result === 0)
          .at(-1);
        if (asked !== undefined) {
          const object = objectOf(evidence, Number(asked.given["id"]));
          if (asked.reply["users"] === object?.users) return { done: { users: object?.users ?? 0 } };
          return { note: "That is not what the graph says. Does the function respond?" };
        }
        const missed = callsOf(evidence, USERS.name).length > 0;
        if (missed) return { note: "ENOENT: there is no such object. Take an ID from the graph." };
        return evidence.defined.length > 0 ? { note: "It is in the table. Now call it." } : undefined;
      },
      next({ defined, objects }) {
        if (defined.length === 0) return { kind: "define", definition: USERS };
        const [first] = objects;
        return first === undefined ? call("LAB_ALLOC", { type: TYPE.IOAS }) : call(USERS.name, { id: first.id });
      },
      learned: ({ users }) => `${users}: the same number as in the graph. Your function looked at the real objects.`,
    },
  ],
  closing:
    "A row in a table, a struct that begins with its size, a function: that is how every iommufd command is made, and how you add one to an emulator of yours.",
};
