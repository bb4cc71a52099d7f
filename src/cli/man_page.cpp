#include "cli/man_page.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "cli/described.h"
#include "cli/help.h"
#include "cli/manual.h"

namespace wafers::cli {
namespace {

using Kind = ManualBlock::Kind;

/// As it is, for words that are typed: groff makes typographic signs of some (groff_char(7)).
std::string literal(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      case '`':
        escaped += "\\(ga";
        break;
      case '^':
        escaped += "\\(ha";
        break;
      case '~':
        escaped += "\\(ti";
        break;
      case '"':
        escaped += "\\(dq";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string bold(std::string_view text) { return "\\fB" + literal(text) + "\\fP"; }
std::string italic(std::string_view text) { return "\\fI" + literal(text) + "\\fP"; }

/// What is typed in bold, what it stands for in italics: "--at <dir>".
std::string typed(std::string_view text) {
  std::string marked;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find('<'), text.size());
    if (begin > 0) marked += bold(text.substr(0, begin));
    text.remove_prefix(begin);
    const std::size_t length = std::min(text.find('>'), text.size() - 1) + 1;
    if (text.empty()) break;
    marked += italic(text.substr(0, length));
    text.remove_prefix(length);
  }
  return marked;
}

/// "wafers-add(1)," among the words of a sentence.
bool names_page(std::string_view word) {
  const std::size_t bracket = word.find('(');
  return bracket != std::string_view::npos && bracket > 0 && word.size() > bracket + 2 &&
         std::isdigit(static_cast<unsigned char>(word[bracket + 1])) != 0 &&
         word[bracket + 2] == ')';
}

std::string page_named(std::string_view word) {
  const std::size_t bracket = word.find('(');
  return bold(word.substr(0, bracket)) + literal(word.substr(bracket));
}

std::string prose(std::string_view text) {
  std::string marked;
  bool is_code = false;
  for (const std::string& piece : split(text, '`')) {
    if (is_code) {
      marked += typed(piece);
    } else {
      bool begins = true;
      for (const std::string& word : split(piece, ' ')) {
        marked += (begins ? "" : " ") + (names_page(word) ? page_named(word) : literal(word));
        begins = false;
      }
    }
    is_code = !is_code;
  }
  return marked;
}

/// A line of input, which is no request even if it begins with a dot.
std::string line(const std::string& text) {
  return (text.starts_with('.') ? "\\&" : "") + text + "\n";
}

std::string term(const std::string& marked, const std::string& text) {
  return ".TP\n" + line(marked) + line(prose(text));
}

std::string displayed(std::string_view text) {
  std::string lines;
  for (const std::string& one : split(text, '\n')) lines += line(literal(one));
  return ".in +4n\n.EX\n" + lines + ".EE\n.in\n";
}

std::string page_body(const std::vector<ManualBlock>& blocks) {
  std::string page;
  for (const ManualBlock& block : blocks) {
    switch (block.kind) {
      case Kind::paragraph:
        page += (page.empty() ? "" : ".PP\n") + line(prose(block.text));
        break;
      case Kind::item:
        page += term(typed(block.term), block.text);
        break;
      case Kind::example:
        page += term(bold(block.term), block.text);
        break;
      case Kind::literal:
        page += (page.empty() ? "" : ".PP\n") + displayed(block.text);
        break;
    }
  }
  return page;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string page_section(std::string_view title, const std::string& text) {
  return ".SH " + upper(std::string(title)) + "\n" + text;
}

std::string head(const ManPage& page, const std::string& date, std::string summary) {
  summary.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(summary.front())));
  return ".TH " + literal(upper(page.name)) + " " + std::to_string(page.section) + " " + date +
         " \"wafers " WAFERS_VERSION "\" \"Wafers Manual\"\n" +
         page_section("Name", literal(page.name) + " \\- " + literal(summary) + "\n");
}

/// Where the word that begins at `start` of a usage ends.
std::size_t end_of_word(std::string_view usage, std::size_t start) {
  if (usage[start] == '<') return std::min(usage.find('>', start), usage.size() - 1) + 1;
  return std::min(usage.find_first_of(" []()<", start), usage.size());
}

