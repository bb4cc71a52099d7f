#include "cli/help.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/text.h"
#include "cli/command.h"
#include "cli/manual.h"

namespace wafers::cli {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kIndent = 2;

/// Code in quotes, if it would not be told from the text: several words, or signs alone.
std::string without_marks(std::string_view text) {
  std::string plain;
  bool is_code = false;
  for (const std::string& piece : split(text, '`')) {
    const bool is_word =
        std::ranges::any_of(piece, [](unsigned char c) { return std::isalnum(c); });
    const bool quoted = is_code && (!is_word || piece.find(' ') != std::string::npos);
    plain += quoted ? "'" + piece + "'" : piece;
    is_code = !is_code;
  }
  return plain;
}

std::string wrapped_words(const std::vector<std::string>& words, std::size_t begin,
                          std::size_t indent) {
  std::string text;
  std::size_t column = begin;
  bool begins = true;
  for (const std::string& word : words) {
    if (!begins && column + 1 + word.size() > kColumns) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
      begins = true;
    }
    text += (begins ? "" : " ") + word;
    column += (begins ? 0 : 1) + word.size();
    begins = false;
  }
  return text + "\n";
}

/// `text` in lines with `indent` blanks before each but the first, which begins at column `begin`.
std::string wrapped(std::string_view text, std::size_t begin, std::size_t indent) {
  return wrapped_words(split(without_marks(text), ' '), begin, indent);
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Terms in a column, and what they are beside them.
std::string two_columns(const Pairs& pairs) {
  constexpr std::size_t kMost = 26;
  constexpr std::size_t kGap = 2;
  std::size_t width = 0;
  for (const auto& [term, text] : pairs) {
    if (term.size() <= kMost) width = std::max(width, term.size());
  }
  const std::size_t column = kIndent + width + kGap;
  std::string lines;
  for (const auto& [term, text] : pairs) {
    lines += std::string(kIndent, ' ') + term;
    lines += term.size() <= width ? std::string(width + kGap - term.size(), ' ')
                                  : "\n" + std::string(column, ' ');
    lines += wrapped(text, column, column);
  }
  return lines;
}

std::string examples(const ManualSection& section) {
  std::string lines;
  for (const ManualBlock& block : section.blocks) {
    lines += std::string(kIndent, ' ') + block.term + "\n" + std::string(3 * kIndent, ' ') +
             wrapped(block.text, 3 * kIndent, 3 * kIndent);
  }
  return lines;
}

/// Paragraphs, and lists of items.
std::string body(const ManualSection& section) {
  std::string lines;
  Pairs items;
  for (const ManualBlock& block : section.blocks) {
    if (block.kind == ManualBlock::Kind::item) {
      items.emplace_back(block.term, block.text);
      continue;
    }
    if (!items.empty()) lines += two_columns(std::exchange(items, {}));
    if (!lines.empty()) lines += "\n";
    lines += wrapped(block.text, 0, 0);
  }
  return lines + two_columns(items);
}

std::string option_list(const std::vector<OptionInfo>& options) {
  Pairs described;
  for (const OptionInfo& option : options) {
    described.emplace_back(shown(option), option.description);
  }
  return two_columns(described);
}

std::string titled(std::string_view title, const std::string& text) {
  return "\n" + std::string(title) + ":\n" + text;
}

}  // namespace

std::string shown(const OptionInfo& option) {
  std::string text = joined(option.names, ", ");
  if (option.placeholder.empty()) return text;
  const bool is_name = option.placeholder.find_first_of("|=") == std::string::npos;
  const std::string value = is_name ? "<" + option.placeholder + ">" : option.placeholder;
  return text + (option.is_attached ? "[=" + value + "]" : " " + value);
}

std::vector<OptionInfo> common_options() {
  std::vector<OptionInfo> options;
  const std::vector<ManualSection> manual = manual_of("wafers");
  for (const ManualBlock& block : find_section(manual, "Options")->blocks) {
    if (block.kind != ManualBlock::Kind::item) continue;
    OptionInfo& option = options.emplace_back();
    for (const std::string& name : split(block.term, ',')) option.names.emplace_back(trimmed(name));
    option.description = block.text;
  }
  return options;
}

std::string overview() {
  Pairs commands;
  for (const Command& command : all_commands()) {
    commands.emplace_back(command.name, command.summary);
  }
  return "Usage: wafers [<options>] <command> [<arguments>]\n\n"
         "Writable views of one Git checkout, each on a branch of its own.\n"
         "A file is copied when it is written, and not before.\n" +
         titled("Commands", two_columns(commands)) +
         titled("Options", option_list(common_options())) +
         "\n'wafers help <command>' tells more about one. 'wafers doctor' checks this host.\n";
}

std::string help_text(const Command& command, const std::vector<OptionInfo>& options) {
  std::vector<std::string> usage = usage_parts(command.usage);
  usage.insert(usage.begin(), "Usage: wafers " + std::string(command.name));
  std::string help = wrapped_words(usage, 0, usage.front().size() + 1) + "\n" +
                     std::string(command.summary) + ".\n\n";
  const std::vector<ManualSection> manual = manual_of(command.name);
  help += body(manual.front());
  if (const ManualSection* arguments = find_section(manual, "Arguments")) {
    help += titled(arguments->title, body(*arguments));
  }
  help += titled("Options", option_list(options));
  for (const ManualSection& section : manual) {
    if (section.title == "Examples") help += titled(section.title, examples(section));
    if (section.title == "Exit status") help += titled(section.title, body(section));
  }
  return help;
}

}  // namespace wafers::cli
