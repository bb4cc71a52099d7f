#pragma once

#include <string>
#include <vector>

#include "core/state/wafer.h"
#include "git/objects/object_store.h"
#include "git/repository/repository.h"

namespace wafers {

/// What content of a wafer's upper is compared with.
struct ComparedTrees {
  git::Oid base;  ///< what the layers show
  git::Oid tip;
};

/// Paths, in byte order, of files in the upper whose content was taken from a commit to which a
/// live base has moved: such a change was not made by the agent, and a commit would undo or repeat
/// somebody else's. That is a file of a path that the move changed, that is younger than that
/// change, that isn't committed as it is, and that holds a part of the change (for a binary file,
/// whose parts can't be told, anything but the base's content). Of those in `paths` only, if any
/// are given, as clean_paths() has them. Costs nothing where the base has not moved. Content that a
/// filter program converts is taken as the file has it, and may be missed. Throws Error(failed).
std::vector<std::string> taken_from_moved_base(const Wafer& wafer,
                                               const git::Repository& repository,
                                               git::ObjectStore& objects,
                                               const ComparedTrees& trees,
                                               const std::vector<std::string>& paths = {});

/// What the upper holds by now isn't taken from commits to which a base moves from now on, whenever
/// the checkout's files were changed. Throws Error(failed).
void call_own(const Wafer& wafer);

/// The commits, hexadecimal, from which something can have been taken like that.
std::vector<std::string> moves_seen(const Wafer& wafer);

/// Notes in `wafer` what is to be remembered of that when its view is about to show the base commit
/// again: what is written from then on was not taken from there.
void remember_taken(Wafer& wafer, const git::Repository& repository, const ComparedTrees& trees);

/// Throws Error(refused), naming them, where there are any.
void refuse_taken(const Wafer& wafer, const std::vector<std::string>& taken,
                  const std::string& doing);

}  // namespace wafers
