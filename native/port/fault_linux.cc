#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "port/port.h"

namespace mobula::port {
namespace {

// Set before the handler is installed, constant afterwards.
bool (*explain_fault)(const void* address) = nullptr;
struct sigaction previous;

// SIGSEGV is blocked here, so that it comes when the handler returns: before the faulting
// instruction is tried again, which another thread may have made possible meanwhile.
void end_by(int signal) {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);
  raise(signal);
}

// V8's handler for WebAssembly's memory accesses is one that Node installs at its start.
void pass_on(int signal, siginfo_t* info, void* context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
    end_by(signal);
  } else {
    previous.sa_handler(signal);
  }
}

// Read-only memory refuses nothing but writing; a page that is not there is SEGV_MAPERR.
void on_fault(int signal, siginfo_t* info, void* context) {
  if (info->si_code == SEGV_ACCERR && explain_fault(info->si_addr)) {
    end_by(signal);
  } else {
    pass_on(signal, info, context);
  }
}

}  // namespace

int protect(void* address, uint64_t length, bool writable) {
  int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  return mprotect(address, length, protection) == 0 ? 0 : errno;
}

int explain_write_faults(bool (*explain)(const void* address)) {
  if (sigaction(SIGSEGV, nullptr, &previous) != 0) return errno;
  explain_fault = explain;
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_mask = previous.sa_mask;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  return sigaction(SIGSEGV, &action, nullptr) == 0 ? 0 : errno;
}

void write_error(const char* text, size_t length) {
  while (length > 0) {
    ssize_t written = write(STDERR_FILENO, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;
    text += written;
    length -= static_cast<size_t>(written);
  }
}

}  // namespace mobula::port
