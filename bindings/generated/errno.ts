// SPDX-License-Identifier: GPL-2.0-only
//
// Generated from assembly/errno.ts by bindings/build/generate-layout.mjs; do not edit.
// `npm run build:layout` writes this file, `npm run check:layout` compares it.

/** Linux errno numbers, positive, by name. */
export const Errno = /* @__PURE__ */ (() =>
  Object.fromEntries(
    "PERM NOENT SRCH INTR IO NXIO 2BIG NOEXEC BADF CHILD AGAIN NOMEM ACCES FAULT NOTBLK BUSY EXIST XDEV NODEV NOTDIR ISDIR INVAL NFILE MFILE NOTTY TXTBSY FBIG NOSPC SPIPE ROFS MLINK PIPE DOM RANGE DEADLK NAMETOOLONG NOLCK NOSYS NOTEMPTY LOOP  NOMSG IDRM CHRNG L2NSYNC L3HLT L3RST LNRNG UNATCH NOCSI L2HLT BADE BADR XFULL NOANO BADRQC BADSLT  BFONT NOSTR NODATA TIME NOSR NONET NOPKG REMOTE NOLINK ADV SRMNT COMM PROTO MULTIHOP DOTDOT BADMSG OVERFLOW NOTUNIQ BADFD REMCHG LIBACC LIBBAD LIBSCN LIBMAX LIBEXEC ILSEQ RESTART STRPIPE USERS NOTSOCK DESTADDRREQ MSGSIZE PROTOTYPE NOPROTOOPT PROTONOSUPPORT SOCKTNOSUPPORT OPNOTSUPP PFNOSUPPORT AFNOSUPPORT ADDRINUSE ADDRNOTAVAIL NETDOWN NETUNREACH NETRESET CONNABORTED CONNRESET NOBUFS ISCONN NOTCONN SHUTDOWN TOOMANYREFS TIMEDOUT CONNREFUSED HOSTDOWN HOSTUNREACH ALREADY INPROGRESS STALE UCLEAN NOTNAM NAVAIL ISNAM REMOTEIO DQUOT NOMEDIUM MEDIUMTYPE CANCELED NOKEY KEYEXPIRED KEYREVOKED KEYREJECTED OWNERDEAD NOTRECOVERABLE RFKILL HWPOISON"
      .split(" ")
      .flatMap((name, index) => (name === "" ? [] : [["E" + name, index + 1]])),
  ))() as {
  readonly EPERM: 1;
  readonly ENOENT: 2;
  readonly ESRCH: 3;
  readonly EINTR: 4;
  readonly EIO: 5;
  readonly ENXIO: 6;
  readonly E2BIG: 7;
  readonly ENOEXEC: 8;
  readonly EBADF: 9;
  readonly ECHILD: 10;
  readonly EAGAIN: 11;
  readonly ENOMEM: 12;
  readonly EACCES: 13;
  readonly EFAULT: 14;
  readonly ENOTBLK: 15;
  readonly EBUSY: 16;
  readonly EEXIST: 17;
  readonly EXDEV: 18;
  readonly ENODEV: 19;
  readonly ENOTDIR: 20;
  readonly EISDIR: 21;
  readonly EINVAL: 22;
  readonly ENFILE: 23;
  readonly EMFILE: 24;
  readonly ENOTTY: 25;
  readonly ETXTBSY: 26;
  readonly EFBIG: 27;
  readonly ENOSPC: 28;
  readonly ESPIPE: 29;
  readonly EROFS: 30;
  readonly EMLINK: 31;
  readonly EPIPE: 32;
  readonly EDOM: 33;
  readonly ERANGE: 34;
  readonly EDEADLK: 35;
  readonly ENAMETOOLONG: 36;
  readonly ENOLCK: 37;
  readonly ENOSYS: 38;
  readonly ENOTEMPTY: 39;
  readonly ELOOP: 40;
  readonly ENOMSG: 42;
  readonly EIDRM: 43;
  readonly ECHRNG: 44;
  readonly EL2NSYNC: 45;
  readonly EL3HLT: 46;
  readonly EL3RST: 47;
  readonly ELNRNG: 48;
  readonly EUNATCH: 49;
  readonly ENOCSI: 50;
  readonly EL2HLT: 51;
  readonly EBADE: 52;
  readonly EBADR: 53;
  readonly EXFULL: 54;
  readonly ENOANO: 55;
  readonly EBADRQC: 56;
  readonly EBADSLT: 57;
  readonly EBFONT: 59;
  readonly ENOSTR: 60;
  readonly ENODATA: 61;
  readonly ETIME: 62;
  readonly ENOSR: 63;
  readonly ENONET: 64;
  readonly ENOPKG: 65;
  readonly EREMOTE: 66;
  readonly ENOLINK: 67;
  readonly EADV: 68;
  readonly ESRMNT: 69;
  readonly ECOMM: 70;
  readonly EPROTO: 71;
  readonly EMULTIHOP: 72;
  readonly EDOTDOT: 73;
  readonly EBADMSG: 74;
  readonly EOVERFLOW: 75;
  readonly ENOTUNIQ: 76;
  readonly EBADFD: 77;
  readonly EREMCHG: 78;
  readonly ELIBACC: 79;
  readonly ELIBBAD: 80;
  readonly ELIBSCN: 81;
  readonly ELIBMAX: 82;
  readonly ELIBEXEC: 83;
  readonly EILSEQ: 84;
  readonly ERESTART: 85;
  readonly ESTRPIPE: 86;
  readonly EUSERS: 87;
  readonly ENOTSOCK: 88;
  readonly EDESTADDRREQ: 89;
  readonly EMSGSIZE: 90;
  readonly EPROTOTYPE: 91;
  readonly ENOPROTOOPT: 92;
  readonly EPROTONOSUPPORT: 93;
  readonly ESOCKTNOSUPPORT: 94;
  readonly EOPNOTSUPP: 95;
  readonly EPFNOSUPPORT: 96;
  readonly EAFNOSUPPORT: 97;
  readonly EADDRINUSE: 98;
  readonly EADDRNOTAVAIL: 99;
  readonly ENETDOWN: 100;
  readonly ENETUNREACH: 101;
  readonly ENETRESET: 102;
  readonly ECONNABORTED: 103;
  readonly ECONNRESET: 104;
  readonly ENOBUFS: 105;
  readonly EISCONN: 106;
  readonly ENOTCONN: 107;
  readonly ESHUTDOWN: 108;
  readonly ETOOMANYREFS: 109;
  readonly ETIMEDOUT: 110;
  readonly ECONNREFUSED: 111;
  readonly EHOSTDOWN: 112;
  readonly EHOSTUNREACH: 113;
  readonly EALREADY: 114;
  readonly EINPROGRESS: 115;
  readonly ESTALE: 116;
  readonly EUCLEAN: 117;
  readonly ENOTNAM: 118;
  readonly ENAVAIL: 119;
  readonly EISNAM: 120;
  readonly EREMOTEIO: 121;
  readonly EDQUOT: 122;
  readonly ENOMEDIUM: 123;
  readonly EMEDIUMTYPE: 124;
  readonly ECANCELED: 125;
  readonly ENOKEY: 126;
  readonly EKEYEXPIRED: 127;
  readonly EKEYREVOKED: 128;
  readonly EKEYREJECTED: 129;
  readonly EOWNERDEAD: 130;
  readonly ENOTRECOVERABLE: 131;
  readonly ERFKILL: 132;
  readonly EHWPOISON: 133;
};

/** The name of a Linux errno, as in `IommufdError.code`. */
export type ErrnoName = keyof typeof Errno;
