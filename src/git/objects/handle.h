#pragma once

#include <git2.h>

#include <memory>
#include <string_view>

namespace wafers::git {

/// Frees a libgit2 object with the function that libgit2 has for its type.
template <auto Free>
struct HandleDeleter {
  template <typename T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};

template <typename T, auto Free>
using Handle = std::unique_ptr<T, HandleDeleter<Free>>;

using RepositoryHandle = Handle<git_repository, git_repository_free>;
using ConfigHandle = Handle<git_config, git_config_free>;
using ConfigIteratorHandle = Handle<git_config_iterator, git_config_iterator_free>;
using OdbHandle = Handle<git_odb, git_odb_free>;
using OdbObjectHandle = Handle<git_odb_object, git_odb_object_free>;
using OdbStreamHandle = Handle<git_odb_stream, git_odb_stream_free>;
using CommitHandle = Handle<git_commit, git_commit_free>;
using TreeHandle = Handle<git_tree, git_tree_free>;
using PatchHandle = Handle<git_patch, git_patch_free>;

/// Lets a C function with an out-parameter fill a Handle: `git_odb_new(Out(odb))`. The handle owns
/// what came back from the end of that expression on.
template <typename H>
class Out {
 public:
  explicit Out(H& handle) noexcept : handle_(handle) {}
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;
  ~Out() { handle_.reset(raw_); }
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the argument itself
  operator typename H::pointer *() noexcept { return &raw_; }

 private:
  H& handle_;
  typename H::pointer raw_ = nullptr;
};

/// A git_buf that libgit2 fills.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { git_buf_dispose(&buffer_); }
  git_buf* get() noexcept { return &buffer_; }
  std::string_view view() const noexcept {
    return buffer_.ptr == nullptr ? std::string_view()
                                  : std::string_view(buffer_.ptr, buffer_.size);
  }

 private:
  git_buf buffer_{};
};

}  // namespace wafers::git
