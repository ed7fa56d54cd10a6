#include "gst/isobmff/file/layout_front.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

// Writes pieces one behind the other. The file's first bytes come last: until then it begins with zeros,
// which is how recover() knows.
class FrontWriter {
 public:
  explicit FrontWriter(OutputFile &file) : file_(file) {}
  Result<void> put(Bytes piece) {
    const std::size_t held = std::min(kHeader - first_.size(), piece.size());
    append(first_, piece.first(held));
    piece = piece.subspan(held);
    at_ += held;
    auto ok = piece.empty() ? Result<void>() : file_.write(at_, piece);
    at_ += piece.size();
    return ok;
  }
  Result<void> finish() { return file_.write(0, first_); }

 private:
  OutputFile &file_;
  ByteVector first_;
  std::uint64_t at_ = 0;
};

} // namespace

Result<std::uint64_t> insert_front(OutputFile &file, const Front &front, std::uint64_t least,
                                   std::uint64_t expected, bool sync) {
  const std::uint64_t block = file.block_size();
  std::uint64_t shift = (expected + least + block) / block * block;
  Result<std::uint64_t> size;
  for (;;) { // the boxes grow with the shift only where 32-bit offsets become 64-bit ones, so this settles
    size = front.prepare(shift);
    if (!size) return tl::unexpected(size.error());
    const std::uint64_t needed = (*size + least + block - 1) / block * block;
    if (needed <= shift) break;
    shift = needed;
  }
  // The kernel flushes what lies behind the insertion; done before, the window between the calls is short.
  if (sync)
    if (auto ok = file.sync(); !ok) return tl::unexpected(ok.error());
  if (auto ok = file.insert(0, shift); !ok) return tl::unexpected(ok.error());
  FrontWriter writer(file);
  auto ok = front.write([&writer](Bytes piece) { return writer.put(piece); });
  if (ok) ok = writer.put(front.fill(shift - *size));
  if (ok) ok = writer.finish();
  if (!ok) { // a full disk: the file becomes what it was
    (void)file.collapse(0, shift);
    return tl::unexpected(ok.error());
  }
  if (sync)
    if (auto synced = file.sync(); !synced) return tl::unexpected(synced.error());
  return shift;
}

void append_filler(ByteVector &front, std::uint64_t size) {
  if (size < kHeader) return;
  append_box_header(front, "free", size - kHeader);
  front.resize(front.size() + size - kHeader);
}

Result<FragmentScan> scan_file(const std::string &path, bool tables, bool fragments) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  return scan_fragments(*source, tables, fragments);
}

Relocation relocation(Placement how, const OutputFile &file, std::uint64_t moov_size) {
  return {how, moov_size, file.bytes_written(), true};
}

} // namespace hull::isobmff