/// A part of a usage, with blanks at which no line is broken (groff(7)).
std::string usage_part(std::string_view part) {
  std::string marked;
  for (std::size_t at = 0; at < part.size();) {
    if (std::string_view("[]() ").find(part[at]) != std::string_view::npos) {
      marked += part[at] == ' ' ? "\\ " : std::string(1, part[at]);
      ++at;
      continue;
    }
    const std::size_t end = end_of_word(part, at);
    const std::string_view word = part.substr(at, end - at);
    const char first = word.front();
    marked += first == '<' ? italic(word) : first == '-' ? bold(word) : literal(word);
    at = end;
  }
  return marked;
}

std::string synopsis(const std::string& program, std::string_view usage) {
  std::string text = ".SY \"" + literal(program) + "\"\n";
  for (const std::string& part : usage_parts(usage)) text += line(usage_part(part));
  return page_section("Synopsis", text + ".YS\n");
}

std::string page_options(const std::vector<OptionInfo>& options) {
  std::string text;
  for (const OptionInfo& option : options) text += term(typed(shown(option)), option.description);
  return page_section("Options", text);
}

/// "wafers-add, git(1)": the first is of section 1, too.
std::string see_also(const ManualSection* section, std::string_view first) {
  std::string text;
  std::vector<std::string> names{std::string(first)};
  if (section != nullptr) {
    for (const std::string& name : split(section->blocks.front().text, ',')) {
      names.emplace_back(trimmed(name));
    }
  }
  std::erase(names, "");
  for (const std::string& name : names) {
    const bool is_last = &name == &names.back();
    text += page_named(names_page(name) ? name : name + "(1)") + (is_last ? "" : ",") + "\n";
  }
  return page_section("See also", text);
}

ManPage page_of(const CommandInfo& command, const std::string& date) {
  ManPage page{"wafers-" + command.name, 1, {}};
  const std::vector<ManualSection> manual = manual_of(command.name);
  page.text = head(page, date, command.summary) +
              synopsis("wafers " + command.name, command.usage) +
              page_section("Description", page_body(manual.front().blocks));
  if (const ManualSection* arguments = find_section(manual, "Arguments")) {
    page.text += page_section(arguments->title, page_body(arguments->blocks));
  }
  page.text += page_options(command.options);
  if (const ManualSection* status = find_section(manual, "Exit status")) {
    page.text +=
        page_section(status->title, page_body(status->blocks) + ".PP\nFor the others see " +
                                        page_named("wafers(1)") + ".\n");
  }
  page.text += page_section("Examples", page_body(find_section(manual, "Examples")->blocks)) +
               see_also(find_section(manual, "See also"), "wafers(1)");
  return page;
}

std::string command_list(const std::vector<CommandInfo>& commands) {
  std::string text;
  for (const CommandInfo& command : commands) {
    text += ".TP\n" + page_named("wafers-" + command.name + "(1)") + "\n" +
            line(literal(command.summary));
  }
  return page_section("Commands", text);
}

/// A text that is no command's.
ManPage page_of(std::string_view name, int number, const std::vector<CommandInfo>& commands,
                const std::string& date) {
  ManPage page{std::string(name), number, {}};
  const std::vector<ManualSection> manual = manual_of(name);
  page.text = head(page, date, find_section(manual, "Name")->blocks.front().text);
  if (number == 1) {
    page.text += synopsis("wafers", "<command> [<arguments>]");
  }
  for (const ManualSection& section : manual) {
    const std::string text = page_body(section.blocks);
    if (section.title.empty() || section.title == "Name" || section.title == "See also") continue;
    const bool is_part = number != 1 && section.title != "Description";
    page.text +=
        is_part ? ".SS " + literal(section.title) + "\n" + text : page_section(section.title, text);
    if (number == 1 && section.title == "Description") page.text += command_list(commands);
  }
  page.text += see_also(find_section(manual, "See also"), {});
  return page;
}

}  // namespace

std::vector<ManPage> man_pages(const std::string& date, const GitParts& git) {
  const std::vector<CommandInfo> commands = describe_all({.git = git, .argv = nullptr});
  std::vector<ManPage> pages{page_of("wafers", 1, commands, date),
                             page_of("wafers-tutorial", 7, commands, date),
                             page_of("wafers-faq", 7, commands, date)};
  for (const CommandInfo& command : commands) pages.push_back(page_of(command, date));
  return pages;
}

}  // namespace wafers::cli
