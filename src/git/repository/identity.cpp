#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "git/program/git_program.h"
#include "git/repository/ident.h"
#include "git/repository/repository_impl.h"

namespace wafers::git {
namespace {

/// The names that one role's settings have.
struct RoleNames {
  const char* title;
  const char* name_variable;
  const char* email_variable;
  const char* date_variable;
  const char* name_key;
  const char* email_key;
};

const RoleNames& names_of(Repository::Role role) {
  static constexpr RoleNames kAuthor{"Author",          "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL",
                                     "GIT_AUTHOR_DATE", "author.name",     "author.email"};
  static constexpr RoleNames kCommitter{"Committer",           "GIT_COMMITTER_NAME",
                                        "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE",
                                        "committer.name",      "committer.email"};
  return role == Repository::Role::author ? kAuthor : kCommitter;
}

Error unknown(const RoleNames& names, const std::string& why) {
  return Error(ErrorKind::failed, std::string(names.title) + " identity unknown: " + why,
               "git config --global user.name \"Your Name\" && "
               "git config --global user.email \"you@example.com\"");
}

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

std::optional<std::string> non_empty(std::optional<std::string> value) {
  if (value && value->empty()) return std::nullopt;
  return value;
}

std::optional<std::string> first_of(const std::optional<std::string>& a,
                                    const std::optional<std::string>& b,
                                    const std::optional<std::string>& c) {
  if (a) return a;
  return b ? b : c;
}

/// A date in words, by git, which has no date to itself: only in an identity.
Date date_by_git(const std::string& text, const char* named_by) {
  const ProgramResult result = run_program(
      {"git", "var", "GIT_AUTHOR_IDENT"}, "/", {},
      {"LC_ALL=C", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=b", "GIT_AUTHOR_DATE=" + text});
  constexpr std::string_view kIdentity = "a <b> ";
  if (result.success() && result.output.starts_with(kIdentity)) {
    const std::string_view line = std::string_view(result.output).substr(kIdentity.size());
    const auto date = parse_raw_date("@" + std::string(line.substr(0, line.find('\n'))));
    if (date) return *date;
  }
  const bool malformed = result.errors.starts_with("fatal: invalid date format");
  throw Error(ErrorKind::failed,
              (malformed ? "invalid date format in " : "cannot read the date in ") +
                  std::string(named_by) + ": " + in_quotes(text) +
                  (malformed ? "" : ": " + printable(trimmed(result.errors))));
}

Date date_of(const RoleNames& names, const Date& now) {
  const std::optional<std::string> text = non_empty(variable(names.date_variable));
  return text ? read_date(*text, names.date_variable) : now;
}

}  // namespace

Date read_date(const std::string& text, const char* named_by) {
  const std::optional<Date> date = parse_raw_date(text);  // the usual two forms start no program
  return date ? *date : date_by_git(text, named_by);
}

Date current_date() {
  ::tzset();
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return Date{now, static_cast<int>(local.tm_gmtoff / 60)};
}

Identity identity_from(const Config& config, Repository::Role role, const Date& now) {
  const RoleNames& names = names_of(role);
  // ident.c: an empty setting in the configuration counts as none, an empty variable does not.
  const std::optional<std::string> name =
      first_of(variable(names.name_variable), non_empty(config.get(names.name_key)),
               non_empty(config.get("user.name")));
  std::optional<std::string> email =
      first_of(variable(names.email_variable), non_empty(config.get(names.email_key)),
               non_empty(config.get("user.email")));
  if (!email) email = non_empty(variable("EMAIL"));
  if (!name) throw unknown(names, "no name is set");
  if (!email) throw unknown(names, "no email is set");
  Identity who;
  who.name = clean_identity_part(*name);
  who.email = clean_identity_part(*email);
  if (name->empty()) throw unknown(names, "empty ident name (for <" + printable(*email) + ">)");
  if (who.name.empty()) {
    throw unknown(names, "name consists only of disallowed characters: " + in_quotes(*name));
  }
  const Date date = date_of(names, now);
  who.seconds = date.seconds;
  who.offset_minutes = date.offset_minutes;
  return who;
}

Date author_date(const Repository& repository) {
  return date_of(names_of(Repository::Role::author), RepositoryAccess::of(repository).start_date());
}

Identity reflog_identity(const Config& config, const Date& now) {
  try {
    return identity_from(config, Repository::Role::committer, now);
  } catch (const Error&) {
    std::array<char, 256> host{};
    const bool named = ::gethostname(host.data(), host.size() - 1) == 0;
    const passwd* user = ::getpwuid(::geteuid());
    const std::string login = user != nullptr ? user->pw_name : "unknown";
    return Identity{login, login + "@" + (named ? host.data() : "localhost"), now.seconds,
                    now.offset_minutes};
  }
}

Identity Repository::identity(Role role) const {
  return identity_from(impl_->config, role, impl_->start_date());
}

Identity default_identity(Repository::Role role) {
  return identity_from(Config::open_protected(), role, current_date());
}

}  // namespace wafers::git
