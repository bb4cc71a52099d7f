#include "core/commands/doctor.h"

#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"

namespace wafers::cli {
namespace {

nlohmann::json to_json(const Diagnosis& diagnosis) {
  auto checks = nlohmann::json::array();
  for (const Check& check : diagnosis.checks) {
    checks.push_back({{"id", check.id},
                      {"status", to_string(check.status)},
                      {"message", text_to_json(check.message)},
                      {"remedy", text_to_json(check.remedy)}});
  }
  const auto& backend = diagnosis.backend;
  return {{"checks", std::move(checks)},
          {"backend", backend ? nlohmann::json(to_string(*backend)) : nlohmann::json(nullptr)},
          {"verdict", text_to_json(diagnosis.verdict)}};
}

Colour colour_of(CheckStatus status) {
  if (status == CheckStatus::ok) return Colour::green;
  return status == CheckStatus::fail ? Colour::red : Colour::yellow;
}

void print(const Diagnosis& diagnosis, Report& report) {
  if (report.form() == OutputForm::json) {
    report.document(to_json(diagnosis));
    return;
  }
  constexpr std::size_t kStatusWidth = 6;
  for (const Check& check : diagnosis.checks) {
    const std::string_view status = to_string(check.status);
    report.line(in_colour(status, colour_of(check.status), shows_colour(STDOUT_FILENO)) +
                std::string(kStatusWidth - status.size(), ' ') + check.message);
    if (!check.remedy.empty()) report.line(std::string(kStatusWidth, ' ') + "-> " + check.remedy);
  }
  report.line(diagnosis.verdict);
}

/// The current directory; "/" if it is gone: then there is no repository to look at either.
std::filesystem::path here() {
  std::error_code error;
  auto path = std::filesystem::current_path(error);
  return error ? std::filesystem::path("/") : path;
}

}  // namespace

int run_doctor(const Command& command, const Arguments& arguments, Report& report) {
  bool json = false;
  Parser parser(command, arguments);
  parser.flag("--json", json, "print JSON");
  const auto positional = parser.parse();
  if (!positional.empty()) {
    throw parser.usage("unexpected argument " + in_quotes(positional.front()));
  }
  const Diagnosis diagnosis = diagnose(state_directory(), here());
  print(diagnosis, report);
  return diagnosis.backend ? Report::kDone : Report::kUnsupported;
}

}  // namespace wafers::cli
