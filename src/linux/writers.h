#pragma once

#include <filesystem>

namespace wafers {

/// Whether no process can write the file that is open for reading as `fd` without opening it first:
/// none has it open for writing, or keeps a shared mapping of what it had open. Through such a
/// mapping a page can be changed once more, and the file's times stay what they are. False where
/// that can't be told: on a file of another user, on a file system without leases.
bool has_no_writer(int fd);

/// Whether the file system of `directory` changes a file's times by no means whenever a store
/// through a new mapping changes the file: tmpfs, which has nothing to write back.
bool hides_stores(const std::filesystem::path& directory);

}  // namespace wafers
