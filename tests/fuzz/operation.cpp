#include "operation.h"

#include <cstddef>
#include <stdexcept>

namespace wafers::fuzz {
namespace {

constexpr char kOctalDigits = 3;

std::string octal(unsigned char byte) {
  std::string text = "\\";
  for (int shift = 6; shift >= 0; shift -= 3) {
    text += static_cast<char>('0' + ((byte >> shift) & 7));
  }
  return text;
}

/// Reads one quoted argument, and leaves `line` behind it.
std::string take_quoted(std::string_view& line) {
  std::string value;
  line.remove_prefix(1);
  while (!line.empty() && line[0] != '"') {
    if (line[0] != '\\') {
      value += line[0];
      line.remove_prefix(1);
      continue;
    }
    line.remove_prefix(1);
    if (line.empty()) break;
    if (line[0] == 'n') {
      value += '\n';
    } else if (line[0] == '"' || line[0] == '\\') {
      value += line[0];
    } else if (line.size() >= kOctalDigits) {
      int byte = 0;
      for (int i = 0; i < kOctalDigits; ++i)
        byte = byte * 8 + (line[static_cast<std::size_t>(i)] - '0');
      value += static_cast<char>(byte);
      line.remove_prefix(kOctalDigits - 1);
    }
    line.remove_prefix(1);
  }
  if (line.empty()) throw std::runtime_error("an argument without its closing quote");
  line.remove_prefix(1);
  return value;
}

void skip_blanks(std::string_view& line) {
  while (!line.empty() && line[0] == ' ') line.remove_prefix(1);
}

}  // namespace

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (c >= ' ' && c <= '~') {
      quoted += c;
    } else {
      quoted += octal(static_cast<unsigned char>(c));
    }
  }
  return quoted + '"';
}

std::string to_text(const Operation& operation) {
  std::string line = operation.verb;
  for (const std::string& argument : operation.args) line += ' ' + quote(argument);
  return line;
}

Operation parse_operation(std::string_view line) {
  Operation operation;
  skip_blanks(line);
  const std::size_t end = line.find(' ');
  operation.verb = line.substr(0, end);
  line.remove_prefix(operation.verb.size());
  for (skip_blanks(line); !line.empty(); skip_blanks(line)) {
    if (line[0] != '"') throw std::runtime_error("an argument without quotes");
    operation.args.push_back(take_quoted(line));
  }
  return operation;
}

}  // namespace wafers::fuzz
