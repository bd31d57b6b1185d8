// Lets the addon, built beside a newer glibc, run beside 2.28, the oldest that Node's own binaries
// accept. What glibc has since moved into libc.so under a new version is bound to the version that
// it had before, which newer ones keep; what is newer than 2.28 is defined here. Each symbol is a
// hidden one of the addon's, so the objects of libstdc++ find it too. Not for the core's tests:
// sanitizers want these names. Before 2.34 some are in libpthread or libdl, which Node has loaded.

#include <features.h>

#if defined(__GLIBC__)

#if defined(__x86_64__)
#define FIRST GLIBC_2.2.5
#define ROBUST GLIBC_2.12
#elif defined(__aarch64__)
#define FIRST GLIBC_2.17
#define ROBUST GLIBC_2.17
#else
#error "State the first version of glibc for this architecture"
#endif

.macro begin_function name
  .section .text.\name, "ax", %progbits
  .balign 16
  .globl \name
  .hidden \name
  .type \name, %function
\name:
#if defined(__x86_64__)
  endbr64
#endif
.endm

.macro go_to_versioned old, name, version
  .symver \old, \name@\version
#if defined(__x86_64__)
  jmp *\old@GOTPCREL(%rip)
#else
  b \old
#endif
.endm

.macro end_function name
  .size \name, . - \name
.endm

.macro use name, version
  begin_function \name
  go_to_versioned old_\name, \name, \version
  end_function \name
.endm

// stat(2) and its like had no symbols of their own before 2.33, but this one, which takes the
// version of the structure, 1 on x64 and 0 on arm64, ahead of the other arguments.
.macro use_with_structure_version name, old_name, version
  begin_function \name
#if defined(__x86_64__)
  movq %rsi, %rdx
  movq %rdi, %rsi
  movl $1, %edi
#else
  mov x2, x1
  mov x1, x0
  mov w0, #0
#endif
  go_to_versioned old_\name, \old_name, \version
  end_function \name
.endm

use dlsym, FIRST
use pthread_attr_setstacksize, FIRST
use pthread_create, FIRST
use pthread_mutex_consistent, ROBUST
use pthread_mutex_timedlock, FIRST
use pthread_mutex_trylock, FIRST
use pthread_mutexattr_destroy, FIRST
use pthread_mutexattr_init, FIRST
use pthread_mutexattr_setpshared, FIRST
use pthread_mutexattr_setrobust, ROBUST
use pthread_setname_np, ROBUST
use pthread_sigmask, FIRST

use_with_structure_version stat64, __xstat64, FIRST
use_with_structure_version fstat64, __fxstat64, FIRST

// libstdc++ asks whether plain counting will do in a shared_ptr: never.
  .section .bss.__libc_single_threaded, "aw", %nobits
  .globl __libc_single_threaded
  .hidden __libc_single_threaded
  .type __libc_single_threaded, %object
  .size __libc_single_threaded, 1
__libc_single_threaded:
  .zero 1

#endif

  .section .note.GNU-stack, "", %progbits
