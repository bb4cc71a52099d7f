// What passes between wafers and its holder.
#include "base/error.h"
#include "linux/holder_job.h"
#include "target.h"

namespace {

/// What is understood says all that the text says: writing it gives the same text.
template <typename Decoded>
void check(Decoded (*decode)(std::string_view), std::string_view text) {
  std::string written;
  try {
    written = wafers::encode(decode(text));
  } catch (const wafers::Error&) {
    return;
  }
  wafers::fuzz::require(written == text, "what is understood is all of it");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = wafers::fuzz::as_text(data, size);
  check(wafers::decode_job, text);
  check(wafers::decode_report, text);
  return 0;
}
