#pragma once

#include <string>

#include "core/state/store.h"

namespace wafers {

/// A PrepareLayers: where the wafer's base is live and has moved, makes its layers show the base
/// commit again, which costs what the commits differ by, saves that in its record, and tells
/// of it. Throws Error(failed) where the repository is gone or the difference can't be written:
/// the record is as it was.
void heal(LockedWafer& wafer);

class Bases;  // core/base/bases.h
namespace git {
class Repository;  // git/repository/repository.h
}

/// The part of it that makes the layers, and changes nothing but `wafer` in memory: `head` is where
/// its base has moved to. They are kept from being taken away as long as `bases` lives, or until a
/// record names them. Throws as heal() does.
void show_base_commit(Wafer& wafer, const std::string& head, const git::Repository& repository,
                      Bases& bases);

/// Mounts a view, healed, that a command took away and that is to be there after it. Where that
/// can't be, the next command mounts it.
void mount_again(LockedWafer& wafer) noexcept;

}  // namespace wafers
