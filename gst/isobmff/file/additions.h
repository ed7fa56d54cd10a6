#pragma once

// What an application wants in a movie box before it is written.

#include "gst/isobmff/boxes/tree.h"

#include <string>
#include <vector>

namespace hull::isobmff {

/// Boxes and field values that are put into every movie box made after them. Refusals name the rule they
/// keep.
class Additions {
 public:
  /// `box`: one whole box. `place`: its parent, "moov", "moov/udta", "moov/trak[1]/udta" …; a udta that is
  /// not there yet is made. Refuses at once what no movie could take; the rest apply() sees.
  Result<void> add_box(std::string place, ByteVector box);
  /// `path`: a field as in "moov/trak[0]/tkhd.alternate_group". Refuses fields that say how the media lie in
  /// the file.
  Result<void> set_field(std::string path, std::string value);
  bool empty() const { return wishes_.empty(); }

  /// Puts them into `moov`, in the order they came; `cmaf` asks the CMAF rules too. What cannot be put in is
  /// left out and said why.
  std::vector<Error> apply(Node &moov, bool cmaf) const;

 private:
  struct Wish {
    std::string path;
    ByteVector box; ///< empty: a field gets `value`
    std::string value;
  };
  std::vector<Wish> wishes_;
};

} // namespace hull::isobmff
