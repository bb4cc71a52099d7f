#include "cli/manual.h"

#include <algorithm>

#include "base/text.h"

namespace wafers::cli {
namespace {

constexpr std::string_view kLiteral = "    ";
constexpr std::string_view kItem = "- `";
constexpr std::string_view kBehindTerm = "`: ";

using Kind = ManualBlock::Kind;

/// One line more of a block, or the first of a new one behind an empty line.
void add_line(std::vector<ManualBlock>& blocks, std::string_view line, bool begins) {
  if (line.starts_with(kItem)) {
    line.remove_prefix(kItem.size());
    const std::size_t end = line.find(kBehindTerm);
    blocks.push_back({Kind::item, std::string(line.substr(0, end)),
                      std::string(line.substr(end + kBehindTerm.size()))});
    return;
  }
  const Kind kind = line.starts_with(kLiteral) ? Kind::literal : Kind::paragraph;
  if (kind == Kind::literal) line.remove_prefix(kLiteral.size());
  if (begins || blocks.empty() || blocks.back().kind != kind) {
    blocks.push_back({kind, {}, std::string(line)});
  } else {
    blocks.back().text += (kind == Kind::literal ? "\n" : " ") + std::string(line);
  }
}

/// Commands and what is said of them, as pairs.
std::vector<ManualBlock> as_examples(const std::vector<ManualBlock>& blocks) {
  std::vector<ManualBlock> examples;
  for (const ManualBlock& block : blocks) {
    if (block.kind == Kind::literal) {
      examples.push_back({Kind::example, block.text, {}});
    } else if (!examples.empty()) {
      examples.back().text += block.text;
    }
  }
  return examples;
}

}  // namespace

std::vector<ManualSection> parse_manual(std::string_view text) {
  std::vector<ManualSection> sections(1);
  bool begins = true;
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with("# ")) {
      sections.push_back({line.substr(2), {}});
    } else if (!line.empty()) {
      add_line(sections.back().blocks, line, begins);
    }
    begins = line.empty();
  }
  for (ManualSection& section : sections) {
    if (section.title == "Examples") section.blocks = as_examples(section.blocks);
  }
  return sections;
}

std::vector<ManualSection> manual_of(std::string_view name) {
  const auto texts = manual_texts();
  return parse_manual(std::ranges::find(texts, name, &ManualText::name)->text);
}

const ManualSection* find_section(const std::vector<ManualSection>& sections,
                                  std::string_view title) {
  const auto found = std::ranges::find(sections, title, &ManualSection::title);
  return found == sections.end() ? nullptr : &*found;
}

std::vector<std::string> usage_parts(std::string_view usage) {
  std::vector<std::string> parts;
  int depth = 0;
  bool begins = true;
  for (const char c : usage) {
    if (c == ' ' && depth == 0) {
      begins = true;
      continue;
    }
    if (begins && !parts.empty() && parts.back() == "--") {
      parts.back() += ' ';
    } else if (begins) {
      parts.emplace_back();
    }
    begins = false;
    parts.back() += c;
    if (std::string_view("[(<").find(c) != std::string_view::npos) ++depth;
    if (std::string_view("])>").find(c) != std::string_view::npos) --depth;
  }
  return parts;
}

}  // namespace wafers::cli
