// SPDX-License-Identifier: GPL-2.0-only
//
// The races that the element offers, and what is said about each: its title, what its threads do, what the kernel promises.
//
// What the threads call and which outcomes are allowed is in ../../generated/races.ts, made from the recording by the names here.
//
// `name` is the value of the element's attribute `race`; with underscores it is the name in the recording.

export interface RaceText {
  readonly name: string;
  readonly title: string;
  readonly what: string;
  readonly promise: string;
}

export const RACE_TEXTS: readonly RaceText[] = [
  {
    name: "destroy-get",
    title: "destroy × get",
    what: "One thread destroys an object while another locks it for a moment.",
    promise:
      "The destroy waits for the lock and then succeeds. The other thread has the object for as long as it holds the lock, or never sees it.",
  },
  {
    name: "destroy-destroy",
    title: "destroy × destroy",
    what: "Two threads destroy the same object.",
    promise: "Exactly one of them succeeds, and the object goes once.",
  },
  {
    name: "destroy-keep",
    title: "destroy × keep",
    what: "One thread destroys an object while another takes a reference that lasts beyond its call.",
    promise: "Never do both succeed: who is kept cannot be destroyed, and what is destroyed cannot be kept.",
  },
  {
    name: "destroy-drop-kept",
    title: "destroy × drop",
    what: "An object is kept once. One thread destroys it while another drops the kept reference.",
    promise: "The destroy succeeds if the drop came first, and is EBUSY otherwise. Nothing is dropped twice.",
  },
  {
    name: "destroy-allochold",
    title: "destroy × new holder",
    what: "One thread destroys an object while another makes a new object that holds it.",
    promise: "Either the new object has it and the destroy is EBUSY, or it is gone and the new one is not made.",
  },
  {
    name: "destroy-held-and-holder",
    title: "destroy holder × destroy held",
    what: "Object 3 holds 2, and 2 holds 1. One thread destroys 2, another destroys 3.",
    promise: "Object 2 can only go after its holder 3 is gone; before, it is EBUSY.",
  },
  {
    name: "destroy-alloc-reuse",
    title: "destroy × alloc",
    what: "One thread destroys object 1 while another makes a new object.",
    promise:
      "The new object gets the lowest free ID: 1 if the old one is gone by then, 2 otherwise. No ID is given out twice.",
  },
  {
    name: "alloc-alloc",
    title: "alloc × alloc",
    what: "Two threads make an object each.",
    promise: "They get two different IDs, the lowest that are free.",
  },
  {
    name: "abort-get",
    title: "abort × get",
    what: "One thread reserves an ID and gives it back unpublished, while another looks that ID up.",
    promise: "Nobody ever sees an object that was not published.",
  },
  {
    name: "close-get",
    title: "close × ioctl",
    what: "One thread closes the file while another makes an ioctl on it.",
    promise: "The close returns at once. A call that is in flight ends normally, and only then is everything released.",
  },
  {
    name: "close-destroy",
    title: "close × destroy",
    what: "One thread closes the file while another destroys an object in it.",
    promise: "The object goes once, by the one or by the other.",
  },
  {
    name: "close-keep",
    title: "close × keep",
    what: "One thread closes the file while another keeps an object in it.",
    promise: "What is still kept at the release stays behind, and the kernel warns about it.",
  },
  {
    name: "destroy-get-get",
    title: "destroy × get × get",
    what: "One thread destroys an object while two others lock it for a moment.",
    promise: "The destroy waits for both. Who comes after it has queued does not see the object any more.",
  },
  {
    name: "destroy-destroy-get-kept",
    title: "destroy × destroy × get",
    what: "An object is kept. Two threads destroy it while a third locks it for a moment.",
    promise:
      "No destroy succeeds. While one of them waits the object cannot be seen; after the EBUSY it is there again.",
  },
  {
    name: "destroy-chain3",
    title: "destroy a chain",
    what: "Object 3 holds 2, and 2 holds 1. Three threads destroy one each.",
    promise: "An object goes only after its holder; a chain can go whole, in the one right order.",
  },
];
