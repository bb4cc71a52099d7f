#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wafers::cli {

/// A text of src/cli/manual, as it was written: what the help and the manual page of a command say
/// beside its usage and its options. It looks like Markdown, of which there is
///
///     a paragraph, with `code` in it
///     - `term`: what it is, in one line
///         four blanks before what is printed as it is
///     # The title of a section
///
/// What stands before the first title is the description. "Arguments" has an item for each
/// argument of the usage; "Examples" has commands, each with a paragraph that says what it does;
/// "Exit status" has what is special; "See also" is a list of names.
struct ManualText {
  std::string_view name;
  std::string_view text;
};
std::span<const ManualText> manual_texts();

struct ManualBlock {
  enum class Kind { paragraph, item, literal, example } kind = Kind::paragraph;
  std::string term;  ///< of an item; the command of an example
  std::string text;
};

struct ManualSection {
  std::string title;  ///< empty for the description
  std::vector<ManualBlock> blocks;
};

std::vector<ManualSection> parse_manual(std::string_view text);

/// The parsed text of that name, which must be there.
std::vector<ManualSection> manual_of(std::string_view name);

/// The section of that title; null where there is none.
const ManualSection* find_section(const std::vector<ManualSection>& sections,
                                  std::string_view title);

/// The parts of a command's usage that belong together: "<name>...", "[--at <mountpoint>]",
/// "-- <command>".
std::vector<std::string> usage_parts(std::string_view usage);

}  // namespace wafers::cli
