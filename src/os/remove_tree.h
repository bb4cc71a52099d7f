#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

namespace wafers {

/// Removes `path` with all below it; nothing there is fine. The content is hostile: it is walked by
/// descriptor, symlinks are removed and never followed, modes that stand in the way are changed,
/// depth is not limited, and another file system mounted below is left alone with an error.
/// Goes on past what can't be removed, then throws Error(failed) that names the first of it.
/// `removed` is called for each file and directory that is gone.
void remove_tree(const std::filesystem::path& path, const std::function<void()>& removed = {});

/// The same for a tree with no more than `most` files and directories in it. A larger one, or one
/// of more than some 60 levels, is left whole, and the answer is false.
bool remove_small_tree(const std::filesystem::path& path, std::size_t most);

/// The same for all that is in the directory, which stays.
void remove_children(const std::filesystem::path& directory);

}  // namespace wafers
