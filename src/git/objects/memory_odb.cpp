#include "git/objects/memory_odb.h"

#include <git2/sys/odb_backend.h>

#include <cstring>
#include <memory>
#include <utility>

#include "git/objects/library.h"

namespace wafers::git {
namespace {

/// Before the loose (1) and packed (2) backends of libgit2.
constexpr int kPriority = 1000;

struct Backend : git_odb_backend {
  const MemoryOdb* store = nullptr;
};

const MemoryOdb::Object* look_up(git_odb_backend* backend, const git_oid* oid) {
  return static_cast<Backend*>(backend)->store->find(from_library(*oid));
}

// No exception may leave these: libgit2 is C.

int read(void** data, std::size_t* size, git_object_t* type, git_odb_backend* backend,
         const git_oid* oid) {
  const MemoryOdb::Object* object = look_up(backend, oid);
  if (object == nullptr) return GIT_ENOTFOUND;
  const std::string& content = object->content;
  void* const copy = git_odb_backend_data_alloc(backend, content.size() + 1);
  if (copy == nullptr) return GIT_ERROR;
  std::memcpy(copy, content.data(), content.size());
  static_cast<char*>(copy)[content.size()] = '\0';
  *data = copy;
  *size = content.size();
  *type = object->type;
  return GIT_OK;
}

int read_header(std::size_t* size, git_object_t* type, git_odb_backend* backend,
                const git_oid* oid) {
  const MemoryOdb::Object* object = look_up(backend, oid);
  if (object == nullptr) return GIT_ENOTFOUND;
  *size = object->content.size();
  *type = object->type;
  return GIT_OK;
}

int exists(git_odb_backend* backend, const git_oid* oid) {
  return look_up(backend, oid) != nullptr ? 1 : 0;
}

void release(git_odb_backend* backend) { delete static_cast<Backend*>(backend); }

}  // namespace

void MemoryOdb::attach_to(git_odb* odb) {
  auto backend = std::make_unique<Backend>();
  check(git_odb_init_backend(backend.get(), GIT_ODB_BACKEND_VERSION), "cannot set up objects");
  backend->store = this;
  backend->read = read;
  backend->read_header = read_header;
  backend->exists = exists;
  backend->free = release;
  check(git_odb_add_backend(odb, backend.get(), kPriority), "cannot set up objects");
  (void)backend.release();  // the odb's now
}

void MemoryOdb::add(const Oid& oid, git_object_t type, std::string content) {
  const auto [at, added] = objects_.try_emplace(oid, Object{type, std::move(content)});
  if (!added) return;
  order_.push_back(oid);
  bytes_ += at->second.content.size();
}

const MemoryOdb::Object* MemoryOdb::find(const Oid& oid) const {
  const auto found = objects_.find(oid);
  return found == objects_.end() ? nullptr : &found->second;
}

void MemoryOdb::clear() {
  objects_.clear();
  order_.clear();
  bytes_ = 0;
}

std::vector<std::pair<Oid, std::string>> MemoryOdb::take(git_object_t type) {
  std::vector<std::pair<Oid, std::string>> taken;
  std::vector<Oid> left;
  for (const Oid& oid : order_) {
    const auto at = objects_.find(oid);
    if (at->second.type != type) {
      left.push_back(oid);
      continue;
    }
    bytes_ -= at->second.content.size();
    taken.emplace_back(oid, std::move(at->second.content));
    objects_.erase(at);
  }
  order_ = std::move(left);
  return taken;
}

}  // namespace wafers::git
