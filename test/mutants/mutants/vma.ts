// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/vma.ts.

import { mutantsOf } from "../mutant.ts";

export const VMA = mutantsOf("vma.ts", [
  {
    name: "mapping-has-a-byte-behind-its-end",
    kind: "bounds",
    find: "if (endOf(ordered(middle)) <= va) low = middle + 1;",
    replace: "if (endOf(ordered(middle)) < va) low = middle + 1;",
  },
  {
    name: "unmap-leaves-no-name",
    kind: "repair",
    find: "  changetype<Mapping>(row).unmapper = nameOfThread(current());\n",
    replace: "",
  },
]);
