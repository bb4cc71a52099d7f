#include "cli/parser.h"

#include <algorithm>
#include <iterator>

#include "base/similar.h"
#include "base/text.h"
#include "cli/command_info.h"
#include "cli/help.h"

namespace wafers::cli {
Arguments split_arguments(std::vector<std::string> words) {
  Arguments arguments;
  const auto separator = std::ranges::find(words, "--");
  if (separator != words.end()) {
    arguments.tail.emplace(std::next(separator), words.end());
    words.erase(separator, words.end());
  }
  arguments.own = std::move(words);
  return arguments;
}

std::vector<std::string> with_tail(std::vector<std::string> positional,
                                   const Arguments& arguments) {
  if (arguments.tail) {
    positional.insert(positional.end(), arguments.tail->begin(), arguments.tail->end());
  }
  return positional;
}

Parser::Parser(const Command& command, const Arguments& arguments)
    : command_(command), arguments_(arguments) {
  app_.set_help_flag("-h,--help");
  app_.allow_extras();
}

OptionInfo& Parser::declared(const std::string& names, const std::string& placeholder,
                             const std::string& description) {
  options_.push_back({.names = split(names, ','),
                      .placeholder = placeholder,
                      .description = description,
                      .is_repeated = false,
                      .is_attached = false});
  return options_.back();
}

void Parser::flag(const std::string& names, bool& value, const std::string& description) {
  declared(names, {}, description);
  app_.add_flag(names, value);
}

void Parser::option(const std::string& names, std::optional<std::string>& value,
                    const std::string& placeholder, const std::string& description) {
  declared(names, placeholder, description);
  app_.add_option(names, value)->type_name("<" + placeholder + ">");
}

void Parser::repeated(const std::string& names, std::vector<std::string>& values,
                      const std::string& placeholder, const std::string& description) {
  declared(names, placeholder, description).is_repeated = true;
  app_.add_option(names, values)
      ->type_name("<" + placeholder + ">")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

void Parser::attached(const std::string& names, std::optional<std::string>& value,
                      const std::string& placeholder, const std::string& description) {
  const std::size_t comma = names.find(',');
  attached_.push_back({names.substr(0, comma), names.substr(comma + 1), &value});
  declared(names, placeholder, description).is_attached = true;
}

std::vector<std::string> Parser::long_names() const {
  std::vector<std::string> names;
  for (const OptionInfo& option : options_) {
    std::ranges::copy_if(option.names, std::back_inserter(names),
                         [](const std::string& name) { return name.starts_with("--"); });
  }
  return names;
}

/// "--al", "--ba=x" with the whole name, where there is one that is meant.
std::string Parser::in_full(const std::string& word) const {
  const std::size_t end = std::min(word.find('='), word.size());
  const std::string_view name = std::string_view(word).substr(0, end);
  if (!name.starts_with("--") || name.size() == 2) return word;
  std::vector<std::string> meant = long_names();
  if (std::ranges::count(meant, name) > 0) return word;
  std::erase_if(meant, [&](const std::string& known) { return !known.starts_with(name); });
  if (meant.empty()) return word;
  if (meant.size() == 1) return meant.front() + word.substr(end);
  throw usage("option " + in_quotes(name) + " is ambiguous: it may be " + joined(meant, " or "));
}

/// The words for CLI11.
std::vector<std::string> Parser::without_attached() const {
  std::vector<std::string> words;
  for (const std::string& given : arguments_.own) {
    const std::string word = in_full(given);
    const auto takes = [&](const Attached& option) {
      const bool is_short = word.starts_with(option.short_name);
      if (!is_short && word != option.long_name && !word.starts_with(option.long_name + "=")) {
        return false;
      }
      const std::size_t name = is_short ? option.short_name.size() : option.long_name.size() + 1;
      *option.value = word.size() > name ? word.substr(name) : std::string();
      return true;
    };
    if (std::ranges::none_of(attached_, takes)) words.push_back(word);
  }
  return words;
}

std::vector<std::string> Parser::parse() {
  declared("-h,--help", {}, "print this help");
  if (arguments_.describe) throw Description{options_};
  try {
    std::vector<std::string> words = without_attached();
    std::ranges::reverse(words);  // CLI11 takes a vector from its end.
    app_.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    throw HelpWanted{help_text(command_, options_)};
  } catch (const CLI::ParseError& error) {
    throw usage(printable(error.what()));
  }
  std::vector<std::string> positional = app_.remaining();
  for (const std::string& word : positional) {
    if (word.starts_with('-')) throw unknown(word);
  }
  return positional;
}

Error Parser::unknown(const std::string& option) const {
  const std::string name = option.substr(0, option.find('='));
  const Error error = usage("unknown option " + in_quotes(option));
  std::string hint = error.hint();
  if (command_.name.starts_with("git-")) {  // git's own may have it
    hint = "it takes " + joined(long_names(), ", ") + "; " + hint;
  }
  return Error(ErrorKind::usage, error.message(),
               did_you_mean(similar_to(name, long_names()), hint));
}

Error Parser::usage(const std::string& message) const {
  return Error(ErrorKind::usage, std::string(command_.name) + ": " + message,
               "see 'wafers help " + std::string(command_.name) + "'");
}

}  // namespace wafers::cli
