// SPDX-License-Identifier: GPL-2.0-only
//
// Every Linux errno, written once.
//
// Kernel counterpart: include/uapi/asm-generic/errno-base.h and errno.h. These are the generic numbers (x86, arm, riscv
// and most others); alpha, mips, parisc and sparc have their own, which this library does not speak: its errors carry the
// same numbers on every host.
//
// Invariant: one name per number. Where Linux has a second name for the same number, the comment behind it says so.
// The values are positive, as in the kernel's headers; a call that fails returns the negative one.
//
// The core imports what it answers with, the trace module turns numbers into names, and the TypeScript table
// `Errno` is generated from these constants. No other file contains an errno as a number.

// The 34 numbers of every Unix.
export const EPERM: i32 = 1;
export const ENOENT: i32 = 2;
export const ESRCH: i32 = 3;
export const EINTR: i32 = 4;
export const EIO: i32 = 5;
export const ENXIO: i32 = 6;
export const E2BIG: i32 = 7;
export const ENOEXEC: i32 = 8;
export const EBADF: i32 = 9;
export const ECHILD: i32 = 10;
export const EAGAIN: i32 = 11; // also EWOULDBLOCK
export const ENOMEM: i32 = 12;
export const EACCES: i32 = 13;
export const EFAULT: i32 = 14;
export const ENOTBLK: i32 = 15;
export const EBUSY: i32 = 16;
export const EEXIST: i32 = 17;
export const EXDEV: i32 = 18;
export const ENODEV: i32 = 19;
export const ENOTDIR: i32 = 20;
export const EISDIR: i32 = 21;
export const EINVAL: i32 = 22;
export const ENFILE: i32 = 23;
export const EMFILE: i32 = 24;
export const ENOTTY: i32 = 25;
export const ETXTBSY: i32 = 26;
export const EFBIG: i32 = 27;
export const ENOSPC: i32 = 28;
export const ESPIPE: i32 = 29;
export const EROFS: i32 = 30;
export const EMLINK: i32 = 31;
export const EPIPE: i32 = 32;
export const EDOM: i32 = 33;
export const ERANGE: i32 = 34;

// Locks, names, System V messages. 41 was never given out.
export const EDEADLK: i32 = 35; // also EDEADLOCK
export const ENAMETOOLONG: i32 = 36;
export const ENOLCK: i32 = 37;
export const ENOSYS: i32 = 38;
export const ENOTEMPTY: i32 = 39;
export const ELOOP: i32 = 40;
export const ENOMSG: i32 = 42;
export const EIDRM: i32 = 43;

// Carried over from System V: channels, levels, exchanges. 58 was never given out.
export const ECHRNG: i32 = 44;
export const EL2NSYNC: i32 = 45;
export const EL3HLT: i32 = 46;
export const EL3RST: i32 = 47;
export const ELNRNG: i32 = 48;
export const EUNATCH: i32 = 49;
export const ENOCSI: i32 = 50;
export const EL2HLT: i32 = 51;
export const EBADE: i32 = 52;
export const EBADR: i32 = 53;
export const EXFULL: i32 = 54;
export const ENOANO: i32 = 55;
export const EBADRQC: i32 = 56;
export const EBADSLT: i32 = 57;

// Streams and early networking.
export const EBFONT: i32 = 59;
export const ENOSTR: i32 = 60;
export const ENODATA: i32 = 61;
export const ETIME: i32 = 62;
export const ENOSR: i32 = 63;
export const ENONET: i32 = 64;
export const ENOPKG: i32 = 65;
export const EREMOTE: i32 = 66;
export const ENOLINK: i32 = 67;
export const EADV: i32 = 68;
export const ESRMNT: i32 = 69;
export const ECOMM: i32 = 70;
export const EPROTO: i32 = 71;
export const EMULTIHOP: i32 = 72;
export const EDOTDOT: i32 = 73;
export const EBADMSG: i32 = 74;
export const EOVERFLOW: i32 = 75;
export const ENOTUNIQ: i32 = 76;
export const EBADFD: i32 = 77;
export const EREMCHG: i32 = 78;

// Libraries, text, restart, quotas of users.
export const ELIBACC: i32 = 79;
export const ELIBBAD: i32 = 80;
export const ELIBSCN: i32 = 81;
export const ELIBMAX: i32 = 82;
export const ELIBEXEC: i32 = 83;
export const EILSEQ: i32 = 84;
export const ERESTART: i32 = 85;
export const ESTRPIPE: i32 = 86;
export const EUSERS: i32 = 87;

// Sockets.
export const ENOTSOCK: i32 = 88;
export const EDESTADDRREQ: i32 = 89;
export const EMSGSIZE: i32 = 90;
export const EPROTOTYPE: i32 = 91;
export const ENOPROTOOPT: i32 = 92;
export const EPROTONOSUPPORT: i32 = 93;
export const ESOCKTNOSUPPORT: i32 = 94;
export const EOPNOTSUPP: i32 = 95; // also ENOTSUP (user space only)
export const EPFNOSUPPORT: i32 = 96;
export const EAFNOSUPPORT: i32 = 97;
export const EADDRINUSE: i32 = 98;
export const EADDRNOTAVAIL: i32 = 99;
export const ENETDOWN: i32 = 100;
export const ENETUNREACH: i32 = 101;
export const ENETRESET: i32 = 102;
export const ECONNABORTED: i32 = 103;
export const ECONNRESET: i32 = 104;
export const ENOBUFS: i32 = 105;
export const EISCONN: i32 = 106;
export const ENOTCONN: i32 = 107;
export const ESHUTDOWN: i32 = 108;
export const ETOOMANYREFS: i32 = 109;
export const ETIMEDOUT: i32 = 110;
export const ECONNREFUSED: i32 = 111;
export const EHOSTDOWN: i32 = 112;
export const EHOSTUNREACH: i32 = 113;

// Operations in progress, NFS.
export const EALREADY: i32 = 114;
export const EINPROGRESS: i32 = 115;
export const ESTALE: i32 = 116;

// XENIX files, remote I/O, media.
export const EUCLEAN: i32 = 117;
export const ENOTNAM: i32 = 118;
export const ENAVAIL: i32 = 119;
export const EISNAM: i32 = 120;
export const EREMOTEIO: i32 = 121;
export const EDQUOT: i32 = 122;
export const ENOMEDIUM: i32 = 123;
export const EMEDIUMTYPE: i32 = 124;

// Cancellation, keys, robust mutexes, hardware.
export const ECANCELED: i32 = 125;
export const ENOKEY: i32 = 126;
export const EKEYEXPIRED: i32 = 127;
export const EKEYREVOKED: i32 = 128;
export const EKEYREJECTED: i32 = 129;
export const EOWNERDEAD: i32 = 130;
export const ENOTRECOVERABLE: i32 = 131;
export const ERFKILL: i32 = 132;
export const EHWPOISON: i32 = 133;
