#include <cerrno>
#include <cstring>
#include <string>

#include "addon/addon.h"
#include "addon/results.h"
#include "port/port.h"

// The flat functions on processes; lib/store/binding.ts says what each takes and gives.

namespace mobula::addon {
namespace {

using Napi::CallbackInfo;
using Napi::Env;
using Napi::Value;

Value die_with_parent(const CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), port::die_with_parent(to_uint32(info[0])));
}

Value child_end(const CallbackInfo& info) {
  std::optional<int> end = port::child_end(to_uint32(info[0]));
  return end ? number(info.Env(), *end) : info.Env().Undefined();
}

Value pipe_create(const CallbackInfo& info) {
  Env env = info.Env();
  int read_end = -1, write_end = -1;
  if (int error = port::pipe_create(&read_end, &write_end)) {
    Status status(Code::kSystem, std::string("cannot make a pipe: ") + strerror(error));
    failed(env, status);
    return {};
  }
  Napi::Array ends = Napi::Array::New(env, 2);
  ends.Set(0u, number(env, read_end));
  ends.Set(1u, number(env, write_end));
  return ends;
}

void descriptor_close(const CallbackInfo& info) {
  port::file_close(info[0].As<Napi::Number>().Int32Value());
}

// The descriptor that keeps the name, undefined when somebody else has it.
Value name_claim(const CallbackInfo& info) {
  Env env = info.Env();
  std::string name = info[0].As<Napi::String>();
  int fd = -1;
  int error = port::name_claim(name.c_str(), &fd);
  if (error == EADDRINUSE) return env.Undefined();
  if (error != 0) {
    Status status(Code::kSystem, "cannot claim a name: " + std::string(strerror(error)));
    failed(env, status);
    return {};
  }
  return number(env, fd);
}

}  // namespace

void export_process_functions(Env env, Napi::Object exports) {
  exports.Set("childEnd", Napi::Function::New<child_end>(env, "childEnd"));
  exports.Set("descriptorClose", Napi::Function::New<descriptor_close>(env, "descriptorClose"));
  exports.Set("dieWithParent", Napi::Function::New<die_with_parent>(env, "dieWithParent"));
  exports.Set("nameClaim", Napi::Function::New<name_claim>(env, "nameClaim"));
  exports.Set("pipeCreate", Napi::Function::New<pipe_create>(env, "pipeCreate"));
}

}  // namespace mobula::addon
