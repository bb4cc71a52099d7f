#include "git/objects/blob_hasher.h"

#include <git2/sys/odb_backend.h>

#include <cstddef>
#include <memory>

#include "git/objects/library.h"

namespace wafers::git {
namespace {

int discard(git_odb_stream* /*stream*/, const char* /*data*/, std::size_t /*size*/) {
  return GIT_OK;
}

int discard_all(git_odb_stream* /*stream*/, const git_oid* /*oid*/) { return GIT_OK; }

void free_stream(git_odb_stream* stream) { delete stream; }

int open_stream(git_odb_stream** out, git_odb_backend* backend, git_object_size_t /*size*/,
                git_object_t /*type*/) {
  auto* stream = new (std::nothrow) git_odb_stream{};
  if (stream == nullptr) return GIT_ERROR;
  stream->backend = backend;
  stream->mode = GIT_STREAM_WRONLY;
  stream->write = discard;
  stream->finalize_write = discard_all;
  stream->free = free_stream;
  *out = stream;
  return GIT_OK;
}

void free_backend(git_odb_backend* backend) { delete backend; }

}  // namespace

BlobHasher::BlobHasher() {
  constexpr const char* kDoing = "cannot set up hashing";
  ensure_library();
  check(git_odb_new(Out(odb_)), kDoing);
  auto backend = std::make_unique<git_odb_backend>();
  check(git_odb_init_backend(backend.get(), GIT_ODB_BACKEND_VERSION), kDoing);
  backend->writestream = open_stream;
  backend->free = free_backend;
  check(git_odb_add_backend(odb_.get(), backend.get(), 1), kDoing);
  (void)backend.release();  // the odb's now
}

void BlobHasher::begin(std::uint64_t size) {
  check(git_odb_open_wstream(Out(stream_), odb_.get(), size, GIT_OBJECT_BLOB), "cannot hash");
}

void BlobHasher::update(std::string_view piece) {
  check(git_odb_stream_write(stream_.get(), piece.data(), piece.size()), "cannot hash");
}

Oid BlobHasher::finish() {
  git_oid oid;
  check(git_odb_stream_finalize_write(&oid, stream_.get()), "cannot hash");
  stream_.reset();
  return from_library(oid);
}

}  // namespace wafers::git
