// Writes the manual pages, as a step of the build: wafers-manual DIRECTORY DATE. It isn't
// installed.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "cli/cli.h"
#include "cli/man_page.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  for (const auto& page : wafers::cli::man_pages(argv[2], wafers::cli::kOwnGit)) {
    const std::string section = std::to_string(page.section);
    const std::filesystem::path directory = std::filesystem::path(argv[1]) / ("man" + section);
    std::filesystem::create_directories(directory);
    std::ofstream file(directory / (page.name + "." + section));
    file << page.text;
    if (!file.flush()) {
      std::cerr << "wafers-manual: cannot write " << page.name << "\n";
      return 1;
    }
  }
}
