#pragma once

#include "git/text/quote.h"

namespace wafers::git {

class Config;      // git/repository/config.h
class Repository;  // git/repository/repository.h

/// Who is asked for, where a commit names two.
enum class IdentityRole { author, committer };

/// Repository::identity() for any configuration; `now` is taken where no date is set.
Identity identity_from(const Config& config, IdentityRole role, const Date& now);

/// The name in a reflog where none is configured: git then takes the login name.
Identity reflog_identity(const Config& config, const Date& now);

/// When an author writes whose name is given: GIT_AUTHOR_DATE, else now. Throws Error(failed) where
/// the date is malformed.
Date author_date(const Repository& repository);

/// A date as git takes it in GIT_AUTHOR_DATE. Throws Error(failed) where it is malformed, naming
/// the variable or option that it came by.
Date read_date(const std::string& text, const char* named_by);

/// This moment, in the local time zone.
Date current_date();

}  // namespace wafers::git
