#ifndef MOBULA_TEST_TEMPORARY_DIRECTORY_H_
#define MOBULA_TEST_TEMPORARY_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "test/support.h"

namespace mobula::test {

// Removed, with all that is in it, at its end, beside a keeper that may be removing the same files.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mobula-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    eventually([this] {
      std::error_code error;
      std::filesystem::remove_all(path_, error);
      return !error && !std::filesystem::exists(path_);
    });
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path() const { return path_.string(); }
  // Of plain files, at any depth.
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    return found;
  }
  bool is_empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::filesystem::path path_;
};

}  // namespace mobula::test

#endif  // MOBULA_TEST_TEMPORARY_DIRECTORY_H_
