#include "git/objects/blob_id.h"

#include "git/objects/loose_writer.h"
#include "git/objects/sha1.h"

namespace wafers::git {

Oid blob_id(std::string_view content) {
  Sha1 hash;
  hash.update(object_header("blob", content.size()));
  hash.update(content);
  return hash.finish();
}

}  // namespace wafers::git
