// SPDX-License-Identifier: GPL-2.0-only
//
// The text of an errno: 16 -> "Device or resource busy".
//
// These are glibc's English texts, because they are what strace, perror and every other tool on Linux print. Users of
// musl see other words for some numbers. The texts never depend on the host's language.
//
// Invariant: every constant of ../errno.ts has its case here, and no number is written.
// Counterpart: strerrordesc_np() of glibc.

import * as errno from "../errno";

/** The text for a positive errno, or null where Linux has none. */
export function errnoText(number: i32): string | null {
  switch (number) {
    case errno.EPERM:
      return "Operation not permitted";
    case errno.ENOENT:
      return "No such file or directory";
    case errno.ESRCH:
      return "No such process";
    case errno.EINTR:
      return "Interrupted system call";
    case errno.EIO:
      return "Input/output error";
    case errno.ENXIO:
      return "No such device or address";
    case errno.E2BIG:
      return "Argument list too long";
    case errno.ENOEXEC:
      return "Exec format error";
    case errno.EBADF:
      return "Bad file descriptor";
    case errno.ECHILD:
      return "No child processes";
    case errno.EAGAIN:
      return "Resource temporarily unavailable";
    case errno.ENOMEM:
      return "Cannot allocate memory";
    case errno.EACCES:
      return "Permission denied";
    case errno.EFAULT:
      return "Bad address";
    case errno.ENOTBLK:
      return "Block device required";
    case errno.EBUSY:
      return "Device or resource busy";
    case errno.EEXIST:
      return "File exists";
    case errno.EXDEV:
      return "Invalid cross-device link";
    case errno.ENODEV:
      return "No such device";
    case errno.ENOTDIR:
      return "Not a directory";
    case errno.EISDIR:
      return "Is a directory";
    case errno.EINVAL:
      return "Invalid argument";
    case errno.ENFILE:
      return "Too many open files in system";
    case errno.EMFILE:
      return "Too many open files";
    case errno.ENOTTY:
      return "Inappropriate ioctl for device";
    case errno.ETXTBSY:
      return "Text file busy";
    case errno.EFBIG:
      return "File too large";
    case errno.ENOSPC:
      return "No space left on device";
    case errno.ESPIPE:
      return "Illegal seek";
    case errno.EROFS:
      return "Read-only file system";
    case errno.EMLINK:
      return "Too many links";
    case errno.EPIPE:
      return "Broken pipe";
    case errno.EDOM:
      return "Numerical argument out of domain";
    case errno.ERANGE:
      return "Numerical result out of range";
    case errno.EDEADLK:
      return "Resource deadlock avoided";
    case errno.ENAMETOOLONG:
      return "File name too long";
    case errno.ENOLCK:
      return "No locks available";
    case errno.ENOSYS:
      return "Function not implemented";
    case errno.ENOTEMPTY:
      return "Directory not empty";
    case errno.ELOOP:
      return "Too many levels of symbolic links";
    case errno.ENOMSG:
      return "No message of desired type";
    case errno.EIDRM:
      return "Identifier removed";
    case errno.ECHRNG:
      return "Channel number out of range";
    case errno.EL2NSYNC:
      return "Level 2 not synchronized";
    case errno.EL3HLT:
      return "Level 3 halted";
    case errno.EL3RST:
      return "Level 3 reset";
    case errno.ELNRNG:
      return "Link number out of range";
    case errno.EUNATCH:
      return "Protocol driver not attached";
    case errno.ENOCSI:
      return "No CSI structure available";
    case errno.EL2HLT:
      return "Level 2 halted";
    case errno.EBADE:
      return "Invalid exchange";
    case errno.EBADR:
      return "Invalid request descriptor";
    case errno.EXFULL:
      return "Exchange full";
    case errno.ENOANO:
      return "No anode";
    case errno.EBADRQC:
      return "Invalid request code";
    case errno.EBADSLT:
      return "Invalid slot";
    case errno.EBFONT:
      return "Bad font file format";
    case errno.ENOSTR:
      return "Device not a stream";
    case errno.ENODATA:
      return "No data available";
    case errno.ETIME:
      return "Timer expired";
    case errno.ENOSR:
      return "Out of streams resources";
    case errno.ENONET:
      return "Machine is not on the network";
    case errno.ENOPKG:
      return "Package not installed";
    case errno.EREMOTE:
      return "Object is remote";
    case errno.ENOLINK:
      return "Link has been severed";
    case errno.EADV:
      return "Advertise error";
    case errno.ESRMNT:
      return "Srmount error";
    case errno.ECOMM:
      return "Communication error on send";
    case errno.EPROTO:
      return "Protocol error";
    case errno.EMULTIHOP:
      return "Multihop attempted";
    case errno.EDOTDOT:
      return "RFS specific error";
    case errno.EBADMSG:
      return "Bad message";
    case errno.EOVERFLOW:
      return "Value too large for defined data type";
    case errno.ENOTUNIQ:
      return "Name not unique on network";
    case errno.EBADFD:
      return "File descriptor in bad state";
    case errno.EREMCHG:
      return "Remote address changed";
    case errno.ELIBACC:
      return "Can not access a needed shared library";
    case errno.ELIBBAD:
      return "Accessing a corrupted shared library";
    case errno.ELIBSCN:
      return ".lib section in a.out corrupted";
    case errno.ELIBMAX:
      return "Attempting to link in too many shared libraries";
    case errno.ELIBEXEC:
      return "Cannot exec a shared library directly";
    case errno.EILSEQ:
      return "Invalid or incomplete multibyte or wide character";
    case errno.ERESTART:
      return "Interrupted system call should be restarted";
    case errno.ESTRPIPE:
      return "Streams pipe error";
    case errno.EUSERS:
      return "Too many users";
    case errno.ENOTSOCK:
      return "Socket operation on non-socket";
    case errno.EDESTADDRREQ:
      return "Destination address required";
    case errno.EMSGSIZE:
      return "Message too long";
    case errno.EPROTOTYPE:
      return "Protocol wrong type for socket";
    case errno.ENOPROTOOPT:
      return "Protocol not available";
    case errno.EPROTONOSUPPORT:
      return "Protocol not supported";
    case errno.ESOCKTNOSUPPORT:
      return "Socket type not supported";
    case errno.EOPNOTSUPP:
      return "Operation not supported";
    case errno.EPFNOSUPPORT:
      return "Protocol family not supported";
    case errno.EAFNOSUPPORT:
      return "Address family not supported by protocol";
    case errno.EADDRINUSE:
      return "Address already in use";
    case errno.EADDRNOTAVAIL:
      return "Cannot assign requested address";
    case errno.ENETDOWN:
      return "Network is down";
    case errno.ENETUNREACH:
      return "Network is unreachable";
    case errno.ENETRESET:
      return "Network dropped connection on reset";
    case errno.ECONNABORTED:
      return "Software caused connection abort";
    case errno.ECONNRESET:
      return "Connection reset by peer";
    case errno.ENOBUFS:
      return "No buffer space available";
    case errno.EISCONN:
      return "Transport endpoint is already connected";
    case errno.ENOTCONN:
      return "Transport endpoint is not connected";
    case errno.ESHUTDOWN:
      return "Cannot send after transport endpoint shutdown";
    case errno.ETOOMANYREFS:
      return "Too many references: cannot splice";
    case errno.ETIMEDOUT:
      return "Connection timed out";
    case errno.ECONNREFUSED:
      return "Connection refused";
    case errno.EHOSTDOWN:
      return "Host is down";
    case errno.EHOSTUNREACH:
      return "No route to host";
    case errno.EALREADY:
      return "Operation already in progress";
    case errno.EINPROGRESS:
      return "Operation now in progress";
    case errno.ESTALE:
      return "Stale file handle";
    case errno.EUCLEAN:
      return "Structure needs cleaning";
    case errno.ENOTNAM:
      return "Not a XENIX named type file";
    case errno.ENAVAIL:
      return "No XENIX semaphores available";
    case errno.EISNAM:
      return "Is a named type file";
    case errno.EREMOTEIO:
      return "Remote I/O error";
    case errno.EDQUOT:
      return "Disk quota exceeded";
    case errno.ENOMEDIUM:
      return "No medium found";
    case errno.EMEDIUMTYPE:
      return "Wrong medium type";
    case errno.ECANCELED:
      return "Operation canceled";
    case errno.ENOKEY:
      return "Required key not available";
    case errno.EKEYEXPIRED:
      return "Key has expired";
    case errno.EKEYREVOKED:
      return "Key has been revoked";
    case errno.EKEYREJECTED:
      return "Key was rejected by service";
    case errno.EOWNERDEAD:
      return "Owner died";
    case errno.ENOTRECOVERABLE:
      return "State not recoverable";
    case errno.ERFKILL:
      return "Operation not possible due to RF-kill";
    case errno.EHWPOISON:
      return "Memory page has hardware error";
  }
  return null;
}
