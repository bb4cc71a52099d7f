#include "base/stack.h"

#include <pthread.h>

#include <exception>

#include "base/error.h"

namespace wafers {
namespace {

struct Work {
  const std::function<void()>& run;
  std::exception_ptr thrown = {};
};

void* run_work(void* argument) {
  auto& work = *static_cast<Work*>(argument);
  try {
    work.run();
  } catch (...) {
    work.thrown = std::current_exception();
  }
  return nullptr;
}

}  // namespace

void on_stack_of(std::size_t size, const std::function<void()>& work) {
  Work wanted{.run = work};
  pthread_attr_t attributes;
  int err = ::pthread_attr_init(&attributes);
  if (err != 0) throw Error::system(err, "cannot start a thread");
  pthread_t thread{};
  err = ::pthread_attr_setstacksize(&attributes, size);
  if (err == 0) err = ::pthread_create(&thread, &attributes, run_work, &wanted);
  ::pthread_attr_destroy(&attributes);
  if (err != 0) throw Error::system(err, "cannot start a thread");
  ::pthread_join(thread, nullptr);
  if (wanted.thrown) std::rethrow_exception(wanted.thrown);
}

}  // namespace wafers
